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

pub async fn start(name: &str) -> (Tenant, Repository) {
    forget(&Api::new().await, name).await;
    (Tenant::new(name).await, Repository::new(&argocd().await.folder, name))
}

/// A manifest of the domain, with these annotations of Argo CD.
pub fn annotated(tenant: &Tenant, manifest: &str, annotations: &[(&str, &str)]) -> String {
    let mut object: Value = serde_yaml::from_str(&manifest.replace("NAME", &tenant.name)).unwrap();
    for (name, value) in annotations {
        object["metadata"]["annotations"][format!("argocd.argoproj.io/{name}")] = json!(value);
    }
    if object["kind"] != "Domain" {
        object["metadata"]["namespace"] = json!(tenant.name);
    }
    object.to_string()
}

/// A manifest of the domain, in this wave.
pub fn in_wave(tenant: &Tenant, manifest: &str, wave: &str) -> String {
    annotated(tenant, manifest, &[("sync-wave", wave)])
}

/// The Application, with Argo CD's finalizer: what it brought goes with it.
pub async fn follow(tenant: &Tenant, repository: &Repository) {
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

#[tokio::test]
async fn a_suspended_domain_holds_up_no_wave_and_git_can_resume_it() {
    let (tenant, repository) = start("g-rest").await;
    let domain = |is_suspended: bool| {
        let suspend = format!("spec:\n  suspend: {is_suspended}");
        in_wave(&tenant, &DOMAIN.replacen("spec:", &suspend, 1), "0")
    };
    let endpoint = in_wave(&tenant, ENDPOINT, "1");
    let asleep = repository.push(&[("domain.yaml", &domain(true)), ("endpoint.yaml", &endpoint)]);
    follow(&tenant, &repository).await;
    // The wave after it came, and says what becomes of the whole.
    let found = application(&tenant.api, &tenant.name, "to be Suspended", |it| {
        stands(it, &asleep, "Synced", "Suspended")
            && it["status"]["operationState"]["phase"] == "Succeeded"
    })
    .await;
    let (state, why) = health(&found, "Domain", &tenant.name);
    assert!(state == "Healthy" && why.starts_with("Suspended: "), "{state}: {why}");
    let awake = repository.push(&[("domain.yaml", &domain(false))]);
    application(&tenant.api, &tenant.name, "to go on", |it| {
        stands(it, &awake, "Synced", "Healthy")
    })
    .await;
    tenant.wait_ready("SqlEndpoint", "bi").await;
    tenant.end();
}

#[tokio::test]
async fn a_domain_goes_only_once_somebody_has_confirmed_it() {
    let (tenant, repository) = start("g-confirm").await;
    let guarded = [("sync-options", "Prune=confirm,Delete=confirm")];
    let domain = annotated(&tenant, DOMAIN, &guarded);
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "g-confirm", "namespace": "default"}});
    let commit = repository.push(&[("domain.yaml", &domain), ("other.yaml", &other.to_string())]);
    follow(&tenant, &repository).await;
    let at = |commit: &str| {
        let commit = commit.to_owned();
        move |it: &Value| stands(it, &commit, "Synced", "Healthy")
    };
    application(&tenant.api, &tenant.name, "to be Healthy", at(&commit)).await;
    let confirm = async || {
        let now = jiff::Timestamp::now().to_string();
        let now = json!({"argocd.argoproj.io/deletion-approved": now});
        let patch = json!({"metadata": {"annotations": now}});
        tenant.api.patch("Application", NAMESPACE, &tenant.name, patch).await;
    };
    let uid = async || {
        let domain = tenant.get("Domain", &tenant.name).await.expect("the Domain is there");
        assert_eq!(domain["metadata"]["deletionTimestamp"], Value::Null);
        domain["metadata"]["uid"].clone()
    };

    // Out of Git: the sync waits for somebody.
    let before = uid().await;
    let removed = repository.remove(&["domain.yaml"]);
    let asks =
        format!("Waiting for pruning confirmation of polder.dev/v1alpha1/Domain/{}", tenant.name);
    application(&tenant.api, &tenant.name, "to ask", |it| {
        let operation = &it["status"]["operationState"];
        operation["phase"] == "Running"
            && operation["message"].as_str().is_some_and(|it| it.contains(&asks))
    })
    .await;
    assert_eq!(uid().await, before);
    confirm().await;
    tenant.wait_gone("Domain", &tenant.name).await;
    application(&tenant.api, &tenant.name, "to be without it", at(&removed)).await;

    // With its Application: the deletion waits for somebody.
    let again = repository.push(&[("domain.yaml", &domain)]);
    application(&tenant.api, &tenant.name, "to be Healthy again", at(&again)).await;
    let before = uid().await;
    tenant.api.delete("Application", NAMESPACE, &tenant.name).await;
    let log = argocd().await.folder.join("controller.log");
    tenant
        .wait("Argo CD to ask", async || {
            let text = std::fs::read_to_string(&log).unwrap();
            let asks = |line: &str| {
                line.contains("requires manual confirmation to delete")
                    && line.contains(&tenant.name)
            };
            text.lines().any(asks).then_some(())
        })
        .await;
    assert_eq!(uid().await, before);
    confirm().await;
    tenant.wait_gone("Domain", &tenant.name).await;
    tenant
        .wait("the Application to go", async || {
            tenant.api.get("Application", NAMESPACE, &tenant.name).await.is_none().then_some(())
        })
        .await;
    tenant.end();
}
