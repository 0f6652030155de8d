//! What a Domain is now.

mod conditions;
mod gitops;
mod monitoring;
pub mod quota;
mod secrets;

use crate::{
    api::{
        Domain, DomainStatus,
        domain::{DeletionPolicy, Owner},
    },
    engine::Report,
    kinds::common::{Readiness, triple},
};

use super::{Resolved, blocked, children::volumes, quotas::Wanted, scope::Scope, validate};

/// How many things are named in a message before the rest is only counted.
const NAMED: usize = 5;

/// The status of a Domain.
pub fn status(domain: &Domain, resolved: &Resolved, report: &Report) -> DomainStatus {
    let scope = Scope::of(domain);
    let generation = domain.metadata.generation;
    let report = with_namespace_conflict_explained(&scope, resolved, report);
    let is_deleting = domain.metadata.deletion_timestamp.is_some();
    let readiness =
        if is_deleting { ending(&scope, resolved) } else { readiness(&scope, resolved, &report) };
    let mut all = triple(&report, generation, readiness);
    all.extend(conditions::conditions(&scope, resolved, &report, is_deleting, generation));
    let is_ours = resolved.namespace.as_deref().is_some_and(|record| scope.is_ours(record));
    DomainStatus {
        observed_generation: generation,
        namespace: Some(scope.namespace.clone()),
        owner: domain.spec.owner.clone().filter(|owner| *owner != Owner::default()),
        quota: is_ours.then(|| quota::quota_status(&scope, resolved)).flatten(),
        workloads: is_ours.then(|| resolved.workloads.counts()),
        conditions: all,
    }
}

/// A conflict of the namespace is told as what it is and what to do about it, however it came to
/// light: at validation, or only when it was applied.
fn with_namespace_conflict_explained(
    scope: &Scope<'_>,
    resolved: &Resolved,
    report: &Report,
) -> Report {
    let mut report = report.clone();
    let key = scope.namespace_key();
    let is_conflict = report.conflicts.iter().any(|fault| fault.key == key);
    if !is_conflict || !report.problems.is_empty() {
        return report;
    }
    // A namespace that carries no domain's label is not watched, so that it has no record.
    let problem = validate::namespace::held_by_others(scope, resolved)
        .unwrap_or_else(|| validate::namespace::exists(scope, None));
    report.problems = vec![problem];
    report
}

