//! The namespace: who it belongs to and how strict its pods are.

use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::ObjectMeta};

use crate::{
    api::domain::{NamespaceSpec, PodSecurity},
    build::labels::{self, Map},
};

use super::super::scope::Scope;

/// Annotation with the domain's name for people.
const DISPLAY_NAME: &str = "polder.dev/display-name";
/// Annotation with the address of the domain's owner.
const OWNER_EMAIL: &str = "polder.dev/owner-email";

/// The namespace, with the domain's policy as annotations.
pub fn namespace(scope: &Scope<'_>, policy: Map) -> Namespace {
    let spec = scope.spec.namespace.clone().unwrap_or_default();
    let mut on_it = pod_security(&spec);
    // What is ours goes over what users ask for: the schema refuses such keys, this is for the
    // day it does not.
    on_it.extend(scope.identity().labels("namespace"));
    let retention = scope.spec.logs.as_ref().and_then(|logs| logs.retention.clone());
    let retention = retention.filter(|text| labels::is_value(text));
    on_it.extend(retention.map(|text| (labels::LOG_RETENTION.to_owned(), text)));
    let labels = spec.labels.into_iter().chain(on_it).collect();
    let annotations = spec.annotations.into_iter().chain(notes(scope)).chain(policy).collect();
    Namespace {
        metadata: ObjectMeta {
            name: Some(scope.namespace.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}

/// What people and tools want to know of the domain. Who answers and who pays are labels of every
/// object; what of it cannot be a label is an annotation here.
fn notes(scope: &Scope<'_>) -> Map {
    let owner = scope.spec.owner.clone().unwrap_or_default();
    let of_owner = [(labels::TEAM, owner.team), (labels::COST_CENTER, owner.cost_center)];
    let of_owner = of_owner.into_iter().filter(|(key, _)| !scope.owner.contains_key(*key));
    [(DISPLAY_NAME, scope.spec.display_name.clone()), (OWNER_EMAIL, owner.email)]
        .into_iter()
        .chain(of_owner)
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-admission/>
fn pod_security(spec: &NamespaceSpec) -> Map {
    let level = match spec.pod_security.unwrap_or_default() {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Baseline => "baseline",
    };
    [("enforce", level), ("enforce-version", "latest"), ("warn", level), ("warn-version", "latest")]
        .into_iter()
        .map(|(mode, value)| (format!("pod-security.kubernetes.io/{mode}"), value.to_owned()))
        .collect()
}
