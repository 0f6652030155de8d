//! What the operator tells of itself: metrics, health, events.

use serde_json::Value;

use crate::{manifests::CLUSTER, operator::shared_state, tenant::Tenant};

#[tokio::test]
async fn metrics_have_their_names_and_no_names_of_objects() {
    let tenant = Tenant::ready("m-metrics").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let (metrics, _) = shared_state("");
    let metrics = metrics.expect("the operator serves metrics");
    for family in [
        "polder_reconcile_total",
        "polder_reconcile_time_seconds",
        "polder_active_workers",
        "polder_max_concurrent_reconciles",
        "polder_workqueue_depth",
        "polder_workqueue_adds_total",
        "polder_workqueue_queue_duration_seconds",
        "polder_client_requests_total",
        "polder_watch_events_total",
        "polder_store_objects",
        "polder_leader_election_master_status",
    ] {
        let help = metrics.lines().any(|line| line.starts_with(&format!("# HELP {family} ")));
        assert!(help, "no {family} in\n{metrics}");
    }
    for controller in ["domain", "spark-cluster"] {
        let series =
            format!("polder_reconcile_total{{controller=\"{controller}\",result=\"success\"}}");
        let count = crate::operator::metric(&metrics, &series);
        assert!(count.is_some_and(|count| count > 0.0), "{series}");
    }
    assert!(!metrics.contains("m-metrics"), "a domain's name is in a label");
    tenant.end();
}

#[tokio::test]
async fn readiness_is_told_in_events() {
    let tenant = Tenant::ready("m-events").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    for (kind, name, namespace) in
        [("Domain", "m-events", "default"), ("SparkCluster", "etl", "m-events")]
    {
        tenant
            .wait(&format!("an event of {kind} {name}"), async || {
                let events = tenant.api.list("Event", namespace, "").await;
                events.into_iter().find(|event: &Value| {
                    event["regarding"]["kind"] == kind
                        && event["regarding"]["name"] == name
                        && event["reason"] == "Ready"
                        && event["type"] == "Normal"
                        && event["note"].as_str().is_some_and(|note| !note.is_empty())
                })
            })
            .await;
    }
    tenant.end();
}
