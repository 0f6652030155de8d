//! Standing still, and going on as before.

use serde_json::{Value, json};

use crate::{
    api::condition,
    manifests::{CLUSTER, ENDPOINT, HELD, SCHEDULED},
    tenant::Tenant,
};

fn suspend(is_suspended: bool) -> Value {
    json!({"spec": {"suspend": is_suspended}})
}

async fn uids(tenant: &Tenant, kind: &str, selector: &str) -> Vec<String> {
    let objects = tenant.list(kind, selector).await;
    let mut uids: Vec<String> = objects
        .iter()
        .map(|object| object["metadata"]["uid"].as_str().unwrap().to_owned())
        .collect();
    uids.sort();
    uids
}

async fn active_pods(tenant: &Tenant, selector: &str) -> usize {
    let pods = tenant.list("Pod", selector).await;
    let is_over =
        |pod: &&Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    pods.iter().filter(|pod| !is_over(pod)).count()
}

#[tokio::test]
async fn a_cluster_stops_keeps_its_volumes_and_comes_back_with_them() {
    let tenant = Tenant::ready("s-cluster").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let selector = "app.kubernetes.io/name=spark-cluster";
    let volumes = uids(&tenant, "PersistentVolumeClaim", selector).await;
    assert_eq!(volumes.len(), 5);
    let secrets = uids(&tenant, "Secret", "").await;

    tenant.patch("SparkCluster", "etl", suspend(true)).await;
    tenant.wait_reason("SparkCluster", "etl", "Suspended").await;
    assert_eq!(active_pods(&tenant, selector).await, 0);
    assert_eq!(uids(&tenant, "PersistentVolumeClaim", selector).await, volumes);
    let none = |cluster: &Value| cluster["status"]["workers"]["summary"] == "0/0";
    let cluster = tenant.until("SparkCluster", "etl", "to have no workers", none).await;
    assert_eq!(condition(&cluster, "Stalled")["status"], "False");

    tenant.patch("SparkCluster", "etl", suspend(false)).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    assert_eq!(uids(&tenant, "PersistentVolumeClaim", selector).await, volumes);
    assert_eq!(uids(&tenant, "Secret", "").await, secrets);
    tenant.end();
}

#[tokio::test]
async fn an_endpoint_stops_and_comes_back_at_the_same_address() {
    let tenant = Tenant::ready("s-endpoint").await;
    tenant.apply(ENDPOINT).await;
    let url = tenant.wait_ready("SqlEndpoint", "bi").await["status"]["jdbcUrl"].clone();
    let service = uids(&tenant, "Service", "").await;
    tenant.patch("SqlEndpoint", "bi", suspend(true)).await;
    tenant.wait_reason("SqlEndpoint", "bi", "Suspended").await;
    assert_eq!(active_pods(&tenant, "app.kubernetes.io/name=sql-endpoint").await, 0);
    tenant.patch("SqlEndpoint", "bi", suspend(false)).await;
    assert_eq!(tenant.wait_ready("SqlEndpoint", "bi").await["status"]["jdbcUrl"], url);
    assert_eq!(uids(&tenant, "Service", "").await, service);
    tenant.end();
}

#[tokio::test]
async fn a_schedule_stops_and_goes_on() {
    let tenant = Tenant::ready("s-schedule").await;
    tenant.apply(SCHEDULED).await;
    tenant.wait_ready("BatchJob", "nightly").await;
    for (is_suspended, reason) in [(true, "Suspended"), (false, "Scheduled")] {
        tenant.patch("BatchJob", "nightly", suspend(is_suspended)).await;
        tenant.wait_reason("BatchJob", "nightly", reason).await;
        tenant
            .until("CronJob", "nightly-schedule", "to follow", |cron| {
                cron["spec"]["suspend"].as_bool().unwrap_or(false) == is_suspended
            })
            .await;
    }
    tenant.end();
}

#[tokio::test]
async fn a_run_that_is_stopped_starts_again_as_a_new_one() {
    let tenant = Tenant::ready("s-run").await;
    tenant.apply(HELD).await;
    let selector = "app.kubernetes.io/instance=held";
    tenant.wait("the run", async || tenant.list("Pod", selector).await.pop()).await;
    tenant.patch("BatchJob", "held", suspend(true)).await;
    tenant.wait_reason("BatchJob", "held", "Suspended").await;
    assert_eq!(tenant.list("Job", selector).await.len(), 0);
    assert_eq!(active_pods(&tenant, selector).await, 0);
    let run = &tenant.get("BatchJob", "held").await.unwrap()["status"]["lastRun"];
    assert_eq!((&run["result"], &run["reason"]), (&json!("Cancelled"), &json!("Suspended")));
    tenant.patch("BatchJob", "held", suspend(false)).await;
    let again =
        tenant.wait("the next run", async || tenant.list("Job", selector).await.pop()).await;
    assert!(again["metadata"]["name"].as_str().unwrap().ends_with("-2"), "{again:#}");
    tenant.end();
}

#[tokio::test]
async fn a_suspended_domain_stands_still_as_a_whole() {
    let tenant = Tenant::ready("s-domain").await;
    for yaml in [CLUSTER, ENDPOINT, SCHEDULED, HELD] {
        tenant.apply(yaml).await;
    }
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.wait_ready("BatchJob", "nightly").await;
    let held = "app.kubernetes.io/instance=held";
    tenant.wait("a run", async || tenant.list("Pod", held).await.pop()).await;
    let volumes = uids(&tenant, "PersistentVolumeClaim", "").await;

    tenant.patch("Domain", "s-domain", suspend(true)).await;
    tenant.wait_reason("Domain", "s-domain", "Suspended").await;
    let roots = [
        ("SparkCluster", "etl"),
        ("SqlEndpoint", "bi"),
        ("BatchJob", "nightly"),
        ("BatchJob", "held"),
    ];
    for (kind, name) in roots {
        tenant.wait_reason(kind, name, "Suspended").await;
    }
    assert_eq!(active_pods(&tenant, "").await, 0);
    assert_eq!(uids(&tenant, "PersistentVolumeClaim", "").await, volumes);
    let cron = tenant.get("CronJob", "nightly-schedule").await.unwrap();
    assert_eq!(cron["spec"]["suspend"], true);

    tenant.patch("Domain", "s-domain", suspend(false)).await;
    tenant.wait_ready("Domain", "s-domain").await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.wait_ready("BatchJob", "nightly").await;
    assert_eq!(uids(&tenant, "PersistentVolumeClaim", "").await, volumes);
    tenant.end();
}
