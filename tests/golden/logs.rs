//! What a domain's `spec.logs` changes, and what it restarts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    ownership::{children, roots},
    render::World,
};

/// What a domain and workloads become with these logs, by kind and name.
fn with_logs(logs: &Value) -> BTreeMap<String, Value> {
    let mut roots = roots("4711");
    let domain = roots.iter_mut().find(|root| root["kind"] == "Domain").unwrap();
    domain["spec"]["logs"] = logs.clone();
    let name = |child: &Value| format!("{} {}", child["kind"], child["metadata"]["name"]);
    let all = children(&World::new(&roots), &roots);
    all.into_iter().map(|child| (name(&child), child)).collect()
}

/// Objects of the second that differ from those of the first.
fn changed<'a>(
    before: &BTreeMap<String, Value>,
    after: &'a BTreeMap<String, Value>,
) -> Vec<&'a Value> {
    let names = |all: &BTreeMap<String, Value>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(after));
    after.iter().filter(|(name, child)| before[*name] != **child).map(|(_, child)| child).collect()
}

#[test]
fn a_new_level_or_format_is_in_every_log_configuration_and_restarts_nothing() {
    let before = with_logs(&Value::Null);
    let after = with_logs(&json!({"level": "DEBUG", "format": "Text"}));
    let changed = changed(&before, &after);
    assert_eq!(changed.len(), 3, "a cluster, an endpoint and a job: {changed:#?}");
    for child in changed {
        let file = child["data"]["log4j2.properties"].as_str();
        assert!(file.is_some_and(|file| file.contains("rootLogger.level = debug\n")), "{child:#}");
    }
}

#[test]
fn a_retention_is_told_to_shippers_and_reaches_no_pod() {
    let (before, after) = (with_logs(&Value::Null), with_logs(&json!({"retention": "30d"})));
    let changed = changed(&before, &after);
    assert_eq!(changed.len(), 1, "{changed:#?}");
    assert_eq!(changed[0]["kind"], "Namespace");
    assert_eq!(changed[0]["metadata"]["labels"]["polder.dev/log-retention"], "30d");
}

#[test]
fn files_of_another_size_restart_the_cluster_alone() {
    let (before, after) = (with_logs(&Value::Null), with_logs(&json!({"maxFileSize": "100Mi"})));
    for child in changed(&before, &after) {
        assert_eq!(child["metadata"]["labels"]["app.kubernetes.io/name"], "spark-cluster");
        if child["kind"] == "ConfigMap" {
            let conf = child["data"]["spark-defaults.conf"].as_str().unwrap();
            assert!(conf.contains("rolling.maxSize=104857600\n"), "{conf}");
        }
    }
}
