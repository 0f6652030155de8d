//! One Application that brings a Domain and, in a later wave, what lives in it.

use serde_json::{Value, json};

use super::{
    argocd::{NAMESPACE, application, argocd, forget, health, stands},
    repository::Repository,
};
use crate::{
    api::{Api, condition},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, JOB, SCHEDULED, WORKLOADS},
    tenant::Tenant,
};

/// How many times Argo CD looks anew in an hour.
const LOOKS_OF_AN_HOUR: usize = 20;

async fn start(name: &str) -> (Tenant, Repository) {
    forget(&Api::new().await, name).await;
    (Tenant::new(name).await, Repository::new(&argocd().await.folder, name))
}

/// A manifest of the domain, in this wave.
fn in_wave(tenant: &Tenant, manifest: &str, wave: &str) -> String {
    let mut object: Value = serde_yaml::from_str(&manifest.replace("NAME", &tenant.name)).unwrap();
    object["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": wave});
    if object["kind"] != "Domain" {
        object["metadata"]["namespace"] = json!(tenant.name);
    }
    object.to_string()
}

/// The Application, with Argo CD's finalizer: what it brought goes with it.
async fn follow(tenant: &Tenant, repository: &Repository) {
    let wanted = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": tenant.name, "namespace": NAMESPACE,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": repository.url(), "path": ".", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc"},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 0},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    });
    tenant.api.apply(NAMESPACE, &wanted.to_string()).await;
}

#[tokio::test]
async fn one_sync_brings_a_domain_and_its_workloads_and_then_there_is_no_difference() {
    let (tenant, repository) = start("g-waves").await;
    let retained = DOMAIN.replace("deletionPolicy: Delete", "deletionPolicy: Retain");
    let commit = repository.push(&[
        ("domain.yaml", &in_wave(&tenant, &retained, "0")),
        ("cluster.yaml", &in_wave(&tenant, CLUSTER, "1")),
        ("endpoint.yaml", &in_wave(&tenant, ENDPOINT, "1")),
        ("job.yaml", &in_wave(&tenant, JOB, "1")),
        ("nightly.yaml", &in_wave(&tenant, SCHEDULED, "1")),
    ]);
    follow(&tenant, &repository).await;
    let synced = application(&tenant.api, &tenant.name, "to be Healthy", |it| {
        stands(it, &commit, "Synced", "Healthy")
            && it["status"]["operationState"]["phase"] == "Succeeded"
    })
    .await;
    assert_eq!(synced["status"]["history"].as_array().unwrap().len(), 1, "{synced:#}");
    assert_eq!(synced["status"]["operationState"]["retryCount"].as_u64().unwrap_or(0), 0);
    for (kind, name) in [("Domain", tenant.name.as_str())].into_iter().chain(WORKLOADS) {
        assert_eq!(health(&synced, kind, name).0, "Healthy", "{kind} {name}: {synced:#}");
        tenant.wait_ready(kind, name).await;
    }

    // Every look compares anew, and finds nothing to do.
    let generation = |object: Option<Value>| object.unwrap()["metadata"]["generation"].clone();
    let before = generation(tenant.get("SparkCluster", "etl").await);
    let mut last = synced;
    for _ in 0..LOOKS_OF_AN_HOUR {
        let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
        tenant.api.patch("Application", NAMESPACE, &tenant.name, refresh).await;
        let seen = last["status"]["reconciledAt"].clone();
        last = application(&tenant.api, &tenant.name, "to be looked at anew", |it| {
            it["status"]["reconciledAt"] != seen
        })
        .await;
        assert!(stands(&last, &commit, "Synced", "Healthy"), "{last:#}");
    }
    assert_eq!(last["status"]["history"].as_array().unwrap().len(), 1, "{last:#}");
    assert_eq!(generation(tenant.get("SparkCluster", "etl").await), before);

    // Nothing that the operator made is the Application's.
    let resources = last["status"]["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 1 + WORKLOADS.len(), "{resources:#?}");
    let namespace = tenant.get("Namespace", &tenant.name).await.unwrap();
    assert!(!namespace.to_string().contains("argocd.argoproj.io"), "{namespace:#}");

    // The whole of it goes, and the data stays.
    tenant.api.delete("Application", NAMESPACE, &tenant.name).await;
    tenant.wait_gone("Domain", &tenant.name).await;
    tenant
        .wait("the Application to go", async || {
            tenant.api.get("Application", NAMESPACE, &tenant.name).await.is_none().then_some(())
        })
        .await;
    let namespace = tenant.get("Namespace", &tenant.name).await.unwrap();
    assert_eq!(namespace["metadata"]["deletionTimestamp"], Value::Null);
    let claims = tenant.list("PersistentVolumeClaim", "").await;
    assert!(
        !claims.is_empty() && claims.iter().all(|it| it["metadata"]["deletionTimestamp"].is_null())
    );
    tenant.end();
}

#[tokio::test]
async fn a_domain_that_is_to_go_with_everything_goes_with_its_application() {
    let (tenant, repository) = start("g-delete").await;
    let commit = repository.push(&[
        ("domain.yaml", &in_wave(&tenant, DOMAIN, "0")),
        ("cluster.yaml", &in_wave(&tenant, CLUSTER, "1")),
    ]);
    follow(&tenant, &repository).await;
    application(&tenant.api, &tenant.name, "to be Healthy", |it| {
        stands(it, &commit, "Synced", "Healthy")
    })
    .await;

    // What nobody may do stays undone, and is told; what runs goes on.
    let wrong = DOMAIN.replace("pods: \"100\"", "pods: \"many\"");
    let broken = repository.push(&[("domain.yaml", &in_wave(&tenant, &wrong, "0"))]);
    let failed = application(&tenant.api, &tenant.name, "to have failed", |it| {
        let operation = &it["status"]["operationState"];
        operation["syncResult"]["revision"] == broken && operation["phase"] == "Failed"
    })
    .await;
    assert_eq!(failed["status"]["sync"]["status"], "OutOfSync", "{failed:#}");
    let message = failed["status"]["operationState"].to_string();
    assert!(message.contains("many"), "{message}");
    let ready = tenant.get("SparkCluster", "etl").await.unwrap();
    assert_eq!(condition(&ready, "Ready")["status"], "True", "{ready:#}");

    tenant.api.delete("Application", NAMESPACE, &tenant.name).await;
    tenant.wait_gone("Domain", &tenant.name).await;
    tenant.wait_gone("Namespace", &tenant.name).await;
    tenant.end();
}
