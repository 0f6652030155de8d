//! Suspend, delete with running workloads, and come back.

use serde_json::Value;

use crate::{
    cluster::{beeline, get, kubectl, list, try_kubectl, wait, wait_ready, wait_reason},
    monitoring,
};

fn patch_domain(patch: &str) {
    kubectl(&["patch", "domain", "weather", "--type", "merge", "-p", patch]);
}

fn active_pods() -> Vec<Value> {
    list("pods", "polder.dev/domain=weather")
        .into_iter()
        .filter(|pod| !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")))
        .collect()
}

fn apply_workloads() {
    let root = env!("CARGO_MANIFEST_DIR");
    kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        "-k",
        &format!("{root}/examples/quickstart/3-workloads"),
    ]);
}

#[test]
fn a_domain_suspends_goes_with_running_workloads_and_comes_back_with_its_data() {
    wait_ready("sqlendpoint", "bi");
    let count = "SELECT count(*) FROM lake.weather.daily";
    let rows = beeline(count);
    assert_eq!(rows, ["1461"]);

    // Suspend stops all compute and keeps all volumes; the way back is the same.
    let claims = list("pvc", "app.kubernetes.io/name=spark-cluster").len();
    patch_domain(r#"{"spec": {"suspend": true}}"#);
    wait("all pods to stop", || active_pods().is_empty().then_some(()));
    wait_reason("sparkcluster", "etl", &["Suspended"]);
    assert_eq!(list("pvc", "app.kubernetes.io/name=spark-cluster").len(), claims);
    // What starts is monitored from here on.
    patch_domain(r#"{"spec": {"suspend": false, "monitoring": {"enabled": true}}}"#);
    wait_ready("sparkcluster", "etl");
    wait_ready("sqlendpoint", "bi");
    assert_eq!(beeline(count), rows);
    monitoring::wait_for_what_the_dashboard_shows();

    // Retain: the Domain goes with its workloads running, namespace and volumes stay.
    let load = get("batchjob", "load").expect("the job")["status"]["lastRun"]["name"].clone();
    kubectl(&["delete", "domain", "weather", "--timeout=300s"]);
    assert!(active_pods().is_empty(), "pods outlived the domain");
    assert!(
        get("namespace", "weather").is_some_and(|it| it["metadata"]["deletionTimestamp"].is_null())
    );
    assert!(get("pvc", "weather-warehouse").is_some());

    // The same Domain again takes up where it was: same data, and no job runs again.
    let root = env!("CARGO_MANIFEST_DIR");
    kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        &format!("{root}/examples/quickstart/2-domain.yaml"),
    ]);
    wait_ready("domain", "weather");
    apply_workloads();
    wait_ready("sqlendpoint", "bi");
    assert_eq!(beeline(count), rows);
    wait_ready("batchjob", "load");
    assert_eq!(get("batchjob", "load").unwrap()["status"]["lastRun"]["name"], load);

    // Delete: nothing stays.
    patch_domain(r#"{"spec": {"deletionPolicy": "Delete"}}"#);
    wait_ready("domain", "weather");
    kubectl(&["delete", "domain", "weather", "--timeout=400s"]);
    let gone = try_kubectl(&["get", "namespace", "weather"], None);
    assert!(!gone.status.success(), "the namespace is still there");
}
