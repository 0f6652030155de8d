//! Quotas: in force before anybody is let in, told with what is left, and waited for without asking.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::{Api, condition, documents, path},
    audit::{Mark, Request},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, JOB},
    tenant::Tenant,
};

const ROOM: &str = "polder.dev/room";
const LOW: &str = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: polder-test-low}, value: 10}";

/// A domain with a quota and nothing else, Ready.
async fn bounded(name: &str, quota: &Value) -> Tenant {
    let tenant = Tenant::new(name).await;
    let domain = json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "Domain", "metadata": {"name": name},
        "spec": {
            "deletionPolicy": "Delete",
            "quota": quota,
            "compute": {"nodePools": [{"name": "nowhere", "selector": {"example.com/there-is": "no-such-node"}}]},
        },
    });
    tenant.apply(&domain.to_string()).await;
    tenant.wait_ready("Domain", name).await;
    tenant
}

/// Creates an object of a domain as a user would; the refusal if there is one.
async fn create(tenant: &Tenant, yaml: &str) -> Result<Value, String> {
    let mut object = documents(yaml).remove(0);
    object["metadata"]["namespace"] = json!(tenant.name);
    let kind = object["kind"].as_str().unwrap().to_owned();
    tenant.api.send("POST", &path(&kind, &tenant.name, ""), Some(&object)).await
}

#[tokio::test]
async fn objects_of_our_kinds_are_counted() {
    let objects = json!({"objects": {"batchJobs": 1, "sparkClusters": 0, "sqlEndpoints": 5}});
    let tenant = bounded("q-objects", &objects).await;
    create(&tenant, HELD).await.unwrap();
    let refusal = create(&tenant, JOB).await.unwrap_err();
    for text in [
        "exceeded quota: q-objects-quota",
        "requested: count/batchjobs.polder.dev=1",
        "used: count/batchjobs.polder.dev=1",
        "limited: count/batchjobs.polder.dev=1",
    ] {
        assert!(refusal.contains(text), "{text}: {refusal}");
    }
    let refusal = create(&tenant, CLUSTER).await.unwrap_err();
    assert!(refusal.contains("limited: count/sparkclusters.polder.dev=0"), "{refusal}");
    create(&tenant, ENDPOINT).await.unwrap();
    let domain = tenant
        .until("Domain", "q-objects", "to count", |domain| {
            let quota = &domain["status"]["quota"];
            quota["used"]["count/batchjobs.polder.dev"] == "1"
                && quota["free"]["count/sqlendpoints.polder.dev"] == "4"
        })
        .await;
    assert_eq!(domain["status"]["quota"]["free"]["count/batchjobs.polder.dev"], "0");
    tenant.delete("BatchJob", "held").await;
    tenant.wait("the number to go down", async || create(&tenant, JOB).await.ok()).await;
    tenant.end();
}

#[tokio::test]
async fn every_quota_holds_before_anybody_is_let_in() {
    let tenant = Tenant::new("q-order").await;
    tenant.apply(LOW).await;
    let mark = Mark::now();
    let quota = r#"quota: {perPriority: [{priorityClass: polder-test-low, hard: {pods: "1"}}], "#;
    tenant.apply(&DOMAIN.replace("quota: {", quota)).await;
    let domain = tenant.wait_ready("Domain", "q-order").await;
    let told = &domain["status"]["quota"]["perPriority"][0];
    assert_eq!(told["free"]["pods"], "1", "{domain:#}");
    let made: Vec<Request> =
        mark.writes_of("q-order").into_iter().filter(|it| it.code < 400).collect();
    let at = |is_of: &dyn Fn(&&Request) -> bool| {
        let mut times: Vec<&String> = made.iter().filter(is_of).map(|it| &it.at).collect();
        times.sort();
        times
    };
    let quotas = at(&|it| it.resource == "resourcequotas");
    let bindings = at(&|it| it.resource == "rolebindings" && it.name != "polder-operator");
    assert_eq!(quotas.len(), 2, "{made:#?}");
    assert!(quotas.last() < bindings.first(), "{made:#?}");
    // Two members, two quotas, one limit range.
    let children = made.iter().filter(|it| !it.resource.starts_with("domains")).count();
    eprintln!(
        "writes from nothing to Ready with two quotas: {} and {children} children",
        made.len()
    );
    assert!(children <= 13, "{made:#?}");

    // What leaves the spec leaves the cluster, and the rest stays.
    tenant.apply(DOMAIN).await;
    tenant.wait_gone("ResourceQuota", "q-order-quota-polder-test-low").await;
    tenant.wait_ready("Domain", "q-order").await;
    assert!(tenant.get("ResourceQuota", "q-order-quota").await.is_some());
    tenant.end();
}

