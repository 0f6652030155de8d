//! The end of a domain, with everything running, under both policies.

use serde_json::{Value, json};

use crate::{
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, JOB, SCHEDULED, WAREHOUSE},
    tenant::Tenant,
};

async fn busy(name: &str) -> Tenant {
    let tenant = Tenant::ready(name).await;
    for yaml in [CLUSTER, ENDPOINT, JOB, SCHEDULED, HELD] {
        tenant.apply(yaml).await;
    }
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.wait_ready("BatchJob", "nightly").await;
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
    let held = "app.kubernetes.io/instance=held";
    tenant.wait("a run", async || tenant.list("Pod", held).await.pop()).await;
    tenant
}

async fn names(tenant: &Tenant, kind: &str) -> Vec<String> {
    let objects = tenant.list(kind, "").await;
    let mut names: Vec<String> = objects
        .iter()
        .filter(|object| object["metadata"]["deletionTimestamp"].is_null())
        .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn under_delete_nothing_stays() {
    let tenant = busy("d-delete").await;
    tenant.delete("Domain", "d-delete").await;
    tenant.wait_gone("Domain", "d-delete").await;
    assert!(
        tenant.get("Namespace", "d-delete").await.is_none(),
        "the namespace outlived its domain"
    );
    // The name is free again.
    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", "d-delete").await;
    tenant.end();
}

#[tokio::test]
async fn under_retain_data_stays_and_the_same_domain_takes_it_up() {
    let tenant = busy("d-retain").await;
    tenant.patch("Domain", "d-retain", json!({"spec": {"deletionPolicy": "Retain"}})).await;
    tenant.wait_ready("Domain", "d-retain").await;
    let namespace = tenant.get("Namespace", "d-retain").await.unwrap();
    let volumes = names(&tenant, "PersistentVolumeClaim").await;
    let last_run = |job: &Value| job["status"]["lastRun"]["name"].clone();
    let load = last_run(&tenant.get("BatchJob", "load").await.unwrap());

    tenant.delete("Domain", "d-retain").await;
    tenant.wait_gone("Domain", "d-retain").await;
    let kept = tenant.get("Namespace", "d-retain").await.expect("the namespace is kept");
    assert_eq!(kept["metadata"]["uid"], namespace["metadata"]["uid"]);
    assert!(kept["metadata"]["deletionTimestamp"].is_null(), "{kept:#}");
    assert_eq!(names(&tenant, "PersistentVolumeClaim").await, volumes);
    let running: Vec<Value> = tenant
        .list("Pod", "")
        .await
        .into_iter()
        .filter(|pod| !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")))
        .collect();
    assert!(running.is_empty(), "{running:#?}");
    // Nobody is left with a key: members, drivers and the operator itself are out.
    tenant
        .wait("all bindings to go", async || {
            names(&tenant, "RoleBinding").await.is_empty().then_some(())
        })
        .await;

    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", "d-retain").await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    assert_eq!(names(&tenant, "PersistentVolumeClaim").await, volumes);
    let job = tenant.wait_ready("BatchJob", "load").await;
    assert_eq!(last_run(&job), load, "an unchanged job ran again");
    tenant.end();
}

#[tokio::test]
async fn a_shared_volume_outlives_its_domain() {
    let tenant = Tenant::new("d-shared").await;
    let domain = format!("{}{WAREHOUSE}", DOMAIN.replace("Policy: Delete", "Policy: Retain"));
    tenant.apply(&domain).await;
    tenant.wait_ready("Domain", "d-shared").await;
    let claim = tenant.get("PersistentVolumeClaim", "d-shared-warehouse").await.unwrap();
    tenant.delete("Domain", "d-shared").await;
    tenant.wait_gone("Domain", "d-shared").await;
    tenant.apply(&domain).await;
    tenant.wait_ready("Domain", "d-shared").await;
    let after = tenant.get("PersistentVolumeClaim", "d-shared-warehouse").await.unwrap();
    assert_eq!(after["metadata"]["uid"], claim["metadata"]["uid"]);
    assert!(after["metadata"]["deletionTimestamp"].is_null(), "{after:#}");
    tenant.end();
}

#[tokio::test]
async fn a_root_takes_its_children_along_and_leaves_its_volumes() {
    let tenant = busy("d-roots").await;
    let claims = names(&tenant, "PersistentVolumeClaim").await;
    for (kind, name) in [
        ("SparkCluster", "etl"),
        ("SqlEndpoint", "bi"),
        ("BatchJob", "load"),
        ("BatchJob", "nightly"),
        ("BatchJob", "held"),
    ] {
        tenant.delete(kind, name).await;
        tenant.wait_gone(kind, name).await;
    }
    for kind in ["StatefulSet", "Service", "Job", "CronJob", "PodDisruptionBudget", "Pod"] {
        tenant
            .wait(&format!("every {kind} to go"), async || {
                names(&tenant, kind).await.is_empty().then_some(())
            })
            .await;
    }
    // The default of a cluster is to keep its volumes.
    assert_eq!(names(&tenant, "PersistentVolumeClaim").await, claims);
    // The same cluster again finds them.
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    assert_eq!(names(&tenant, "PersistentVolumeClaim").await, claims);
    tenant.end();
}

#[tokio::test]
async fn volumes_of_a_cluster_go_with_it_where_asked_for() {
    let tenant = Tenant::ready("d-volumes").await;
    tenant.apply(CLUSTER).await;
    tenant.patch("SparkCluster", "etl", json!({"spec": {"deletionPolicy": "Delete"}})).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.delete("SparkCluster", "etl").await;
    tenant
        .wait("the volumes to go", async || {
            let claims = names(&tenant, "PersistentVolumeClaim").await;
            claims.is_empty().then_some(())
        })
        .await;
    tenant.end();
}

#[tokio::test]
async fn a_namespace_that_somebody_deletes_comes_back() {
    let tenant = Tenant::ready("d-namespace").await;
    let uid = tenant.get("Namespace", "d-namespace").await.unwrap()["metadata"]["uid"].clone();
    tenant.delete("Namespace", "d-namespace").await;
    tenant
        .until("Namespace", "d-namespace", "to be made anew", |namespace| {
            namespace["metadata"]["uid"] != uid
        })
        .await;
    tenant.wait_ready("Domain", "d-namespace").await;
    tenant.end();
}
