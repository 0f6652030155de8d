//! How much of the quotas is used, and what is left.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::ResourceQuotaStatus, apimachinery::pkg::api::resource::Quantity as KubeQuantity,
};

use crate::{
    api::quota::{PriorityQuotaStatus, QuotaStatus},
    build::quantity,
};

use super::super::{
    Resolved,
    quotas::{self, Wanted},
    scope::Scope,
};

/// Quantities by resource, as Kubernetes writes them.
type Texts = BTreeMap<String, String>;

/// The quotas that are not in force.
pub fn pending<'a>(scope: &Scope<'a>, resolved: &Resolved) -> Vec<Wanted<'a>> {
    let mut wanted = quotas::wanted(scope);
    wanted.retain(|quota| !quotas::is_enforced(quota, resolved.quota(&quota.key)));
    wanted
}

/// Hard, used and free, as the quota controller says.
pub fn quota_status(scope: &Scope<'_>, resolved: &Resolved) -> Option<QuotaStatus> {
    let mut status = QuotaStatus::default();
    for wanted in quotas::wanted(scope) {
        let (hard, used) = known(resolved, &wanted);
        let free = free(&hard, &used);
        match wanted.priority_class {
            None => {
                status.summary = fullest(&hard, &used);
                (status.hard, status.used, status.free) = (hard, used, free);
            }
            Some(class) if !hard.is_empty() => status.per_priority.push(PriorityQuotaStatus {
                priority_class: class.to_owned(),
                hard,
                used,
                free,
            }),
            Some(_) => {}
        }
    }
    // An empty object that had fields before becomes null under server-side apply, which the schema
    // refuses: https://github.com/kubernetes-sigs/structured-merge-diff
    (status != QuotaStatus::default()).then_some(status)
}

/// Hard and used.
fn known(resolved: &Resolved, wanted: &Wanted<'_>) -> (Texts, Texts) {
    let record = resolved.quota(&wanted.key);
    let status: ResourceQuotaStatus =
        record.and_then(|record| record.part("/status")).unwrap_or_default();
    let texts = |map: Option<BTreeMap<String, KubeQuantity>>| {
        map.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
    };
    (texts(status.hard), texts(status.used))
}

fn free(hard: &Texts, used: &Texts) -> Texts {
    let left = |(resource, hard): (&String, &String)| {
        Some((resource.clone(), quantity::minus(hard, used.get(resource)?)?))
    };
    hard.iter().filter_map(left).collect()
}

/// The resource of which the largest part is used.
fn fullest(hard: &Texts, used: &Texts) -> Option<String> {
    let percent = |(resource, hard): (&String, &String)| {
        let (hard, used) = (quantity::milli(hard)?, quantity::milli(used.get(resource)?)?);
        // Of nothing, all is used.
        let percent = if hard == 0 { 100 } else { used.checked_mul(100)? / hard };
        Some((percent, std::cmp::Reverse(resource.clone())))
    };
    let (percent, resource) = hard.iter().filter_map(percent).max()?;
    Some(format!("{percent}% {}", resource.0))
}
