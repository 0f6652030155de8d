use rstest::rstest;
use serde_json::json;

use super::{domain, in_place, operator};
use crate::{
    api::{Domain, common::SparkRuntime},
    build::spark::Runtime,
    engine::{Report, Served},
    kinds::domain::{Resolved, plan::plan, status::status},
};

fn monitored() -> Domain {
    domain("monitoring: {enabled: true}")
}

fn with(served: Served) -> Resolved {
    Resolved { prometheus_operator: served, ..in_place(&monitored()) }
}

#[test]
fn one_monitor_for_all_workloads_that_prometheus_selects_and_that_names_them() {
    let children = plan(&monitored(), &with(Served::Yes), &operator()).children;
    let monitor = children.iter().find(|child| child.resource.kind == "PodMonitor").unwrap();
    let labels = &monitor.object["metadata"]["labels"];
    assert_eq!(
        (&labels["release"], &labels["polder.dev/domain"]),
        (&json!("prometheus"), &json!("sales"))
    );
    let spec = &monitor.object["spec"];
    assert_eq!(spec["selector"]["matchLabels"], json!({"polder.dev/domain": "sales"}));
    let endpoints: Vec<_> = spec["podMetricsEndpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["relabelings"][0]["regex"].as_str().unwrap(), it["path"].as_str().unwrap()))
        .collect();
    assert_eq!(
        endpoints,
        [
            ("driver|worker", "/metrics/prometheus/"),
            ("driver", "/metrics/executors/prometheus/"),
            ("master", "/metrics/master/prometheus/"),
            ("master", "/metrics/applications/prometheus/"),
        ]
    );
}

#[rstest]
#[case::yes(Served::Yes, "True", "Monitored", 1)]
#[case::not_installed(Served::NotInstalled, "False", "PrometheusOperatorNotInstalled", 0)]
#[case::not_allowed(Served::Forbidden, "False", "PrometheusOperatorNotAllowed", 0)]
fn what_the_cluster_lacks_is_told_and_stops_nothing(
    #[case] served: Served,
    #[case] holds: &str,
    #[case] reason: &str,
    #[case] monitors: usize,
) {
    let (domain, resolved) = (monitored(), with(served));
    let status = status(&domain, &resolved, &Report::default());
    let of = |type_: &str| status.conditions.iter().find(|it| it.type_ == type_).unwrap();
    let told = of("MonitoringReady");
    assert_eq!((told.status.as_str(), told.reason.as_str()), (holds, reason));
    assert_eq!(of("Ready").status, "True");
    let children = plan(&domain, &resolved, &operator()).children;
    let made = children.iter().filter(|child| child.resource.kind == "PodMonitor").count();
    assert_eq!(made, monitors);
}

#[test]
fn what_is_not_asked_for_is_not_there() {
    let (domain, resolved) =
        (domain("{}"), Resolved { prometheus_operator: Served::Yes, ..in_place(&domain("{}")) });
    let children = plan(&domain, &resolved, &operator()).children;
    assert!(children.iter().all(|child| child.resource.kind != "PodMonitor"));
    let status = status(&domain, &resolved, &Report::default());
    assert!(status.conditions.iter().all(|condition| condition.type_ != "MonitoringReady"));
}

#[test]
fn users_do_not_change_where_metrics_are() {
    let spec = "{monitoring: {enabled: true}, compute: {sparkConf: {spark.metrics.namespace: mine, spark.metrics.staticSources.enabled: 'false'}}}";
    let conf = Runtime::new(&domain(spec), &SparkRuntime::default(), String::new()).conf;
    assert_eq!(conf["spark.metrics.namespace"], "spark");
    assert_eq!(conf["spark.metrics.staticSources.enabled"], "false");
    // Without the slash at the end, which is for who asks.
    let path = "spark.metrics.conf.master.sink.prometheusServlet.path";
    assert_eq!(conf[path], "/metrics/master/prometheus");
}
