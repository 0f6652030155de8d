//! What a user gets wrong that only other objects can tell: named, with what to do, and mended
//! without help.

use rstest::rstest;
use serde_json::json;

use crate::{
    api::condition,
    audit::Mark,
    manifests::{CLUSTER, ENDPOINT, JOB},
    tenant::Tenant,
};

#[rstest]
#[case::pods("p-pods", json!({"pods": "2"}), &["pods", "asks for 3 in all", "the domain has 2"])]
#[case::memory("p-memory", json!({"limits.memory": "3Gi"}), &["limits.memory", "asks for 5Gi in all", "the domain has 3Gi"])]
#[case::cpu("p-cpu", json!({"requests.cpu": "50m"}), &["requests.cpu", "asks for 60m in all", "the domain has 50m"])]
#[tokio::test]
async fn a_quota_too_small_is_named_and_more_of_it_helps(
    #[case] name: &str,
    #[case] hard: serde_json::Value,
    #[case] expected: &[&str],
) {
    let tenant = Tenant::new(name).await;
    let domain = "{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: NAME}, spec: {deletionPolicy: Delete, quota: {hard: HARD}}}";
    tenant.apply(&domain.replace("HARD", &hard.to_string())).await;
    tenant.wait_ready("Domain", name).await;
    tenant.apply(CLUSTER).await;
    let message = tenant.wait_reason("SparkCluster", "etl", "QuotaExceeded").await;
    for text in expected {
        assert!(message.contains(text), "{text}: {message}");
    }
    let more = json!({"pods": "20", "limits.memory": "20Gi", "requests.cpu": "20"});
    tenant.patch("Domain", name, json!({"spec": {"quota": {"hard": more}}})).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.end();
}

#[tokio::test]
async fn what_others_use_of_a_quota_is_told() {
    let tenant = Tenant::new("p-shared").await;
    tenant.apply("{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: NAME}, spec: {deletionPolicy: Delete, quota: {hard: {pods: 3}}}}").await;
    tenant.wait_ready("Domain", "p-shared").await;
    tenant.apply(ENDPOINT).await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    // The quota controller counts pods by a cache of its own: it may take back for a moment what admission
    // had counted, and then one pod too many is let in.
    tenant
        .until("ResourceQuota", "p-shared-quota", "to count the endpoint", |quota| {
            quota["status"]["used"]["pods"] == "1"
        })
        .await;
    tenant.apply(CLUSTER).await;
    let cluster = tenant
        .until("SparkCluster", "etl", "to say what is missing", |cluster| {
            let ready = condition(cluster, "Ready");
            ready["reason"] == "QuotaExceeded"
                && ready["message"]
                    .as_str()
                    .is_some_and(|it| it.contains("pods: asks for 1 more, 0 of 3 is free"))
        })
        .await;
    // Nobody need act: it may become free.
    assert_eq!(condition(&cluster, "Stalled")["status"], "False", "{cluster:#}");
    tenant.delete("SqlEndpoint", "bi").await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.end();
}

