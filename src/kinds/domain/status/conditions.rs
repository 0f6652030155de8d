//! The conditions that a Domain has beside the three that all kinds have.
//!
//! They say what is in force in the namespace, also while a new spec is refused: workloads go by
//! them, and a slip in one field must not stop a whole domain.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    api::{conditions::condition, domain::Isolation},
    engine::{Fault, ObjectKey, Report},
};

use super::{
    super::{
        Resolved, quotas,
        scope::{Scope, role_name},
    },
    gitops, monitoring, quota, quota_pending, secrets, terminating,
};
use crate::build::types;

/// Whether something holds, and why.
pub(super) struct Verdict {
    pub(super) holds: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

pub(super) fn yes(reason: &str, message: impl Into<String>) -> Verdict {
    Verdict { holds: true, reason: reason.to_owned(), message: message.into() }
}

pub(super) fn no(reason: &str, message: impl Into<String>) -> Verdict {
    Verdict { holds: false, reason: reason.to_owned(), message: message.into() }
}

/// NamespaceReady, QuotaEnforced, AccessGranted, NetworkIsolated, CatalogsReady, SecretsReady, and
/// GitOpsReady and MonitoringReady where the Domain asks for them.
pub fn conditions(
    scope: &Scope<'_>,
    resolved: &Resolved,
    report: &Report,
    is_deleting: bool,
    generation: Option<i64>,
) -> Vec<Condition> {
    let namespace = namespace(scope, resolved, report);
    let within = |verdict: &dyn Fn() -> Verdict| {
        if namespace.holds { verdict() } else { no("NamespaceNotReady", &*namespace.message) }
    };
    let quota = within(&|| quota(scope, resolved, report));
    let access = within(&|| access(scope, resolved, report, is_deleting));
    let network = within(&|| network(scope, resolved, report));
    let catalogs = within(&|| secrets::catalogs(scope, resolved, report));
    let secrets = within(&|| secrets::secrets(scope, resolved, report));
    let gitops = gitops::gitops(scope, resolved, report).map(|it| ("GitOpsReady", it));
    let monitoring = monitoring::monitoring(scope, resolved, report);
    let monitoring = monitoring.map(|it| ("MonitoringReady", it));
    [
        ("NamespaceReady", namespace),
        ("QuotaEnforced", quota),
        ("AccessGranted", access),
        ("NetworkIsolated", network),
        ("CatalogsReady", catalogs),
        ("SecretsReady", secrets),
    ]
    .into_iter()
    .chain(gitops)
    .chain(monitoring)
    .map(|(type_, verdict)| {
        condition(type_, verdict.holds, &verdict.reason, verdict.message, generation)
    })
    .collect()
}

fn namespace(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Verdict {
    let name = &scope.namespace;
    let about = |reason: &str| reason.starts_with("Namespace");
    if let Some(problem) = report.problems.iter().find(|problem| about(problem.reason)) {
        return no(problem.reason, problem.message.clone());
    }
    if let Some(verdict) = fault(report, |key| *key == scope.namespace_key()) {
        return verdict;
    }
    match &resolved.namespace {
        None => no("NamespacePending", format!("namespace {name} does not exist yet")),
        Some(record) if record.deleting => no("NamespaceTerminating", terminating(name)),
        Some(_) => yes("Ready", format!("namespace {name} is this domain's")),
    }
}

fn quota(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Verdict {
    let wanted = quotas::wanted(scope);
    if wanted.is_empty() {
        return yes(
            "NoQuota",
            "spec.quota is not set: nothing bounds the workloads of this domain",
        );
    }
    if let Some(verdict) = fault(report, |faulty| wanted.iter().any(|quota| quota.key == *faulty)) {
        return verdict;
    }
    let pending = quota::pending(scope, resolved);
    // While a spec is refused, the last one that was accepted holds.
    let is_refused = !report.problems.is_empty() && !resolved.quotas.is_empty();
    if pending.is_empty() || (is_refused && resolved.quotas.values().all(|it| quotas::holds(it))) {
        let names: Vec<&str> = resolved.quotas.keys().map(String::as_str).collect();
        let message = format!("in force: ResourceQuota {}{}", names.join(", "), stale(report));
        return yes("Enforced", message);
    }
    no("QuotaPending", quota_pending(&pending))
}

fn network(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Verdict {
    if scope.isolation() == Isolation::None {
        return yes("IsolationOff", "spec.network.isolation is None: pods may talk to anybody");
    }
    if let Some(verdict) = fault(report, |key| key.resource == types::NETWORK_POLICY) {
        return verdict;
    }
    if scope.policy_keys().iter().any(|key| !resolved.present.contains(key)) {
        return no("Pending", "network policies are being made");
    }
    yes(
        "PoliciesInPlace",
        format!(
            "nothing in or out but the domain itself, DNS, the API server for drivers, and what \
             spec.network lists; the cluster's network plugin enforces it{}",
            stale(report)
        ),
    )
}

fn access(scope: &Scope<'_>, resolved: &Resolved, report: &Report, is_deleting: bool) -> Verdict {
    if is_deleting {
        return no("Deleting", "access ends with the Domain");
    }
    if let Some(verdict) = fault(report, |key| key.resource == types::ROLE_BINDING) {
        return verdict;
    }
    if scope.access_keys().iter().any(|key| !resolved.present.contains(key)) {
        return no("Pending", "access is granted last, once everything that bounds it is in place");
    }
    if report.held {
        let message = "access is as it was: changes to it are applied last, once everything before \
                       them is in place (see condition Ready)";
        return no("Pending", message);
    }
    let members = &scope.spec.members;
    if members.is_empty() {
        return yes(
            "NoMembers",
            "spec.members is empty: only administrators of the cluster have access",
        );
    }
    let roles: Vec<String> = members
        .iter()
        .map(|member| format!("{}: {}", role_name(member.role), member.subjects.len()))
        .collect();
    yes("Granted", format!("members by role: {}{}", roles.join(", "), stale(report)))
}

/// What stands in the way of some objects.
pub(super) fn fault(report: &Report, concerns: impl Fn(&ObjectKey) -> bool) -> Option<Verdict> {
    let lists = [
        ("Conflict", &report.conflicts),
        ("Rejected", &report.rejected),
        ("ApplyFailed", &report.failed),
    ];
    lists.into_iter().find_map(|(reason, faults)| {
        let found: Option<&Fault> = faults.iter().find(|fault| concerns(&fault.key));
        found.map(|fault| no(reason, fault.message.clone()))
    })
}

/// Says so where what is in force is not what the spec asks for now.
fn stale(report: &Report) -> &'static str {
    if report.problems.is_empty() {
        ""
    } else {
        " (as of the last spec that was accepted; see condition Stalled)"
    }
}
