//! Whether the namespace may be this domain's.

use crate::{build::labels, engine::Problem};

use super::super::{
    OperatorIdentity, Resolved,
    scope::{Scope, claimant},
    text,
};

const FIELD: &str = "spec.namespace.name";
/// The name of a domain's namespace cannot change.
const OTHERWISE: &str = "or delete this Domain and make it again with another spec.namespace.name";

/// Namespaces that no domain may have.
pub fn reserved(scope: &Scope<'_>, operator: &OperatorIdentity) -> Vec<Problem> {
    let name = scope.namespace.as_str();
    let whose = if name == operator.namespace {
        "Polder's own"
    } else if name == "default" || name.starts_with("kube-") {
        "the cluster's own"
    } else {
        return Vec::new();
    };
    let message = format!(
        "namespace {name} is {whose}; delete this Domain and make it again with another \
         spec.namespace.name"
    );
    vec![Problem::new("NamespaceReserved", FIELD, message)]
}

/// A namespace of that name that is not this domain's.
pub fn held_by_others(scope: &Scope<'_>, resolved: &Resolved) -> Option<Problem> {
    let record = resolved.namespace.as_deref().filter(|record| !scope.is_ours(record))?;
    Some(match &resolved.rival {
        Some(rival) => {
            let message = format!(
                "namespace {} is in use by Domain {rival}; delete that Domain first, {OTHERWISE}",
                scope.namespace
            );
            Problem::new("NamespaceTaken", FIELD, message)
        }
        None => exists(scope, claimant(record)),
    })
}

/// The namespace exists, and carries the label of no domain or of one that does not use it.
pub fn exists(scope: &Scope<'_>, claimant: Option<&str>) -> Problem {
    let (name, namespace, label) = (scope.name, &scope.namespace, labels::DOMAIN);
    let (state, overwrite) = match claimant {
        None => ("exists and is not Polder's".to_owned(), ""),
        Some(other) => {
            (format!("is marked as Domain {other}'s, which does not use it"), " --overwrite")
        }
    };
    let message = format!(
        "namespace {namespace} {state}; to hand it over to this Domain: kubectl label namespace \
         {namespace} {label}={name}{overwrite}; {OTHERWISE}"
    );
    Problem::new("NamespaceExists", FIELD, message)
}

/// Labels and annotations that the API server would refuse.
pub fn metadata(scope: &Scope<'_>) -> Vec<Problem> {
    let Some(spec) = &scope.spec.namespace else { return Vec::new() };
    let label = |(key, value): (&String, &String)| {
        let what = if !text::is_label_key(key) {
            format!(
                "{key} is no key of a label: it is made of letters, digits, -, _ and ., at most 63, \
                     with an optional DNS name and / before them"
            )
        } else if !text::is_label_value(value) {
            format!(
                "{value} is no value of a label: it is made of letters, digits, -, _ and ., at most \
                     63, and begins and ends with a letter or digit; annotations hold any text"
            )
        } else {
            return None;
        };
        Some(Problem::new("InvalidLabel", format!("spec.namespace.labels[{key}]"), what))
    };
    let annotation = |key: &String| {
        (!text::is_label_key(&key.to_lowercase())).then(|| {
            let field = format!("spec.namespace.annotations[{key}]");
            Problem::new("InvalidAnnotation", field, format!("{key} is no key of an annotation"))
        })
    };
    spec.labels
        .iter()
        .filter_map(label)
        .chain(spec.annotations.keys().filter_map(annotation))
        .collect()
}
