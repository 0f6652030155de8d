//! What bounds the workloads of a domain: its quota and the limits of single containers.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::api::resource::Quantity as KubeQuantity,
};

use crate::api::{
    Quantity,
    domain::{LimitsSpec, QuotaSpec},
};

use super::super::scope::Scope;

/// The bound of all workloads together.
pub fn quota(scope: &Scope<'_>, quota: &QuotaSpec) -> ResourceQuota {
    ResourceQuota {
        metadata: scope.identity().meta(&scope.child("quota"), "quota"),
        spec: Some(ResourceQuotaSpec {
            hard: Some(quantities(&quota.hard)),
            ..ResourceQuotaSpec::default()
        }),
        ..ResourceQuota::default()
    }
}

/// Defaults and bounds of single containers.
pub fn limits(scope: &Scope<'_>, limits: &LimitsSpec) -> LimitRange {
    let list = |map: &BTreeMap<String, Quantity>| (!map.is_empty()).then(|| quantities(map));
    LimitRange {
        metadata: scope.identity().meta(&scope.child("limits"), "limits"),
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default: list(&limits.default),
                default_request: list(&limits.default_request),
                max: list(&limits.max),
                ..LimitRangeItem::default()
            }],
        }),
    }
}

fn quantities(map: &BTreeMap<String, Quantity>) -> BTreeMap<String, KubeQuantity> {
    map.iter().map(|(resource, quantity)| (resource.clone(), quantity.into())).collect()
}
