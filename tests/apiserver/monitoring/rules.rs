//! Alerts: each has a test that promtool runs, a severity, and a runbook that is there.

use serde_json::Value;

use super::{groups, rules};
use crate::process::run;

const TESTS: &str = include_str!("alerts.test.yaml");
const RUNBOOKS: &str = include_str!("../../../docs/how-to/runbooks.md");
const ALERTS: &str = include_str!("../../../docs/reference/alerts.md");

#[test]
fn alerts_fire_when_they_should() {
    let folder = std::env::temp_dir().join(format!("polder-alerts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let url = rules()[0]["annotations"]["runbook_url"].as_str().unwrap().to_owned();
    let (base, _) = url.split_once('#').unwrap();
    let tests = folder.join("alerts.test.yaml");
    std::fs::write(folder.join("alerts.yaml"), groups().to_string()).unwrap();
    std::fs::write(&tests, TESTS.replace("RUNBOOKS", base)).unwrap();
    run("promtool", &["test", "rules", tests.to_str().unwrap()], "");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_alert_has_a_test_a_severity_and_a_runbook() {
    let tests: Value = serde_yaml::from_str(TESTS).unwrap();
    let tests: Vec<&Value> = tests["tests"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_array().unwrap())
        .collect();
    for rule in rules() {
        let name = rule["alert"].as_str().unwrap();
        let fires = tests.iter().any(|test| {
            test["alertname"] == name && !test["exp_alerts"].as_array().unwrap().is_empty()
        });
        assert!(fires, "{name} fires in no test of alerts.test.yaml");
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["info", "warning", "critical"].contains(&severity), "{name}: {severity}");
        for annotation in ["summary", "description"] {
            assert!(rule["annotations"][annotation].is_string(), "{name} has no {annotation}");
        }
        let url = rule["annotations"]["runbook_url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/runbooks.md#{}", name.to_lowercase())), "{name}: {url}");
        assert!(RUNBOOKS.contains(&format!("\n## {name}\n")), "no runbook of {name}");
        let row =
            format!("| [{name}](../how-to/runbooks.md#{}) | {severity} |", name.to_lowercase());
        assert!(ALERTS.contains(&row), "docs/reference/alerts.md lacks the row {row}");
    }
    assert_eq!(RUNBOOKS.matches("\n## ").count(), rules().len(), "a runbook of no alert");
}
