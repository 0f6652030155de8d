//! What the operator tells of itself: metrics, health, events.

use serde_json::Value;

use crate::{
    install::installation,
    manifests::{CLUSTER, DOMAIN},
    operator::{Operator, metric},
    process::run,
    tenant::Tenant,
    turn::{alone, shared_http, shared_state},
};

const REFERENCE: &str = include_str!("../../docs/reference/metrics.md");

#[tokio::test]
async fn metrics_have_their_names_and_no_names_of_objects() {
    let tenant = Tenant::ready("m-metrics").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let (metrics, _) = shared_state("");
    let metrics = metrics.expect("the operator serves metrics");
    for family in [
        "polder_reconcile_total",
        "polder_reconcile_errors_total",
        "polder_reconcile_panics_total",
        "polder_reconcile_timeouts_total",
        "polder_reconcile_time_seconds",
        "polder_active_workers",
        "polder_max_concurrent_reconciles",
        "polder_workqueue_depth",
        "polder_workqueue_adds_total",
        "polder_workqueue_queue_duration_seconds",
        "polder_client_requests_total",
        "polder_client_request_duration_seconds",
        "polder_build_info",
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
    let named: Vec<&str> = metrics
        .lines()
        .filter(|line| line.contains("m-metrics") && !line.starts_with("polder_domain_"))
        .collect();
    assert_eq!(named, [""; 0], "the name of an object is in a label of the operator's own metrics");
    run("promtool", &["check", "metrics"], &metrics);
    tenant.end();
}

/// The reference is written from the code; that every family is in it shows that nothing is
/// registered beside it.
#[tokio::test]
async fn every_metric_is_in_the_reference() {
    let tenant = Tenant::ready("m-reference").await;
    let (metrics, _) = shared_state("");
    let metrics = metrics.expect("the operator serves metrics");
    let families: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|family| !REFERENCE.contains(&format!("| `{family}` |")))
        .collect();
    assert_eq!(families, [""; 0], "not in docs/reference/metrics.md");
    tenant.end();
}

#[tokio::test]
async fn a_domain_is_seen_in_metrics_until_it_is_gone() {
    let tenant = Tenant::ready("m-domain").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let value = |series: &str| {
        let (metrics, _) = shared_state("");
        metric(&metrics?, series)
    };
    for (series, expected) in [
        (r#"info{cost_center="4711",domain="m-domain",namespace="m-domain",team="testers"}"#, 1.0),
        (r#"condition{condition="Ready",domain="m-domain",reason="Ready"}"#, 1.0),
        (r#"condition{condition="Stalled",domain="m-domain",reason="Ready"}"#, 0.0),
        (r#"resource_limit{domain="m-domain",priority_class="",resource="pods"}"#, 100.0),
        (r#"resource_limit{domain="m-domain",priority_class="",resource="requests.cpu"}"#, 40.0),
        // A master and two workers.
        (r#"resource_used{domain="m-domain",priority_class="",resource="pods"}"#, 3.0),
        (r#"resource_used{domain="m-domain",priority_class="",resource="requests.cpu"}"#, 0.06),
        (r#"workloads{domain="m-domain",kind="SparkCluster",state="ready"}"#, 1.0),
    ] {
        let series = format!("polder_domain_{series}");
        let is_so = async || (value(&series) == Some(expected)).then_some(());
        tenant.wait(&format!("{series} {expected}"), is_so).await;
    }
    tenant.delete("Domain", "m-domain").await;
    tenant.wait_gone("Domain", "m-domain").await;
    tenant
        .wait("the series of the domain to go", async || {
            let (metrics, _) = shared_state("");
            (!metrics?.contains("m-domain")).then_some(())
        })
        .await;
    tenant.end();
}

#[tokio::test]
async fn openmetrics_is_served_to_who_accepts_it() {
    let tenant = Tenant::new("m-open").await;
    for (accept, ends) in [("application/openmetrics-text; version=1.0.0", true), ("*/*", false)] {
        let metrics = shared_http("/metrics", &[("Accept", accept)]).expect("metrics");
        assert_eq!(metrics.ends_with("\n# EOF\n"), ends, "Accept: {accept}");
    }
    tenant.end();
}

#[tokio::test]
async fn readiness_is_told_in_events() {
    // An operator of its own: where many domains come up at once, some good news is dropped.
    let _alone = alone().await;
    let mut operator = Operator::start(installation().await, "events");
    let tenant = Tenant::alone("m-events").await;
    tenant.clean().await;
    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", "m-events").await;
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
    assert!(operator.terminate(), "{}", operator.tail(""));
}
