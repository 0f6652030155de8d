//! The project and Application that Polder makes for a team whose Domain has `spec.gitops`.

use serde_json::{Value, json};

use super::{
    argocd::{NAMESPACE, application, argocd, forget, health, stands},
    repository::Repository,
};
use crate::{
    api::{Api, condition},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, JOB},
    tenant::Tenant,
};

/// A domain whose workloads come from a repository, and an Application that follows it.
struct Team {
    tenant: Tenant,
    repository: Repository,
    name: String,
}

impl Team {
    async fn new(name: &str) -> Self {
        let application = format!("{name}-gitops");
        forget(&Api::new().await, &application).await;
        let tenant = Tenant::new(name).await;
        let repository = Repository::new(&argocd().await.folder, name);
        Self { tenant, repository, name: application }
    }

    fn domain(&self, policy: &str) -> String {
        let source = json!({"argocd": {"repo": self.repository.url(), "revision": "main"}});
        let domain = DOMAIN.replace("deletionPolicy: Delete", &format!("deletionPolicy: {policy}"));
        format!("{domain}  gitops: {source}\n")
    }

    /// Has Argo CD look at Git now, and waits until the Application is as it should be.
    async fn application(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        application(&self.tenant.api, &self.name, what, is_so).await
    }

    /// Pushes, and waits until the Application stands there with this health.
    async fn pushed(&self, files: &[(&str, &str)], expected: &str) -> Value {
        let commit = self.repository.push(files);
        let what = format!("to be Synced and {expected}");
        self.application(&what, |it| stands(it, &commit, "Synced", expected)).await
    }

    /// Waits until the Domain's `GitOpsReady` has this reason, and this in its message.
    async fn told(&self, reason: &str, words: &str) {
        let what = format!("to have GitOpsReady {reason}: {words}");
        let is_so = |domain: &Value| {
            let found = condition(domain, "GitOpsReady");
            found["reason"] == reason && found["message"].as_str().unwrap().contains(words)
        };
        self.tenant.until("Domain", &self.tenant.name, &what, is_so).await;
    }

    /// Pushes what Argo CD refuses, waits until that is told, and returns in which words.
    async fn refused(&self, files: &[(&str, &str)]) -> String {
        let commit = self.repository.push(files);
        let failed = self
            .application("to have failed", |it| {
                let operation = &it["status"]["operationState"];
                operation["syncResult"]["revision"] == commit && operation["phase"] == "Failed"
            })
            .await;
        self.told("SyncFailed", "says Argo CD").await;
        failed["status"]["operationState"].to_string()
    }
}

#[tokio::test]
async fn health_is_that_of_the_object_through_its_life() {
    let team = Team::new("g-life").await;
    team.repository.push(&[("endpoint.yaml", ENDPOINT), ("cluster.yaml", CLUSTER)]);
    team.tenant.apply(&team.domain("Delete")).await;
    team.application("to be Healthy", |it| it["status"]["health"]["status"] == "Healthy").await;
    team.told("Synced", "health: Healthy").await;
    team.tenant.wait_ready("Domain", &team.tenant.name).await;

    // Suspended: each kind that can be.
    let suspended = |manifest: &str| manifest.replace("spec:", "spec:\n  suspend: true");
    let (cluster, endpoint) = (suspended(CLUSTER), suspended(ENDPOINT));
    let found =
        team.pushed(&[("endpoint.yaml", &endpoint), ("cluster.yaml", &cluster)], "Suspended").await;
    assert_eq!(health(&found, "SparkCluster", "etl").0, "Suspended");
    assert_eq!(health(&found, "SqlEndpoint", "bi").0, "Suspended");
    team.pushed(&[("endpoint.yaml", ENDPOINT), ("cluster.yaml", CLUSTER)], "Healthy").await;

    // Progressing: a run that goes on.
    let found = team.pushed(&[("job.yaml", HELD)], "Progressing").await;
    let (_, why) = health(&found, "BatchJob", "held");
    assert!(!why.is_empty(), "{found:#}");

    // What the admission policies refuse, in their words.
    let nowhere = HELD.replace("nowhere", "nowere");
    let message = team.refused(&[("job.yaml", &nowhere)]).await;
    assert!(message.contains("this domain has no node pool nowere"), "{message}");

    // Degraded: what somebody has to mend, in the operator's words.
    let big = CLUSTER.replace("etl", "big").replace("replicas: 2", "replicas: 6");
    let big = big.replace("memory: 2Gi", "memory: 31Gi");
    let found = team.pushed(&[("job.yaml", &big)], "Degraded").await;
    let (_, why) = health(&found, "SparkCluster", "big");
    assert!(why.starts_with("QuotaExceeded: ") && why.contains("limits.memory"), "{why}");

    // Healthy: a run that succeeded.
    team.pushed(&[("job.yaml", JOB)], "Healthy").await;
    team.tenant.end();
}

