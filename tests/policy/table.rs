//! The table of cases that drives both the tests of the reconcile's rules and those of the admission
//! policies.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Spec of the Domain.
    pub domain: Value,
    /// The image of the operator's catalogue of versions.
    pub catalogue: String,
    /// Workloads that are let in, by name.
    pub bases: BTreeMap<String, Base>,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    pub kind: String,
    pub spec: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub base: String,
    /// A merge patch of the base's spec.
    pub patch: Value,
    /// Reason of the refusal; none where the case is let in.
    #[serde(default)]
    pub reason: Option<String>,
    /// What the refusal says.
    #[serde(default)]
    pub says: Vec<String>,
    /// About a field that cannot change.
    #[serde(default)]
    pub born: bool,
}

impl Table {
    pub fn read() -> Self {
        serde_yaml::from_str(include_str!("cases.yaml")).unwrap()
    }
}

/// Applies a JSON merge patch.
/// Source: <https://www.rfc-editor.org/rfc/rfc7396>
pub fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        target.clone_from(patch);
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}
