//! What lets Argo CD bring the domain's workloads from Git: a project that is fenced to the domain's
//! namespace and to Polder's kinds, and one Application in it.
//!
//! The Application carries no finalizer of Argo CD's: when it goes, with the Domain or with
//! `spec.gitops`, the workloads stay, and what becomes of them is for `deletionPolicy` to say.
//! Source: <https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/>

use kube::Resource;
use serde_json::{Value, json};

use crate::{
    api::{BatchJob, GROUP, SparkCluster, SqlEndpoint, gitops::ArgoCd},
    build::types,
    engine::{Child, ObjectKey, ResourceType, Served},
};

use super::super::{OperatorIdentity, Resolved, plan::rank, scope::Scope};

/// Role of both objects.
pub const GITOPS: &str = "gitops";
/// The cluster that Argo CD runs in, as it calls it.
const THIS_CLUSTER: &str = "https://kubernetes.default.svc";

/// The Application of a domain, whether it is wanted or not.
pub fn application_key(scope: &Scope<'_>, operator: &OperatorIdentity) -> ObjectKey {
    let namespace = operator.argocd_namespace.as_str();
    ObjectKey::namespaced(types::APPLICATION, namespace, scope.child(GITOPS))
}

/// The project and the Application, where they are asked for and the cluster has their types.
/// Nothing comes from Git before everything that bounds it is in force.
pub fn children(scope: &Scope<'_>, resolved: &Resolved, operator: &OperatorIdentity) -> Vec<Child> {
    let Some(gitops) = scope.spec.gitops.as_ref().filter(|_| resolved.argocd == Served::Yes) else {
        return Vec::new();
    };
    let object = |resource: ResourceType, rank: u8, spec: Value| {
        let mut metadata = scope.identity().meta(&scope.child(GITOPS), GITOPS);
        metadata.namespace = Some(operator.argocd_namespace.clone());
        let object = json!({
            "apiVersion": resource.api_version(),
            "kind": resource.kind,
            "metadata": metadata,
            "spec": spec,
        });
        Child::new(resource, rank, &object)
    };
    vec![
        object(types::APP_PROJECT, rank::CONTENTS, project(scope, &gitops.argocd)),
        object(types::APPLICATION, rank::ACCESS, application(scope, &gitops.argocd)),
    ]
}

/// Without a list of cluster-scoped kinds, none is allowed.
fn project(scope: &Scope<'_>, source: &ArgoCd) -> Value {
    let ours = [SparkCluster::kind(&()), SqlEndpoint::kind(&()), BatchJob::kind(&())];
    let mut kinds: Vec<Value> =
        ours.iter().map(|kind| json!({"group": GROUP, "kind": kind})).collect();
    // Scripts and queries of jobs.
    kinds.push(json!({"group": "", "kind": "ConfigMap"}));
    json!({
        "description": format!("Workloads of domain {}. Made by Polder from its Domain.", scope.name),
        "sourceRepos": [source.repo],
        "destinations": [{"server": THIS_CLUSTER, "namespace": scope.namespace}],
        "namespaceResourceWhitelist": kinds,
    })
}

/// With server-side apply, a field that a schema does not know is refused; else Kubernetes drops it,
/// and Argo CD sees a difference for ever. A commit that fails is tried again twice: while it
/// is, Argo CD does not look at the next one.
fn application(scope: &Scope<'_>, source: &ArgoCd) -> Value {
    json!({
        "project": scope.child(GITOPS),
        "source": {
            "repoURL": source.repo,
            "path": source.path.as_deref().unwrap_or("."),
            "targetRevision": source.revision.as_deref().unwrap_or("HEAD"),
        },
        "destination": {"server": THIS_CLUSTER, "namespace": scope.namespace},
        "syncPolicy": {
            "automated": {"prune": true, "selfHeal": true},
            "syncOptions": ["ServerSideApply=true"],
            "retry": {"limit": 2, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"}},
        },
    })
}