#[rstest]
#[case::size("q-size", json!({"class": "fast", "size": "1Gi"}), json!({"size": "2Gi"}), "fast.storageclass.storage.k8s.io/requests.storage: asks for 2Gi in all, the domain has 1Gi")]
#[case::claims("q-claims", json!({"class": "standard", "claims": 2}), json!({"claims": 3}), "standard.storageclass.storage.k8s.io/persistentvolumeclaims: asks for 3 in all, the domain has 2")]
#[tokio::test]
async fn volumes_that_do_not_fit_are_named_with_their_class(
    #[case] name: &str,
    #[case] bound: Value,
    #[case] more: Value,
    #[case] expected: &str,
) {
    let tenant = bounded(name, &json!({"storage": [bound]})).await;
    tenant.apply(CLUSTER).await;
    let message = tenant.wait_reason("SparkCluster", "etl", "QuotaExceeded").await;
    assert!(message.contains(expected), "{message}");
    let mut enough = bound.clone();
    enough.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tenant.patch("Domain", name, json!({"spec": {"quota": {"storage": [enough]}}})).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    // The volumes are there: they need no more room when the pods come back.
    tenant.patch("SparkCluster", "etl", json!({"spec": {"suspend": true}})).await;
    tenant.wait_reason("SparkCluster", "etl", "Suspended").await;
    tenant.patch("SparkCluster", "etl", json!({"spec": {"suspend": false}})).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.end();
}

/// How room appears.
#[derive(Clone, Copy, Debug)]
enum Room {
    AnotherGoes,
    MoreQuota,
}

#[rstest]
#[case::cluster_after_another("q-cluster-a", CLUSTER, ("SparkCluster", "etl", "Ready"), Room::AnotherGoes)]
#[case::cluster_with_more("q-cluster-m", CLUSTER, ("SparkCluster", "etl", "Ready"), Room::MoreQuota)]
#[case::endpoint_after_another("q-endpoint-a", ENDPOINT, ("SqlEndpoint", "bi", "Ready"), Room::AnotherGoes)]
#[case::endpoint_with_more("q-endpoint-m", ENDPOINT, ("SqlEndpoint", "bi", "Ready"), Room::MoreQuota)]
#[case::job_after_another("q-job-a", JOB, ("BatchJob", "load", "Succeeded"), Room::AnotherGoes)]
#[case::job_with_more("q-job-m", JOB, ("BatchJob", "load", "Succeeded"), Room::MoreQuota)]
#[tokio::test]
async fn what_waits_for_room_starts_when_it_appears(
    #[case] name: &str,
    #[case] waiting: &str,
    #[case] (kind, root, reason): (&str, &str, &str),
    #[case] room: Room,
) {
    let tenant = bounded(name, &json!({"hard": {"limits.memory": "5Gi"}})).await;
    tenant.apply(&HELD.replace("memory: 256Mi", "memory: 4608Mi")).await;
    let held = "app.kubernetes.io/instance=held";
    tenant.wait("the other's pod", async || tenant.list("Pod", held).await.pop()).await;
    tenant
        .until("Domain", name, "to see what the other uses", |domain| {
            domain["status"]["quota"]["free"]["limits.memory"] == "512Mi"
        })
        .await;
    tenant.apply(waiting).await;
    let message = tenant.wait_reason(kind, root, "QuotaExceeded").await;
    assert!(message.contains("limits.memory: asks for "), "{message}");
    assert!(message.contains("512Mi of 5Gi is free"), "{message}");
    let object = tenant.get(kind, root).await.unwrap();
    assert_eq!(condition(&object, "Stalled")["status"], "False", "{object:#}");
    let own = format!("app.kubernetes.io/instance={root}");
    assert_eq!(tenant.list("Pod", &own).await.len(), 0);
    for set in tenant.list("StatefulSet", &own).await {
        assert!(set["metadata"]["annotations"][ROOM].is_string(), "{set:#}");
    }
    if kind == "BatchJob" {
        assert_eq!(tenant.list("Job", &own).await.len(), 0, "its timeout would run already");
    }

    let mark = Mark::now();
    match room {
        Room::AnotherGoes => tenant.delete("BatchJob", "held").await,
        Room::MoreQuota => {
            let more = json!({"spec": {"quota": {"hard": {"limits.memory": "10Gi"}}}});
            tenant.patch("Domain", name, more).await;
        }
    }
    tenant.wait_reason(kind, root, reason).await;
    for set in tenant.list("StatefulSet", &own).await {
        assert!(set["metadata"]["annotations"][ROOM].is_null(), "{set:#}");
    }
    let asked: Vec<_> = mark
        .requests()
        .into_iter()
        .filter(|request| request.is_of(name) && !request.is_write())
        .collect();
    assert!(asked.is_empty(), "nothing is asked for what events tell: {asked:#?}");
    tenant.end();
}

#[tokio::test]
async fn pods_of_a_priority_class_have_a_bound_of_their_own() {
    let quota = |pods: &str| {
        json!({"hard": {"pods": "9"}, "perPriority": [
            {"priorityClass": "polder-test-low", "hard": {"pods": pods}}]})
    };
    Api::new().await.apply("", LOW).await;
    let tenant = bounded("q-priority", &quota("0")).await;
    let low = "driver: {priorityClass: polder-test-low, ";
    tenant.apply(&ENDPOINT.replace("driver: {", low)).await;
    let message = tenant.wait_reason("SqlEndpoint", "bi", "QuotaExceeded").await;
    let expected = "pods of priority class polder-test-low: asks for 1 in all, the domain has 0";
    assert!(message.contains(expected), "{message}");
    tenant.patch("Domain", "q-priority", json!({"spec": {"quota": quota("1")}})).await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    let used = |domain: &Value| {
        domain["status"]["quota"]["perPriority"][0]["free"]["pods"] == "0"
            && domain["status"]["quota"]["free"]["pods"] == "8"
    };
    tenant.until("Domain", "q-priority", "to tell both quotas", used).await;
    tenant.end();
}
