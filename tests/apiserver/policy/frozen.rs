//! A frozen domain lets nothing new in, and what runs goes on.

use serde_json::json;

use super::asker::{Asker, accepted, refused, workload};
use crate::{manifests::CLUSTER, tenant::Tenant};

#[tokio::test]
async fn a_frozen_domain_lets_nothing_in_and_stops_nothing() {
    let tenant = Tenant::ready("v-frozen").await;
    let admin = Asker::admin("v-frozen").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let job = json!({"suspend": true, "container": {"image": "registry.example.com/dbt:1",
        "resources": {"cpu": "20m", "memory": "256Mi"}}});
    accepted("before", admin.create("BatchJob", &workload("BatchJob", "held", &job)).await);

    tenant.patch("Domain", "v-frozen", json!({"spec": {"frozen": true}})).await;
    let refusal = tenant.wait("the freeze", async || {
        let answer = admin.create("BatchJob", &workload("BatchJob", "new", &job)).await;
        if answer.is_ok() {
            admin.delete("BatchJob", "new").await.unwrap();
        }
        answer.is_err().then_some(answer)
    });
    refused("a new job", &refusal.await, &["Domain v-frozen is frozen"]);
    let change = json!({"spec": {"suspend": true}});
    let answer = admin.patch("SparkCluster", "etl", "?dryRun=All", &change).await;
    refused("a change", &answer, &["is frozen"]);

    // The operator's own writes go on, and so do labels and deletion.
    tenant.delete("Service", "etl-master").await;
    tenant.until("Service", "etl-master", "to be mended", |_| true).await;
    let note = json!({"metadata": {"labels": {"a": "b"}}});
    accepted("a label", admin.patch("SparkCluster", "etl", "", &note).await);
    tenant.wait_ready("SparkCluster", "etl").await;
    accepted("deletion", admin.delete("BatchJob", "held").await);

    tenant.patch("Domain", "v-frozen", json!({"spec": {"frozen": false}})).await;
    tenant
        .wait("the thaw", async || {
            admin.create("BatchJob", &workload("BatchJob", "new", &job)).await.ok()
        })
        .await;
    tenant.end();
}

/// A run that was admitted before the freeze and did not start: it waits.
#[tokio::test]
async fn what_has_not_started_waits() {
    let tenant = Tenant::ready("v-frost").await;
    let job = json!({"suspend": true, "container": {"image": "registry.example.com/dbt:1",
        "resources": {"cpu": "20m", "memory": "256Mi"}}});
    let object = workload("BatchJob", "later", &job);
    tenant.apply(&object.to_string()).await;
    tenant.wait_reason("BatchJob", "later", "Suspended").await;
    tenant.patch("Domain", "v-frost", json!({"spec": {"frozen": true}})).await;
    tenant.wait_ready("Domain", "v-frost").await;
    let url = crate::api::path("BatchJob", "v-frost", "later");
    let past = json!({"spec": {"suspend": false}});
    crate::cluster::request(tenant.api.past_policies(), "PATCH", &url, Some(&past)).await.unwrap();
    let message = tenant.wait_reason("BatchJob", "later", "DomainFrozen").await;
    assert!(message.contains("it starts when spec.frozen"), "{message}");
    tenant.patch("Domain", "v-frost", json!({"spec": {"frozen": false}})).await;
    tenant.wait_reason("BatchJob", "later", "Succeeded").await;
    tenant.end();
}
