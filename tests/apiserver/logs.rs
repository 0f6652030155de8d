//! What the operator logs, and how its level is changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    manifests::CLUSTER,
    tenant::Tenant,
    turn::{shared_admin, shared_log},
};

/// Modules that only log inside of a reconcile.
const OF_RECONCILES: [&str; 9] =
    ["apply", "farewell", "generate", "prune", "reconcile", "rights", "root", "send", "worker"];

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

fn is_of_a_reconcile(line: &Value) -> bool {
    let module = text(line, "target").strip_prefix("polder::engine::");
    module.is_some_and(|module| OF_RECONCILES.contains(&module))
}

#[tokio::test]
async fn every_line_of_a_reconcile_says_whose_it_is() {
    let tenant = Tenant::ready("m-logs").await;
    // In the way of the cluster's configuration: a warning.
    tenant.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: etl-config}}").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_reason("SparkCluster", "etl", "Conflict").await;
    let lines: Vec<Value> = shared_log().into_iter().filter(is_of_a_reconcile).collect();
    for line in &lines {
        let lacks: Vec<&str> =
            ["timestamp", "level", "message", "controller", "object", "reconcileID"]
                .into_iter()
                .filter(|field| text(line, field).is_empty())
                .collect();
        assert_eq!(lacks, [""; 0], "lacks fields: {line}");
    }
    let of = |object: &'static str| lines.iter().filter(move |line| text(line, "object") == object);
    let applied: Vec<&Value> =
        of("Domain m-logs").filter(|line| text(line, "message") == "applied").collect();
    assert!(applied.len() >= 10, "a Domain has more children than {applied:#?}");
    let ids: BTreeSet<&str> = applied.iter().map(|line| text(line, "reconcileID")).collect();
    assert!(ids.len() < applied.len(), "each line has an id of its own: {applied:#?}");
    let warning = of("SparkCluster m-logs/etl").find(|line| text(line, "level") == "WARN");
    let warning = warning.expect("a warning of the cluster");
    let fields = ["controller", "namespace"].map(|field| text(warning, field));
    assert_eq!(fields, ["spark-cluster", "m-logs"]);
    // It would be tried again by every operator that starts.
    tenant.delete("SparkCluster", "etl").await;
    tenant.end();
}

#[tokio::test]
async fn the_level_changes_while_the_operator_runs() {
    let tenant = Tenant::ready("m-level").await;
    let is_debug = |line: &Value| text(line, "level") == "DEBUG";
    let (code, before) = shared_admin("GET", "/loglevel", "").unwrap();
    assert_eq!(code, 200);
    assert!(!shared_log().iter().any(is_debug), "debug lines at level {before}");

    let (code, refusal) = shared_admin("PUT", "/loglevel", "polder=loud").unwrap();
    assert_eq!(code, 400);
    assert!(refusal.contains("info,polder=debug"), "says what would be right: {refusal}");
    assert_eq!(shared_admin("GET", "/loglevel", "").unwrap().1, before);

    let (code, now) = shared_admin("PUT", "/loglevel", "info,polder=debug").unwrap();
    assert_eq!((code, now.contains("polder=debug")), (200, true), "{now}");
    let touch = json!({"metadata": {"annotations": {"example.com/touched": "yes"}}});
    tenant.patch("Domain", "m-level", touch).await;
    tenant.wait("a debug line", async || shared_log().iter().any(is_debug).then_some(())).await;
    let (code, after) = shared_admin("PUT", "/loglevel", before.trim()).unwrap();
    assert_eq!((code, after), (200, before));
    tenant.end();
}
