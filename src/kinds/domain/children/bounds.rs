//! What bounds the workloads of a domain: its quota and the limits of single containers.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota, ResourceQuotaSpec,
        ScopeSelector, ScopedResourceSelectorRequirement,
    },
    apimachinery::pkg::api::resource::Quantity as KubeQuantity,
};

use crate::api::{Quantity, domain::LimitsSpec};

use super::super::{quotas::Wanted, scope::Scope};

/// A bound of all workloads together, or of those with a priority class.
pub fn quota(scope: &Scope<'_>, wanted: Wanted<'_>) -> ResourceQuota {
    let selector = wanted.priority_class.map(|class| ScopeSelector {
        match_expressions: Some(vec![ScopedResourceSelectorRequirement {
            scope_name: "PriorityClass".to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![class.to_owned()]),
        }]),
    });
    ResourceQuota {
        metadata: scope.identity().meta(&wanted.key.name, "quota"),
        spec: Some(ResourceQuotaSpec {
            hard: Some(wanted.hard),
            scope_selector: selector,
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
