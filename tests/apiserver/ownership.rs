//! Who answers and who pays, on everything of a domain; a new cost centre restarts nothing.

use serde_json::{Value, json};

use crate::{
    api::CHILDREN,
    manifests::{CLUSTER, ENDPOINT, JOB, SCHEDULED, WORKLOADS},
    tenant::Tenant,
};

const COST_CENTER: &str = "polder.dev/cost-center";

fn is_of(object: &Value, cost_center: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    labels["polder.dev/team"] == "testers" && labels[COST_CENTER] == cost_center
}

/// Pods with their uids and restarts.
async fn pods(tenant: &Tenant) -> Vec<(String, Value)> {
    let pods = tenant.list("Pod", "polder.dev/domain=w-owner").await;
    let mut pods: Vec<_> = pods
        .into_iter()
        .map(|pod| (pod["metadata"]["uid"].as_str().unwrap().to_owned(), pod))
        .collect();
    pods.sort_by(|(one, _), (other, _)| one.cmp(other));
    pods
}

#[tokio::test]
async fn every_object_says_who_pays_and_a_new_one_restarts_nothing() {
    let tenant = Tenant::ready("w-owner").await;
    for yaml in [CLUSTER, ENDPOINT, JOB, SCHEDULED] {
        tenant.apply(yaml).await;
    }
    for (kind, name) in WORKLOADS {
        tenant.wait_ready(kind, name).await;
    }
    let domain = tenant.get("Domain", "w-owner").await.unwrap();
    let owner = json!({"team": "testers", "email": "testers@example.com", "costCenter": "4711"});
    assert_eq!(domain["status"]["owner"], owner, "{domain:#}");
    assert!(is_of(&tenant.get("Namespace", "w-owner").await.unwrap(), "4711"));
    let mut seen = 0;
    for kind in CHILDREN.iter().chain(&["Pod", "Secret"]) {
        for object in tenant.list(kind, "polder.dev/domain=w-owner").await {
            assert!(is_of(&object, "4711"), "{object:#}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} objects");

    let before = pods(&tenant).await;
    let of_domain = "polder.dev/domain=w-owner";
    tenant.patch("Domain", "w-owner", json!({"spec": {"owner": {"costCenter": "0815"}}})).await;
    // Claims of sets, and runs, stay as they were made.
    let is_run = |it: &Value| it["metadata"]["labels"]["app.kubernetes.io/instance"] == "load";
    for kind in CHILDREN.iter().filter(|kind| **kind != "PersistentVolumeClaim") {
        tenant
            .wait(&format!("every {kind} to have the new cost centre"), async || {
                let objects = tenant.list(kind, of_domain).await;
                objects.iter().all(|it| is_of(it, "0815") || is_run(it)).then_some(())
            })
            .await;
    }
    for (kind, name) in WORKLOADS {
        tenant.wait_ready(kind, name).await;
    }
    let sets = tenant.list("StatefulSet", of_domain).await;
    for set in &sets {
        assert_eq!(set["status"]["observedGeneration"], set["metadata"]["generation"], "{set:#}");
        assert_eq!(set["status"]["updateRevision"], set["status"]["currentRevision"], "{set:#}");
        assert_eq!(set["metadata"]["generation"], 1, "{set:#}");
    }
    assert_eq!(sets.len(), 3);
    let uids = |pods: &[(String, Value)]| pods.iter().map(|pod| pod.0.clone()).collect::<Vec<_>>();
    assert_eq!(uids(&pods(&tenant).await), uids(&before));

    // Pods that are replaced for another reason get it.
    let change = json!({"spec": {"sparkConf": {"spark.sql.shuffle.partitions": "7"}}});
    tenant.patch("SparkCluster", "etl", change).await;
    let cluster = "app.kubernetes.io/name=spark-cluster";
    tenant
        .wait("the cluster's pods to have it", async || {
            let pods = tenant.list("Pod", cluster).await;
            (pods.len() == 3 && pods.iter().all(|pod| is_of(pod, "0815"))).then_some(())
        })
        .await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let claims = tenant.list("PersistentVolumeClaim", cluster).await;
    assert!(claims.len() == 5 && claims.iter().all(|claim| is_of(claim, "4711")), "{claims:#?}");
    tenant.end();
}
