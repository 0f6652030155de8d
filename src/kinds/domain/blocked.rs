//! What keeps a namespace, and what is in it, from going: finalizers that others have set. Only
//! whoever set one knows what is still to be done, so that they are told and never removed.
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>

use k8s_openapi::api::core::v1::NamespaceCondition;

use crate::engine::Record;

/// Condition of a namespace that is going, with the finalizers of what is left in it.
const FINALIZERS_REMAIN: &str = "NamespaceFinalizersRemaining";

/// An object that is going and is held, in words: `Pod x (finalizer example.com/hold)`.
pub fn held(record: &Record) -> Option<String> {
    let finalizers = foreign(record.part("/metadata/finalizers").unwrap_or_default());
    (record.deleting && !finalizers.is_empty()).then(|| {
        let (kind, name) = (record.key.resource.kind, &record.key.name);
        format!("{kind} {name} (finalizer {})", finalizers.join(", "))
    })
}

/// What the namespace controller says is left of a namespace that is going, and whether some of it
/// is held by others.
pub fn remains(namespace: &Record) -> (String, bool) {
    let conditions: Vec<NamespaceCondition> =
        namespace.part("/status/conditions").unwrap_or_default();
    let open: Vec<&NamespaceCondition> =
        conditions.iter().filter(|condition| condition.status == "True").collect();
    let is_held = open
        .iter()
        .filter(|condition| condition.type_ == FINALIZERS_REMAIN)
        .any(|condition| !foreign(listed(condition.message.as_deref())).is_empty());
    let words: Vec<&str> =
        open.iter().filter_map(|condition| condition.message.as_deref()).collect();
    (words.join("; "), is_held)
}

/// `Some content in the namespace has finalizers remaining: a in 1 resource instances, b in ...`
/// Source: <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/deletion/status_condition_utils.go>
fn listed(message: Option<&str>) -> Vec<String> {
    let list = message.and_then(|message| message.split_once(": ")).map_or("", |(_, list)| list);
    let entries = list.split(", ").filter_map(|entry| entry.split_once(" in "));
    entries.map(|(finalizer, _)| finalizer.to_owned()).collect()
}

/// Without those that Kubernetes or Polder take off by themselves.
fn foreign(mut finalizers: Vec<String>) -> Vec<String> {
    finalizers.retain(|finalizer| {
        let owner = finalizer.split_once('/').map_or(finalizer.as_str(), |(domain, _)| domain);
        let is_kubernetes = ["kubernetes", "orphan", "foregroundDeletion", "kubernetes.io"];
        !is_kubernetes.contains(&owner)
            && !owner.ends_with(".kubernetes.io")
            && owner != crate::api::GROUP
    });
    finalizers
}
