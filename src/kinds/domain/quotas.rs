//! The quotas of a domain: one of everything, and one for each priority class that has bounds of its
//! own. Kubernetes bounds a priority class in a quota with that scope only.
//! Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#resource-quota-per-priorityclass>

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as KubeQuantity;

use crate::{
    api::{
        Quantity,
        quota::{ObjectQuota, QuotaSpec, StorageQuota},
    },
    build::{names, quantity, types},
    engine::{ObjectKey, Record},
};

use super::scope::Scope;

/// A quota as it is to be.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub key: ObjectKey,
    /// The priority class whose pods it bounds; `None`: everything.
    pub priority_class: Option<&'a str>,
    /// Its bounds.
    pub hard: BTreeMap<String, KubeQuantity>,
}

/// All quotas of a domain, that of everything first.
pub fn wanted<'a>(scope: &Scope<'a>) -> Vec<Wanted<'a>> {
    let Some(quota) = &scope.spec.quota else { return Vec::new() };
    let key = |name| ObjectKey::namespaced(types::RESOURCE_QUOTA, &scope.namespace, name);
    let hard = hard(quota);
    let whole = (!hard.is_empty()).then(|| Wanted {
        key: key(names::quota(scope.name)),
        priority_class: None,
        hard,
    });
    let by_priority = quota.per_priority.iter().map(|bound| Wanted {
        key: key(names::priority_quota(scope.name, &bound.priority_class)),
        priority_class: Some(&bound.priority_class),
        hard: quantities(&bound.hard),
    });
    whole.into_iter().chain(by_priority).collect()
}

/// Bounds of the quota of everything.
fn hard(quota: &QuotaSpec) -> BTreeMap<String, KubeQuantity> {
    let storage = quota.storage.iter().flat_map(of_class);
    let objects = quota.objects.iter().flat_map(of_objects);
    let mut hard = quantities(&quota.hard);
    hard.extend(storage.chain(objects).map(|(_, resource, bound)| (resource, bound)));
    hard
}

/// A part of a field of the spec, the quota resource that it stands for, and the bound.
pub type Entry = (&'static str, String, KubeQuantity);

/// What a bound of a storage class stands for.
/// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#storage-resource-quota>
pub fn of_class(bound: &StorageQuota) -> impl Iterator<Item = Entry> {
    let resource = |what: &str| quantity::of_class(&bound.class, what);
    let size = bound.size.as_ref().map(KubeQuantity::from);
    let claims = bound.claims.map(|count| KubeQuantity(count.to_string()));
    let size = size.map(|size| ("size", resource("requests.storage"), size));
    let claims = claims.map(|count| ("claims", resource("persistentvolumeclaims"), count));
    size.into_iter().chain(claims)
}

/// What a bound of numbers of objects stands for.
/// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#object-count-quota>
pub fn of_objects(bound: &ObjectQuota) -> impl Iterator<Item = Entry> {
    [
        ("batchJobs", "count/batchjobs.polder.dev", bound.batch_jobs),
        ("sparkClusters", "count/sparkclusters.polder.dev", bound.spark_clusters),
        ("sqlEndpoints", "count/sqlendpoints.polder.dev", bound.sql_endpoints),
    ]
    .into_iter()
    .filter_map(|(field, resource, count)| {
        Some((field, resource.to_owned(), KubeQuantity(count?.to_string())))
    })
}

fn quantities(map: &BTreeMap<String, Quantity>) -> BTreeMap<String, KubeQuantity> {
    map.iter().map(|(resource, quantity)| (resource.clone(), quantity.into())).collect()
}

/// Whether the API server enforces exactly this quota: it does so from the moment that the quota
/// controller has written `status.hard`, and by that.
///
/// Objects of our kinds are counted once the quota controller has discovered the kind. Until then
/// the API server refuses them all, so that the quota is not of use yet.
/// Source: `hasUsageStats` in
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/resourcequota/controller.go>
pub fn is_enforced(wanted: &Wanted<'_>, record: Option<&Record>) -> bool {
    let Some(record) = record.filter(|record| !record.deleting) else { return false };
    let part = |pointer| record.part::<BTreeMap<String, KubeQuantity>>(pointer).unwrap_or_default();
    let (hard, used) = (part("/status/hard"), part("/status/used"));
    hard.len() == wanted.hard.len()
        && wanted.hard.iter().all(|(key, bound)| {
            let is_same = hard.get(key).is_some_and(|is| {
                is.0 == bound.0 || quantity::milli(&is.0) == quantity::milli(&bound.0)
            });
            is_same && (!key.ends_with(".polder.dev") || used.contains_key(key))
        })
}

/// Whether the API server enforces the quota as it stands in the cluster, whatever the spec says now.
pub fn holds(record: &Record) -> bool {
    let hard = record.kept.pointer("/spec/hard");
    !record.deleting && hard.is_some() && hard == record.kept.pointer("/status/hard")
}
