//! Whether a child is already as it should be, told from its metadata alone.
//!
//! A child needs no request when its annotation holds the digest of what we want and the fields
//! that the API server records for our manager still cover it. No live value is read.

use k8s_openapi::ByteString;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Annotation that holds the digest of what was applied.
pub const APPLIED: &str = "polder.dev/applied";

/// Stands for the owner's uid in recorded fields, so that siblings share one string.
pub const OWNER: &str = "@";

/// Objects that mean nothing when empty. Other empty objects do: `emptyDir: {}`.
const DROPPED_WHEN_EMPTY: [&str; 6] =
    ["labels", "annotations", "matchLabels", "nodeSelector", "data", "binaryData"];

/// Brings an object to the form that is hashed, sent and compared: without nulls and empty lists,
/// without status, and with `stringData` as `data`.
///
/// Empty lists and empty label maps make some objects change on every apply
/// (<https://github.com/kubernetes/kubernetes/issues/131175>).
pub fn normalise(mut object: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
        encode_string_data(fields);
    }
    clean(&mut object);
    object
}

/// Changes in `stringData` are invisible to managed fields: the server keeps `data` only.
fn encode_string_data(fields: &mut Map<String, Value>) {
    let Some(Value::Object(strings)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Value::Object(data) = data else { return };
    for (key, value) in strings {
        if let Value::String(text) = value {
            data.insert(key, base64(text.into_bytes()));
        }
    }
}

/// As Kubernetes writes bytes in JSON.
pub fn base64(bytes: Vec<u8>) -> Value {
    serde_json::to_value(ByteString(bytes)).unwrap_or_default()
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(clean);
            fields.retain(|key, value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(inner) => {
                    !inner.is_empty() || !DROPPED_WHEN_EMPTY.contains(&key.as_str())
                }
                _ => true,
            });
        }
        Value::Array(items) => {
            items.iter_mut().for_each(clean);
            items.retain(|item| !item.is_null());
        }
        _ => {}
    }
}

/// Digest of a normalised object that the root with this uid wants. The uid makes it a proof of
/// origin: no other root's object carries it, whatever their names.
///
/// Keys are sorted here, so that no feature of a dependency can change the digests of a fleet.
pub fn digest(root: &str, object: &Value) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update(root.as_bytes());
    feed(&mut hasher, object);
    let bytes = hasher.finalize();
    bytes.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            hasher.update(b"{");
            for (key, value) in keys {
                hasher.update(Value::String(key.clone()).to_string().as_bytes());
                hasher.update(b":");
                feed(hasher, value);
                hasher.update(b",");
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(hasher, item);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        leaf => hasher.update(leaf.to_string().as_bytes()),
    }
}

/// The digest as it stands in the annotation.
pub fn to_text(digest: u128) -> String {
    format!("{digest:032x}")
}

/// The digest from the annotation; `None` if somebody wrote something else there.
pub fn from_text(text: &str) -> Option<u128> {
    (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Whether the recorded fields (`FieldsV1`) cover everything of a desired object. The server names
/// an object by its URL, so type, name and namespace are never in the fields.
pub fn covers_object(fields: &Value, desired: &Value) -> bool {
    let Value::Object(desired) = desired else { return false };
    desired.iter().all(|(key, value)| match (key.as_str(), value) {
        ("apiVersion" | "kind", _) => true,
        ("metadata", Value::Object(metadata)) => {
            let metadata: Map<_, _> = metadata
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "name" | "namespace"))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            metadata.is_empty()
                || fields.get("f:metadata").is_some_and(|f| covers(f, &Value::Object(metadata)))
        }
        _ => fields.get(format!("f:{key}")).is_some_and(|f| covers(f, value)),
    })
}

/// Whether a node of recorded fields covers a desired value.
pub fn covers(fields: &Value, desired: &Value) -> bool {
    let Value::Object(node) = fields else { return false };
    if node.is_empty() {
        return true;
    }
    match desired {
        Value::Object(desired) => desired
            .iter()
            .all(|(key, value)| node.get(&format!("f:{key}")).is_some_and(|f| covers(f, value))),
        Value::Array(items) => items.iter().all(|item| covers_item(node, item)),
        _ => false,
    }
}

fn covers_item(node: &Map<String, Value>, item: &Value) -> bool {
    if let Value::Object(item_fields) = item {
        return node.iter().any(|(entry, fields)| {
            entry
                .strip_prefix("k:")
                .and_then(|keys| serde_json::from_str::<Map<String, Value>>(keys).ok())
                .is_some_and(|keys| {
                    keys.iter().all(|(k, v)| item_fields.get(k).is_none_or(|own| own == v))
                })
                && covers(fields, item)
        });
    }
    node.iter().any(|(entry, _)| {
        entry
            .strip_prefix("v:")
            .and_then(|value| serde_json::from_str::<Value>(value).ok())
            .is_some_and(|value| value == *item)
    })
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