#[tokio::test]
async fn a_team_is_held_to_its_namespace_and_kinds() {
    let team = Team::new("g-fence").await;
    let good = team.repository.push(&[("cluster.yaml", CLUSTER)]);
    team.tenant.apply(&team.domain("Retain")).await;
    team.application("to be Healthy", |it| stands(it, &good, "Synced", "Healthy")).await;

    let message = team
        .refused(&[
            ("kind.yaml", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: more}}"),
            ("cluster-scoped.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: g-more}}"),
            (
                "elsewhere.yaml",
                "{apiVersion: v1, kind: ConfigMap, metadata: {name: more, namespace: default}}",
            ),
        ])
        .await;
    for expected in [
        ":ServiceAccount is not permitted in project",
        ":Namespace is not permitted in project",
        "namespace default is not permitted in project",
    ] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    team.repository.remove(&["kind.yaml", "cluster-scoped.yaml", "elsewhere.yaml"]);

    // What the schema refuses, in our words; what runs goes on as it was.
    let before = team.tenant.get("SparkCluster", "etl").await.unwrap();
    let wrong = CLUSTER.replace("size: 1Gi, class: fast", "size: much, class: fast");
    let message = team.refused(&[("cluster.yaml", &wrong)]).await;
    assert!(message.contains("size") && message.contains("much"), "{message}");
    let after = team.tenant.get("SparkCluster", "etl").await.unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(condition(&after, "Ready")["status"], "True", "{after:#}");
    let domain = team.tenant.get("Domain", &team.tenant.name).await.unwrap();
    assert_eq!(condition(&domain, "Ready")["status"], "True", "{domain:#}");
    let typo = CLUSTER.replace("replicas: 2", "replicas: 2\n    replica: 3");
    team.repository.push(&[("cluster.yaml", &typo)]);
    team.told("ComparisonError", "replica: field not declared in schema").await;
    team.pushed(&[("cluster.yaml", CLUSTER), ("endpoint.yaml", ENDPOINT)], "Healthy").await;
    team.told("Synced", "health: Healthy").await;

    // Self-heal, of the workload and of the Application itself.
    let by_hand = json!({"spec": {"executors": {"max": 1}}});
    team.tenant.patch("SqlEndpoint", "bi", by_hand).await;
    team.tenant
        .until("SqlEndpoint", "bi", "to be as in Git", |it| it["spec"]["executors"]["max"] == 2)
        .await;
    let elsewhere = json!({"spec": {"source": {"targetRevision": "other"}}});
    team.tenant.api.patch("Application", NAMESPACE, &team.name, elsewhere).await;
    team.application("to be as its Domain says", |it| {
        it["spec"]["source"]["targetRevision"] == "main"
    })
    .await;

    // Prune.
    team.repository.remove(&["endpoint.yaml"]);
    team.tenant.wait_gone("SqlEndpoint", "bi").await;

    // Without the field, the team's workloads stay.
    team.tenant.patch("Domain", &team.tenant.name, json!({"spec": {"gitops": null}})).await;
    for kind in ["Application", "AppProject"] {
        team.tenant
            .wait(&format!("{kind} to go"), async || {
                team.tenant.api.get(kind, NAMESPACE, &team.name).await.is_none().then_some(())
            })
            .await;
    }
    team.tenant.apply(&team.domain("Retain")).await;
    team.application("to be Healthy", |it| it["status"]["health"]["status"] == "Healthy").await;
    let same = team.tenant.get("SparkCluster", "etl").await.unwrap();
    assert_eq!(same["metadata"]["uid"], before["metadata"]["uid"]);

    // The Domain goes, and takes them with it; the workloads are kept.
    team.tenant.delete("Domain", &team.tenant.name).await;
    team.tenant.wait_gone("Domain", &team.tenant.name).await;
    let same = team.tenant.get("SparkCluster", "etl").await.unwrap();
    assert_eq!(same["metadata"]["uid"], before["metadata"]["uid"]);
    team.tenant
        .wait("the project to go", async || {
            team.tenant.api.get("AppProject", NAMESPACE, &team.name).await.is_none().then_some(())
        })
        .await;
    assert!(team.tenant.api.get("Application", NAMESPACE, &team.name).await.is_none());
    team.tenant.end();
}

#[tokio::test]
async fn an_application_of_somebody_else_stays_theirs() {
    let team = Team::new("g-clash").await;
    let theirs = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": team.name, "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "source": {"repoURL": team.repository.url(), "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
        },
    });
    team.repository.push(&[("cluster.yaml", CLUSTER)]);
    let made = team.tenant.api.apply(NAMESPACE, &theirs.to_string()).await.remove(0);
    team.tenant.apply(&team.domain("Delete")).await;
    team.told("Conflict", &team.name).await;
    let is = team.tenant.api.get("Application", NAMESPACE, &team.name).await.unwrap();
    assert_eq!((&is["metadata"]["uid"], &is["spec"]), (&made["metadata"]["uid"], &made["spec"]));
    team.tenant.delete("Domain", &team.tenant.name).await;
    team.tenant.wait_gone("Domain", &team.tenant.name).await;
    team.tenant.api.delete("Application", NAMESPACE, &team.name).await;
    team.tenant.end();
}
