//! Whether quota and limits make sense.

use std::collections::BTreeMap;

use crate::{
    api::{Quantity, quota::QuotaSpec},
    build::quantity,
    engine::Problem,
};

use super::super::{quotas, scope::Scope, text};

/// What a ResourceQuota knows without a prefix.
/// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/>
const QUOTA_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "requests.storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// What a container can ask for without a prefix.
const CONTAINER_RESOURCES: &[&str] = &["cpu", "memory", "ephemeral-storage"];

/// What a quota of a priority class can bound.
/// Source: `IsResourceQuotaScopeValidForResource` in
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/helper/helpers.go>
const PRIORITY_RESOURCES: &[&str] =
    &["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// All that is wrong with the quota.
pub fn quota(scope: &Scope<'_>) -> Vec<Problem> {
    let Some(quota) = &scope.spec.quota else { return Vec::new() };
    let unknown = quota.hard.keys().filter(|key| !is_known(key, QUOTA_RESOURCES)).map(|key| {
        let message = format!(
            "{key} is nothing that a quota can bound; use one of {}, count/<plural>.<group>, \
             <class>.storageclass.storage.k8s.io/requests.storage or requests.<extended resource>",
            QUOTA_RESOURCES.join(", ")
        );
        Problem::new("UnknownResource", format!("spec.quota.hard[{key}]"), message)
    });
    let numbers = quota.hard.iter().filter_map(|(key, value)| {
        number_problem(&format!("spec.quota.hard[{key}]"), value, is_counted(key))
    });
    let sizes = quota.storage.iter().enumerate().filter_map(|(index, bound)| {
        let field = format!("spec.quota.storage[{index}].size");
        number_problem(&field, bound.size.as_ref()?, false)
    });
    unknown.chain(numbers).chain(sizes).chain(twice(quota)).chain(by_priority(quota)).collect()
}

/// Bounds that stand in `hard` and in another place too: which of them holds?
fn twice(quota: &QuotaSpec) -> Vec<Problem> {
    let storage = quota.storage.iter().enumerate().flat_map(|(index, bound)| {
        let list = format!("spec.quota.storage[{index}]");
        quotas::of_class(bound).map(move |entry| (list.clone(), entry))
    });
    let objects = quota.objects.iter().flat_map(quotas::of_objects);
    let objects = objects.map(|entry| ("spec.quota.objects".to_owned(), entry));
    storage
        .chain(objects)
        .filter(|(_, (_, resource, _))| quota.hard.contains_key(resource))
        .map(|(parent, (field, resource, _))| {
            let message =
                format!("spec.quota.hard[{resource}] bounds the same; remove one of the two");
            Problem::new("QuotaContradicts", format!("{parent}.{field}"), message)
        })
        .collect()
}

fn by_priority(quota: &QuotaSpec) -> impl Iterator<Item = Problem> {
    quota.per_priority.iter().enumerate().flat_map(|(index, bound)| {
        bound.hard.iter().filter_map(move |(key, value)| {
            let field = format!("spec.quota.perPriority[{index}].hard[{key}]");
            if PRIORITY_RESOURCES.contains(&key.as_str()) {
                return number_problem(&field, value, key == "pods");
            }
            let message = format!(
                "{key} cannot be bounded by priority class; use one of {}",
                PRIORITY_RESOURCES.join(", ")
            );
            Some(Problem::new("UnknownResource", field, message))
        })
    })
}

/// All that is wrong with the limits of containers.
pub fn limits(scope: &Scope<'_>) -> Vec<Problem> {
    let Some(limits) = &scope.spec.limits else { return Vec::new() };
    let maps = [
        ("default", &limits.default),
        ("defaultRequest", &limits.default_request),
        ("max", &limits.max),
    ];
    let mut problems: Vec<Problem> = maps
        .into_iter()
        .flat_map(|(map, values)| {
            values.iter().flat_map(move |(key, value)| {
                single(&format!("spec.limits.{map}[{key}]"), key, value)
            })
        })
        .collect();
    // A container that names a request only would be refused for lack of a limit that fits.
    problems.extend(beyond("default", &limits.default, "max", &limits.max));
    problems.extend(beyond("defaultRequest", &limits.default_request, "max", &limits.max));
    problems.extend(beyond("defaultRequest", &limits.default_request, "default", &limits.default));
    problems
}

fn single(field: &str, key: &str, value: &Quantity) -> Vec<Problem> {
    let unknown = (!is_known(key, CONTAINER_RESOURCES)).then(|| {
        let message = format!(
            "{key} is nothing that a container can ask for; use one of {} or an extended resource",
            CONTAINER_RESOURCES.join(", ")
        );
        Problem::new("UnknownResource", field, message)
    });
    unknown.into_iter().chain(number_problem(field, value, false)).collect()
}

/// Values of one map that are larger than the same in another.
fn beyond(
    name: &str,
    values: &BTreeMap<String, Quantity>,
    bound_name: &str,
    bounds: &BTreeMap<String, Quantity>,
) -> Vec<Problem> {
    values
        .iter()
        .filter_map(|(key, value)| {
            let bound = bounds.get(key)?;
            (quantity::milli(&value.0)? > quantity::milli(&bound.0)?).then(|| {
                let message = format!(
                    "{value} is more than spec.limits.{bound_name}[{key}], which is {bound}; lower it \
                     or raise {bound_name}"
                );
                Problem::new("LimitsContradict", format!("spec.limits.{name}[{key}]"), message)
            })
        })
        .collect()
}

fn number_problem(field: &str, value: &Quantity, is_counted: bool) -> Option<Problem> {
    let message = match quantity::milli(&value.0) {
        Some(milli) if milli < 0 => format!("{value} is less than zero"),
        Some(milli) if is_counted && milli % 1000 != 0 => {
            format!("{value} is no whole number, and objects cannot be divided")
        }
        Some(_) => return None,
        None => format!("{value} is no quantity such as 500m, 2 or 4Gi"),
    };
    Some(Problem::new("InvalidQuantity", field, message))
}

fn is_known(key: &str, known: &[&str]) -> bool {
    let is_huge = |key: &str| key.starts_with("hugepages-");
    known.contains(&key)
        || is_huge(key.strip_prefix("requests.").unwrap_or(key))
        || (key.contains('/') && text::is_label_key(key))
}

/// Whether a quota resource counts objects.
fn is_counted(key: &str) -> bool {
    key.starts_with("count/")
        || key.ends_with("/persistentvolumeclaims")
        || (QUOTA_RESOURCES.contains(&key)
            && !["cpu", "memory", "storage"].iter().any(|measured| key.ends_with(measured)))
}
