//! What is refused, and in which words.

use rstest::rstest;
use serde_json::{Value, json};

use super::fixtures::{Around, cluster, container, job, kind, with};
use crate::{api::BatchJob, engine::Kind};

fn spark(more: &Value) -> BatchJob {
    let base = json!({
        "main": {"sql": "SELECT 1"},
        "driver": {"resources": {"cpu": "1", "memory": "2Gi"}},
    });
    job(&json!({"spark": with(base, more)}))
}

fn executors(resources: &Value) -> Value {
    json!({"executors": {"instances": 1, "resources": resources}})
}

fn on_cluster(more: &Value) -> Value {
    json!({"clusterRef": with(json!({"name": "etl"}), more)})
}

#[rstest]
#[case::cluster(spark(&json!({"clusterRef": {"name": "nope"}})), "ClusterNotFound", "spec.spark.clusterRef.name")]
#[case::heap(spark(&on_cluster(&json!({"executorMemory": "64Gi"}))), "ExecutorTooLarge", "spec.spark.clusterRef.executorMemory")]
#[case::cores(spark(&on_cluster(&json!({"executorCores": 64}))), "ExecutorTooLarge", "spec.spark.clusterRef.executorCores")]
#[case::pool(spark(&json!({
    "driver": {"resources": {"cpu": "1", "memory": "2Gi"}, "nodePool": "gpu"},
    "executors": {"instances": 1, "resources": {"cpu": "1", "memory": "2Gi"}},
})), "NodePoolNotFound", "spec.spark.driver.nodePool")]
#[case::little(spark(&executors(&json!({"cpu": "1", "memory": "512Mi"}))), "TooLittleMemory", "spec.spark.executors.resources.memory")]
#[case::much(spark(&executors(&json!({"cpu": "8", "memory": "2Gi"}))), "LimitExceeded", "spec.spark.executors.resources.cpu")]
#[case::version(spark(&with(executors(&json!({"cpu": "1", "memory": "2Gi"})), &json!({"version": "9.9"}))), "VersionUnknown", "spec.spark.version")]
#[case::key(spark(&with(executors(&json!({"cpu": "1", "memory": "2Gi"})), &json!({"main": {"configMap": {"name": "a", "key": "x/y.py"}}}))), "KeyInvalid", "spec.spark.main.configMap.key")]
#[case::zone(job(&with(container("a"), &json!({"schedule": {"cron": "@daily", "timeZone": "Europe/Utrecht"}}))), "TimeZoneUnknown", "spec.schedule.timeZone")]
#[case::cron(job(&with(container("a"), &json!({"schedule": {"cron": "61 * * * *"}}))), "CronInvalid", "spec.schedule.cron")]
#[case::deadline(job(&with(container("a"), &json!({"schedule": {"cron": "@daily", "startingDeadline": "5s"}}))), "TooShort", "spec.schedule.startingDeadline")]
#[case::timeout(job(&with(container("a"), &json!({"timeout": "0s"}))), "TooShort", "spec.timeout")]
fn a_problem_names_its_field(#[case] root: BatchJob, #[case] reason: &str, #[case] field: &str) {
    let around = Around { clusters: vec![cluster(true)], ..Around::new() };
    let problems = kind().validate(&root, &around.resolve(&root));
    let found: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.reason, problem.field.as_str())).collect();
    assert_eq!(found, [(reason, field)], "{problems:#?}");
}

#[test]
fn a_new_run_waits_for_its_cluster() {
    let root = spark(&on_cluster(&json!({})));
    let around = Around { clusters: vec![cluster(false)], ..Around::new() };
    let problems = kind().validate(&root, &around.resolve(&root));
    assert_eq!(problems[0].reason, "ClusterNotReady");
}

#[test]
fn a_namespace_without_a_domain_runs_nothing() {
    let root = job(&container("a"));
    let problems = kind().validate(&root, &Around::default().resolve(&root));
    assert_eq!(problems[0].reason, "DomainNotFound");
}
