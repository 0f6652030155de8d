//! What has become of the workloads in Git, as far as Argo CD says.

use serde::Deserialize;

use crate::{
    build::types,
    engine::{Record, Report, Served},
};

use super::{
    super::{Resolved, scope::Scope},
    conditions::{Verdict, fault, no, yes},
};

/// GitOpsReady; `None` where the Domain asks for nothing of the kind.
pub fn gitops(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Option<Verdict> {
    scope.spec.gitops.as_ref()?;
    let faulty =
        fault(report, |key| [types::APPLICATION, types::APP_PROJECT].contains(&key.resource));
    Some(faulty.or_else(|| absent(resolved)).unwrap_or_else(|| synced(resolved)))
}

/// What the domain asks for, and the cluster has not.
pub fn absent(resolved: &Resolved) -> Option<Verdict> {
    match resolved.argocd {
        Served::Yes => None,
        Served::NotInstalled => Some(no(
            "ArgoCdNotInstalled",
            "spec.gitops asks for Argo CD, and this cluster does not serve \
             applications.argoproj.io/v1alpha1; install it, or take spec.gitops out",
        )),
        Served::Forbidden => Some(no(
            "ArgoCdNotAllowed",
            "spec.gitops asks for Argo CD, which Polder may not use; once it is installed, set \
             argocd.enabled in the values of Polder's chart",
        )),
    }
}

/// Something that Argo CD says of an Application.
/// Source: <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml>
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    type_: String,
    #[serde(default)]
    message: String,
}

/// How the Application is doing.
fn synced(resolved: &Resolved) -> Verdict {
    let Some(record) = &resolved.application else {
        return no("Pending", "Argo CD is let in last, once everything that bounds it is in place");
    };
    let key = &record.key;
    if let Some(said) = error(record) {
        return no(&said.type_, format!("{key}: {} (says Argo CD)", said.message));
    }
    let text = |pointer: &str| record.part::<String>(pointer);
    let failed =
        matches!(text("/status/operationState/phase").as_deref(), Some("Failed" | "Error"));
    match text("/status/sync/status").as_deref() {
        Some("Synced") => {
            let health = text("/status/health/status").unwrap_or_default();
            let revision = text("/status/sync/revision").unwrap_or_default();
            yes("Synced", format!("{key} is at {revision}; health: {health}"))
        }
        Some(_) if failed => {
            let message = text("/status/operationState/message").unwrap_or_default();
            let message = format!("{key}: {message} (says Argo CD); what runs goes on as it was");
            no("SyncFailed", message)
        }
        Some("OutOfSync") => no(
            "OutOfSync",
            format!("{key}: Git and the namespace differ; Argo CD is about to sync"),
        ),
        _ => no("Pending", format!("{key}: Argo CD has not looked at it yet")),
    }
}

/// Why Argo CD cannot look at it: types end in Warning where nothing is wrong, and that a sync failed
/// is told better by the sync.
fn error(record: &Record) -> Option<Said> {
    let said: Vec<Said> = record.part("/status/conditions").unwrap_or_default();
    said.into_iter().find(|it| it.type_.ends_with("Error") && it.type_ != "SyncError")
}
