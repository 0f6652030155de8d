//! The end of a domain, with everything running, under both policies.

use serde_json::{Value, json};

use crate::{
    api::condition,
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
    // Who looks for the Domain finds word of it.
    let note = kept["metadata"]["annotations"]["polder.dev/retained"].as_str().unwrap();
    for text in ["Domain d-retain was deleted", "5 volume claims", "1 SparkClusters", "3 BatchJobs"]
    {
        assert!(note.contains(text), "{text}: {note}");
    }
    tenant
        .wait("an event in the namespace", async || {
            let events = tenant.list("Event", "").await;
            let is_word = |event: &&Value| event["reason"] == "Retained" && event["note"] == note;
            events.iter().find(is_word).map(|_| ())
        })
        .await;
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
    let namespace = tenant.get("Namespace", "d-retain").await.unwrap();
    for place in ["labels", "annotations"] {
        assert!(namespace["metadata"][place]["polder.dev/retained"].is_null(), "{namespace:#}");
    }
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

/// Adds a finalizer to those that an object has, or takes it off again.
async fn hold(tenant: &Tenant, kind: &str, name: &str, is_held: bool) {
    const HOLD: &str = "example.com/hold";
    let object = tenant.get(kind, name).await.unwrap();
    let mut finalizers = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    finalizers.retain(|finalizer| finalizer != HOLD);
    finalizers.extend(is_held.then(|| json!(HOLD)));
    tenant.patch(kind, name, json!({"metadata": {"finalizers": finalizers}})).await;
}

/// Waits until a Domain's condition Ready has this reason, and its message these texts.
async fn told(tenant: &Tenant, reason: &str, texts: &[&str]) {
    let is_told = |domain: &Value| {
        let ready = condition(domain, "Ready");
        let message = ready["message"].as_str().unwrap_or_default();
        ready["reason"] == reason && texts.iter().all(|text| message.contains(text))
    };
    tenant.until("Domain", &tenant.name, &format!("to say {reason} {texts:?}"), is_told).await;
}

#[tokio::test]
async fn a_pod_that_others_hold_is_named_until_they_let_it_go() {
    let tenant = Tenant::ready("d-held").await;
    tenant.apply(HELD).await;
    let held = "app.kubernetes.io/instance=held";
    let pod = tenant.wait("a run", async || tenant.list("Pod", held).await.pop()).await;
    let pod = pod["metadata"]["name"].as_str().unwrap();
    // On a node that nobody has: a simulated kubelet would not heed finalizers, and the garbage
    // collector of pods takes one without a node for failed.
    tenant.bind(pod, "nowhere").await;
    hold(&tenant, "Pod", pod, true).await;
    let spec = json!({"spec": {"suspend": true, "deletionPolicy": "Retain"}});
    tenant.patch("Domain", "d-held", spec).await;
    let words = [&format!("Pod {pod} (finalizer example.com/hold)"), "whoever set the finalizer"];
    told(&tenant, "Suspending", &words).await;
    tenant.delete("Domain", "d-held").await;
    told(&tenant, "DeletionBlocked", &words).await;
    let finalizers = tenant.get("Pod", pod).await.unwrap()["metadata"]["finalizers"].clone();
    assert!(finalizers.to_string().contains("example.com/hold"), "{finalizers}");
    hold(&tenant, "Pod", pod, false).await;
    tenant.wait_gone("Domain", "d-held").await;
    let namespace = tenant.get("Namespace", "d-held").await.unwrap();
    let note = namespace["metadata"]["annotations"]["polder.dev/retained"].as_str().unwrap();
    assert!(note.contains("no volumes") && note.contains("1 BatchJobs"), "{note}");

    // Who takes the label away has taken the namespace back.
    let label = json!({"metadata": {"labels": {"polder.dev/domain": null}}});
    tenant.patch("Namespace", "d-held", label).await;
    tenant.apply(DOMAIN).await;
    tenant.wait_reason("Domain", "d-held", "NamespaceExists").await;
    let label = json!({"metadata": {"labels": {"polder.dev/domain": "d-held"}}});
    tenant.patch("Namespace", "d-held", label).await;
    tenant.wait_ready("Domain", "d-held").await;
    tenant.end();
}

#[tokio::test]
async fn what_blocks_the_end_of_a_namespace_is_told() {
    let tenant = Tenant::new("d-blocked").await;
    tenant.apply(&format!("{DOMAIN}{WAREHOUSE}")).await;
    tenant.wait_ready("Domain", "d-blocked").await;
    tenant.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs}, data: {a: b}}").await;
    hold(&tenant, "ConfigMap", "theirs", true).await;
    hold(&tenant, "PersistentVolumeClaim", "d-blocked-warehouse", true).await;
    tenant.delete("Domain", "d-blocked").await;
    let claim = "PersistentVolumeClaim d-blocked-warehouse (finalizer example.com/hold)";
    told(&tenant, "DeletionBlocked", &[claim, "example.com/hold in 2 resource instances"]).await;
    // Of what is not watched, Kubernetes says how much there is.
    hold(&tenant, "PersistentVolumeClaim", "d-blocked-warehouse", false).await;
    let rest = ["configmaps. has 1 resource instances", "example.com/hold in 1 resource instances"];
    told(&tenant, "DeletionBlocked", &rest).await;
    hold(&tenant, "ConfigMap", "theirs", false).await;
    tenant.wait_gone("Domain", "d-blocked").await;
    assert!(tenant.get("Namespace", "d-blocked").await.is_none());
    tenant.end();
}

/// A domain in use keeps its namespace when its label goes astray. One that an administrator marks as
/// another's is let go, and taken up again when the label is back.
#[tokio::test]
async fn a_label_that_is_taken_off_later_or_changed_holds() {
    let tenant = Tenant::ready("d-label").await;
    let label = |value: Value| json!({"metadata": {"labels": {"polder.dev/domain": value}}});
    // Past the policies, as whoever breaks the glass can. The operator's own account is kept out
    // of namespaces without the label.
    tenant.patch("Namespace", "d-label", label(Value::Null)).await;
    let message = tenant.wait_reason("Domain", "d-label", "Rejected").await;
    let todo = "an administrator hands it over with the label polder.dev/domain=d-label";
    assert!(message.contains(todo), "{message}");
    tenant.patch("Namespace", "d-label", label(json!("d-label"))).await;
    tenant.wait_ready("Domain", "d-label").await;
    tenant.patch("Namespace", "d-label", label(json!("another"))).await;
    let message = tenant.wait_reason("Domain", "d-label", "NamespaceExists").await;
    assert!(message.contains("marked as Domain another's"), "{message}");
    tenant.patch("Namespace", "d-label", label(json!("d-label"))).await;
    tenant.wait_ready("Domain", "d-label").await;
    tenant.end();
}