/// How a Domain stands if nothing stood in the way of its plan.
fn readiness(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Readiness {
    let namespace = &scope.namespace;
    let Some(record) = &resolved.namespace else {
        return Readiness::progressing(
            "NamespacePending",
            format!("namespace {namespace} is being made"),
        );
    };
    if record.deleting {
        let message = format!("{}{}", terminating(namespace), still_there(resolved).0);
        return Readiness::progressing("NamespaceTerminating", message);
    }
    let pending = quota::pending(scope, resolved);
    if !pending.is_empty() {
        return Readiness::progressing("QuotaPending", quota_pending(&pending));
    }
    if let Some(fault) = report.waiting.first() {
        return Readiness::progressing("Applying", fault.message.clone());
    }
    if report.held {
        return Readiness::progressing(
            "Applying",
            format!("namespace {namespace} is being set up"),
        );
    }
    if let Some(lost) = lost_claim(resolved) {
        return Readiness::failing("VolumeLost", lost);
    }
    if scope.spec.suspend {
        return suspended(resolved);
    }
    if let Some(unready) = unready_secrets(scope, resolved, report) {
        return unready;
    }
    if let Some(verdict) = scope.spec.gitops.as_ref().and_then(|_| gitops::absent(resolved)) {
        return Readiness::failing(verdict.reason, verdict.message);
    }
    let growing = to_grow(scope, resolved);
    Readiness::ready(format!("namespace {namespace} is ready for workloads{growing}"))
}

/// Secrets of the domain that are not there. One that only a workload misses is the workload's to
/// tell.
fn unready_secrets(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Option<Readiness> {
    let verdict = secrets::secrets(scope, resolved, report);
    match verdict.reason.as_str() {
        _ if verdict.holds => None,
        "SecretMissing" => None,
        "Pending" => Some(Readiness::progressing("SecretsPending", verdict.message)),
        _ => Some(Readiness::failing(verdict.reason, verdict.message)),
    }
}

/// Says which claims are still smaller than asked for.
fn to_grow(scope: &Scope<'_>, resolved: &Resolved) -> String {
    let waiting = scope.spec.volumes.iter().filter_map(|volume| {
        let is = volumes::waits_to_grow(volume, resolved.claim(scope, volume))?;
        let claim = scope.claim_key(volume).name;
        Some(format!(
            "; claim {claim} grows from {} to {} once a pod has used it",
            is.0, volume.size
        ))
    });
    waiting.collect()
}

fn suspended(resolved: &Resolved) -> Readiness {
    if resolved.running.is_empty() {
        return Readiness::suspended(
            "all workloads are stopped; data and access are kept; set spec.suspend to false to go on",
        );
    }
    let (blocked, _) = still_there(resolved);
    let running = named(&resolved.running);
    let message = format!("workloads are being stopped; still there: {running}{blocked}");
    Readiness::progressing("Suspending", message)
}

/// What a Domain that is being deleted waits for.
fn ending(scope: &Scope<'_>, resolved: &Resolved) -> Readiness {
    let namespace = &scope.namespace;
    let (blocked, is_blocked) = still_there(resolved);
    let message = match scope.deletion_policy() {
        DeletionPolicy::Delete => {
            format!("namespace {namespace} and everything in it is being deleted{blocked}")
        }
        DeletionPolicy::Retain if resolved.running.is_empty() => {
            format!("workloads are stopped; namespace {namespace} and its volumes are kept")
        }
        DeletionPolicy::Retain => format!(
            "waits until workloads have stopped; namespace {namespace} and its volumes will be \
             kept; still there: {}{blocked}",
            named(&resolved.running)
        ),
    };
    Readiness::progressing(if is_blocked { "DeletionBlocked" } else { "Deleting" }, message)
}

/// What is left of a namespace or of workloads that are going, and whether others hold it.
fn still_there(resolved: &Resolved) -> (String, bool) {
    let namespace = resolved.namespace.as_deref().filter(|record| record.deleting);
    let (remains, is_held) = namespace.map(blocked::remains).unwrap_or_default();
    let mut words = String::new();
    if !resolved.held.is_empty() {
        words =
            format!("; held until whoever set the finalizer removes it: {}", named(&resolved.held));
    }
    if !remains.is_empty() {
        words = format!("{words}; Kubernetes says: {remains}");
    }
    (words, is_held || !resolved.held.is_empty())
}

/// Some names, and how many more.
pub fn named(names: &[String]) -> String {
    let some = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        None | Some(0) => some,
        Some(more) => format!("{some} and {more} more"),
    }
}

fn terminating(namespace: &str) -> String {
    format!(
        "namespace {namespace} is being deleted; it is made anew once it is gone (if that takes \
         long: kubectl describe namespace {namespace})"
    )
}

fn quota_pending(pending: &[Wanted<'_>]) -> String {
    let names: Vec<&str> = pending.iter().map(|quota| quota.key.name.as_str()).collect();
    format!(
        "waits until ResourceQuota {} is in force, before anybody is let in; the quota controller of \
         the cluster does that within moments",
        names.join(", ")
    )
}

/// A shared volume whose data is gone.
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/>
fn lost_claim(resolved: &Resolved) -> Option<String> {
    let is_lost = |phase: Option<String>| phase.as_deref() == Some("Lost");
    let (name, _) =
        resolved.claims.iter().find(|(_, record)| is_lost(record.part("/status/phase")))?;
    Some(format!(
        "the volume behind claim {name} is lost; restore it, or delete the claim to begin with an \
         empty one"
    ))
}
