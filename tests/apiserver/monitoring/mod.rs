//! What the chart brings for Prometheus and Grafana: checked by promtool, and seen at work.

mod chart;
mod dashboards;
mod prometheus;
mod rules;
mod workloads;

use serde_json::Value;

use crate::{
    api::documents,
    process::{NAMESPACE, run},
};

/// The chart's objects of a kind with everything about monitoring switched on.
fn chart(kind: &str) -> Vec<Value> {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/polder");
    let on = ["serviceMonitor", "prometheusRules", "dashboards"]
        .map(|part| format!("monitoring.{part}.enabled=true"))
        .join(",");
    let text = run("helm", &["template", "polder", chart, "-n", NAMESPACE, "--set", &on], "");
    documents(&text).into_iter().filter(|object| object["kind"] == kind).collect()
}

/// The rule groups of the chart.
fn groups() -> Value {
    let rules = chart("PrometheusRule");
    assert_eq!(rules.len(), 1);
    rules[0]["spec"].clone()
}

/// The rules of all groups.
fn rules() -> Vec<Value> {
    let groups = groups();
    let groups = groups["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}