#[tokio::test]
async fn a_reference_to_no_cluster_is_told_and_the_cluster_may_come_later() {
    let tenant = Tenant::ready("p-reference").await;
    let on_cluster = |yaml: &str| {
        let lines = yaml.lines().map(|line| match line.split_once("executors:") {
            Some((indent, _)) => {
                format!("{indent}clusterRef: {{name: etl, executorMemory: 512Mi}}")
            }
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let mark = Mark::now();
    tenant.apply(&on_cluster(JOB)).await;
    tenant.apply(&on_cluster(ENDPOINT)).await;
    for (kind, name, field) in [
        ("BatchJob", "load", "spec.spark.clusterRef.name"),
        ("SqlEndpoint", "bi", "spec.clusterRef.name"),
    ] {
        let message = tenant.wait_reason(kind, name, "ClusterNotFound").await;
        assert!(message.contains(field) && message.contains("etl"), "{message}");
    }
    let made: Vec<_> = mark
        .writes_of("p-reference")
        .into_iter()
        .filter(|request| !request.resource.ends_with("/status"))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
    tenant.apply(CLUSTER).await;
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.end();
}

#[rstest]
#[case::node_pool("p-pool", json!({"driver": {"nodePool": "gpu"}}), "NodePoolNotFound", &["spec.driver.nodePool", "no node pool gpu", "nowhere"])]
#[case::catalog("p-catalog", json!({"catalogs": ["lake", "pond"]}), "CatalogNotFound", &["spec.catalogs[1]", "no catalog pond", "lake"])]
#[case::version("p-version", json!({"version": "1.6"}), "VersionUnknown", &["spec.version", "1.6"])]
#[case::catalog_conf("p-conf", json!({"sparkConf": {"spark.sql.catalog.lake.uri": "x"}}), "ReservedKey", &["spec.sparkConf[spark.sql.catalog.lake.uri]", "choose another name"])]
#[case::memory("p-little", json!({"driver": {"resources": {"memory": "100Mi"}}}), "TooLittleMemory", &["spec.driver.resources.memory", "100Mi is too little"])]
#[case::limit("p-limit", json!({"driver": {"resources": {"cpu": "9"}}}), "LimitExceeded", &["spec.driver.resources.cpu", "9 is more than the 8"])]
#[tokio::test]
async fn what_the_domain_does_not_have_is_told(
    #[case] name: &str,
    #[case] patch: serde_json::Value,
    #[case] reason: &str,
    #[case] expected: &[&str],
) {
    let tenant = Tenant::ready(name).await.past_policies();
    tenant.apply(&ENDPOINT.replace("spec:", "spec:\n  suspend: true")).await;
    tenant.wait_reason("SqlEndpoint", "bi", "Suspended").await;
    let mut spec = json!({"spec": patch});
    spec["spec"]["suspend"] = json!(false);
    tenant.patch("SqlEndpoint", "bi", spec).await;
    let message = tenant.wait_reason("SqlEndpoint", "bi", reason).await;
    for text in expected {
        assert!(message.contains(text), "{text}: {message}");
    }
    let object = tenant.get("SqlEndpoint", "bi").await.unwrap();
    assert_eq!(condition(&object, "Stalled")["status"], "True", "{object:#}");
    let mended = json!({"spec": {
        "catalogs": null, "version": null, "sparkConf": null,
        "driver": {"nodePool": null, "resources": {"cpu": "1", "memory": "2Gi"}},
    }});
    tenant.patch("SqlEndpoint", "bi", mended).await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.end();
}

#[tokio::test]
async fn a_workload_outside_of_any_domain_is_told_where_to_go() {
    let tenant = Tenant::new("p-homeless").await;
    tenant.apply("{apiVersion: v1, kind: Namespace, metadata: {name: NAME}}").await;
    let mark = Mark::now();
    for (yaml, kind, name) in [
        (CLUSTER, "SparkCluster", "etl"),
        (ENDPOINT, "SqlEndpoint", "bi"),
        (JOB, "BatchJob", "load"),
    ] {
        tenant.apply(yaml).await;
        let message = tenant.wait_reason(kind, name, "DomainNotFound").await;
        assert!(message.contains("make a Domain for it"), "{message}");
    }
    let made: Vec<_> = mark
        .writes_of("p-homeless")
        .into_iter()
        .filter(|request| !request.resource.ends_with("/status"))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
    tenant.delete("Namespace", "p-homeless").await;
    tenant.end();
}

#[rstest]
#[case::quota("p-unknown", json!({"quota": {"hard": {"unicorns": "3"}}}), "UnknownResource", "spec.quota.hard[unicorns]")]
#[case::limits("p-contradict", json!({"limits": {"default": {"cpu": "9"}}}), "LimitsContradict", "spec.limits.default[cpu]")]
#[tokio::test]
async fn a_slip_in_a_domain_is_told_and_what_is_there_stays(
    #[case] name: &str,
    #[case] patch: serde_json::Value,
    #[case] reason: &str,
    #[case] field: &str,
) {
    let tenant = Tenant::ready(name).await;
    let mark = Mark::now();
    tenant.patch("Domain", name, json!({"spec": patch})).await;
    let message = tenant.wait_reason("Domain", name, reason).await;
    assert!(message.contains(field), "{message}");
    let domain = tenant.get("Domain", name).await.unwrap();
    for type_ in ["NamespaceReady", "QuotaEnforced", "NetworkIsolated", "AccessGranted"] {
        assert_eq!(condition(&domain, type_)["status"], "True", "{type_}: {domain:#}");
    }
    let made: Vec<_> = mark
        .writes_of(name)
        .into_iter()
        .filter(|request| !request.resource.ends_with("/status"))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
    tenant.apply(crate::manifests::DOMAIN).await;
    tenant.patch("Domain", name, json!({"spec": {"quota": {"hard": {"unicorns": null}}}})).await;
    tenant.wait_ready("Domain", name).await;
    tenant.end();
}

#[tokio::test]
async fn a_reserved_namespace_is_refused() {
    let tenant = Tenant::new("polder-system-rival").await;
    tenant.apply("{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: NAME}, spec: {namespace: {name: polder-system}}}").await;
    let message = tenant.wait_reason("Domain", "polder-system-rival", "NamespaceReserved").await;
    assert!(message.contains("spec.namespace.name"), "{message}");
    tenant.end();
}
