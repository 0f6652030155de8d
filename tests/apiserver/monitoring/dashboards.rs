//! Dashboards: every query is PromQL, and asks for metrics that there are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{chart, rules};
use crate::{metrics::metrics, process::run};

const REFERENCE: &str = include_str!("../../../docs/reference/metrics.md");
/// How Spark's metrics begin.
const OF_SPARK: &str = "metrics_";
/// What a Spark driver tells of its executors.
/// Source: <https://spark.apache.org/docs/latest/monitoring.html#executor-metrics>
const OF_EXECUTORS: &str = "metrics_executor_";
/// What drivers, masters and workers of Spark 4.1 were seen to tell, of what dashboards ask for.
const OF_PROCESSES: [&str; 8] = [
    "metrics_spark_driver_jvm_heap_used_Value",
    "metrics_spark_driver_DAGScheduler_stage_runningStages_Value",
    "metrics_spark_driver_DAGScheduler_stage_waitingStages_Value",
    "metrics_master_aliveWorkers_Value",
    "metrics_master_apps_Value",
    "metrics_master_waitingApps_Value",
    "metrics_worker_coresUsed_Value",
    "metrics_worker_coresFree_Value",
];

/// Title and query of each panel of a dashboard.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        let title = format!("{} / {}", dashboard["title"], panel["title"]);
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    });
    targets.collect()
}

fn is_known(metric: &str) -> bool {
    if metric.starts_with(OF_SPARK) {
        return metric.starts_with(OF_EXECUTORS) || OF_PROCESSES.contains(&metric);
    }
    let family = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|part| metric.strip_suffix(part))
        .unwrap_or(metric);
    REFERENCE.contains(&format!("| `{family}` |"))
}

#[test]
fn dashboards_ask_for_what_there_is() {
    let maps = chart("ConfigMap");
    let dashboards: Vec<Value> = maps
        .iter()
        .flat_map(|map| map["data"].as_object().into_iter().flatten())
        .filter(|(file, _)| file.starts_with("polder-") && file.contains(".json"))
        .map(|(_, text)| serde_json::from_str(text.as_str().unwrap()).unwrap())
        .collect();
    let titles: BTreeSet<&str> =
        dashboards.iter().map(|dashboard| dashboard["title"].as_str().unwrap()).collect();
    let expected =
        ["Operator", "Domains", "Domain", "Spark"].map(|title| format!("Polder / {title}"));
    assert_eq!(titles, expected.iter().map(String::as_str).collect());

    let mut queries: Vec<(String, String)> = dashboards.iter().flat_map(queries).collect();
    queries.extend(rules().iter().map(|rule| {
        (rule["alert"].as_str().unwrap().to_owned(), rule["expr"].as_str().unwrap().to_owned())
    }));
    for (title, query) in &queries {
        let metrics = metrics(query, &["polder_", OF_SPARK]);
        assert!(!metrics.is_empty(), "{title} asks for no metric of ours: {query}");
        let unknown: Vec<&&str> = metrics.iter().filter(|metric| !is_known(metric)).collect();
        assert!(unknown.is_empty(), "{title} asks for {unknown:?}, which there is not");
    }

    // As recording rules, for promtool to parse.
    let rules: Vec<Value> = queries
        .iter()
        .enumerate()
        .map(|(number, (_, query))| {
            let query = query.replace("$__rate_interval", "5m");
            json!({"record": format!("query:{number}"), "expr": query})
        })
        .collect();
    let file = std::env::temp_dir().join(format!("polder-queries-{}.yaml", std::process::id()));
    std::fs::write(&file, json!({"groups": [{"name": "queries", "rules": rules}]}).to_string())
        .unwrap();
    run("promtool", &["check", "rules", file.to_str().unwrap()], "");
    std::fs::remove_file(&file).unwrap();
}
