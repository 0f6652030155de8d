//! Whether the quota is in force, and how much of it is used.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::ResourceQuotaStatus, apimachinery::pkg::api::resource::Quantity as KubeQuantity,
};

use crate::{
    api::domain::{QuotaSpec, QuotaStatus},
    build::quantity,
    engine::Record,
};

/// Whether the API server enforces exactly this quota: it does so from the moment that the quota
/// controller has written `status.hard`, and by that.
pub fn is_enforced(quota: &QuotaSpec, record: Option<&Record>) -> bool {
    let Some(record) = record.filter(|record| !record.deleting) else { return false };
    let Some(hard) = status_of(record).and_then(|status| status.hard) else {
        return quota.hard.is_empty();
    };
    hard.len() == quota.hard.len()
        && quota.hard.iter().all(|(key, wanted)| {
            hard.get(key).is_some_and(|is| {
                is.0 == wanted.0 || quantity::milli(&is.0) == quantity::milli(&wanted.0)
            })
        })
}

/// Whether the API server enforces the quota as it stands in the cluster, whatever the spec says now.
pub fn holds(record: Option<&Record>) -> bool {
    let Some(record) = record.filter(|record| !record.deleting) else { return false };
    let hard = record.kept.pointer("/spec/hard");
    hard.is_some() && hard == record.kept.pointer("/status/hard")
}

/// Hard and used, as the quota controller says.
pub fn quota_status(record: Option<&Record>) -> Option<QuotaStatus> {
    let status = status_of(record?)?;
    let texts = |map: Option<BTreeMap<String, KubeQuantity>>| {
        map.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
    };
    let quota = QuotaStatus { hard: texts(status.hard), used: texts(status.used) };
    // An empty object that had fields before becomes null under server-side apply, which the schema
    // refuses: https://github.com/kubernetes-sigs/structured-merge-diff
    (quota != QuotaStatus::default()).then_some(quota)
}

fn status_of(record: &Record) -> Option<ResourceQuotaStatus> {
    record.part("/status")
}
