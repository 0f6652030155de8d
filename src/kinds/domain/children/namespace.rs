//! The namespace: who it belongs to and how strict its pods are.

use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::ObjectMeta};

use crate::{
    api::domain::{NamespaceSpec, PodSecurity},
    build::labels::Map,
};

use super::super::{scope::Scope, text};

/// Annotation with the domain's name for people.
const DISPLAY_NAME: &str = "polder.dev/display-name";
/// Annotation with the address of the domain's owner.
const OWNER_EMAIL: &str = "polder.dev/owner-email";
/// Label, or annotation where it cannot be one, with the team that answers for the domain.
const TEAM: &str = "polder.dev/team";
/// Label, or annotation where it cannot be one, with who pays.
const COST_CENTER: &str = "polder.dev/cost-center";

/// The namespace.
pub fn namespace(scope: &Scope<'_>) -> Namespace {
    let spec = scope.spec.namespace.clone().unwrap_or_default();
    let (mut labels, mut annotations) = ownership(scope);
    labels.extend(pod_security(&spec));
    // What is ours goes over what users ask for: the schema refuses such keys, this is for the
    // day it does not.
    labels.extend(scope.identity().labels("namespace"));
    let labels = spec.labels.into_iter().chain(labels).collect();
    annotations = spec.annotations.into_iter().chain(annotations).collect();
    Namespace {
        metadata: ObjectMeta {
            name: Some(scope.namespace.clone()),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}

/// Labels and annotations that say who answers and who pays: labels, so that cost tools and
/// selectors find them, unless the text cannot be one.
fn ownership(scope: &Scope<'_>) -> (Map, Map) {
    let owner = scope.spec.owner.clone().unwrap_or_default();
    let (labels, mut annotations): (Map, Map) =
        [(TEAM, owner.team), (COST_CENTER, owner.cost_center)]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .partition(|(_, value)| text::is_label_value(value));
    let notes = [(DISPLAY_NAME, scope.spec.display_name.clone()), (OWNER_EMAIL, owner.email)];
    annotations.extend(notes.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    (labels, annotations)
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
