//! What one of our managers applied of an object, as the API server recorded it.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use serde_json::{Map, Value};

use super::digest;

/// The fields of an object that this manager applied last, without what the engine adds; `None` if it
/// applied none.
pub(super) fn applied(object: &Value, manager: &str) -> Option<Value> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let is = |entry: &Value, key: &str, value: &str| entry.get(key).is_some_and(|it| it == value);
    let ours = |entry: &&Value| is(entry, "manager", manager) && is(entry, "operation", "Apply");
    let fields = entries.iter().find(ours)?.get("fieldsV1")?;
    let mut found = part(object, fields);
    for key in ["apiVersion", "kind"] {
        copy(object, &mut found, key);
    }
    if let (Some(from), Some(to)) = (object.get("metadata"), found.get_mut("metadata")) {
        copy(from, to, "name");
        copy(from, to, "namespace");
        if let Value::Object(metadata) = to {
            metadata.remove("ownerReferences");
            if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
                annotations.remove(digest::APPLIED);
            }
        }
    }
    Some(digest::normalise(found))
}

fn copy(from: &Value, to: &mut Value, key: &str) {
    if let (Some(value), Value::Object(to)) = (from.get(key), to) {
        to.insert(key.to_owned(), value.clone());
    }
}

/// The part of a value that these fields name; all of it if they name none.
fn part(value: &Value, fields: &Value) -> Value {
    let Some(fields) = fields.as_object().filter(|it| it.keys().any(|key| key != ".")) else {
        return value.clone();
    };
    match value {
        Value::Object(object) => {
            let named = |(key, inner): (&String, &Value)| {
                let key = key.strip_prefix("f:")?;
                Some((key.to_owned(), part(object.get(key)?, inner)))
            };
            Value::Object(fields.iter().filter_map(named).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let of = |item: &Value| {
                let (_, inner) = fields.iter().find(|(key, _)| names(key, item))?;
                Some(part(item, inner))
            };
            Value::Array(items.iter().filter_map(of).collect())
        }
        leaf => leaf.clone(),
    }
}

/// Whether an entry of recorded fields names this item of a list: by its keys, or by its value.
fn names(entry: &str, item: &Value) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    match entry.split_once(':') {
        Some(("v", value)) => parse(value) == *item,
        Some(("k", keys)) => match parse(keys) {
            Value::Object(keys) => keys.iter().all(|(key, value)| item.get(key) == Some(value)),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_and_the_api_server_set_is_left_out() {
        let fields = json!({
            "f:metadata": {
                "f:annotations": {"f:polder.dev/applied": {}, "f:own": {}},
                "f:ownerReferences": {"k:{\"uid\":\"u\"}": {}},
                "f:finalizers": {"v:\"a\"": {}},
            },
            "f:spec": {"f:template": {"f:spec": {
                "f:containers": {"k:{\"name\":\"main\"}": {
                    ".": {}, "f:name": {}, "f:image": {},
                    "f:ports": {"k:{\"containerPort\":1,\"protocol\":\"TCP\"}": {"f:containerPort": {}}},
                }},
                "f:volumes": {"k:{\"name\":\"tmp\"}": {"f:emptyDir": {}, "f:name": {}}},
            }}},
        });
        let object = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "status": {"replicas": 1},
            "metadata": {
                "name": "w", "namespace": "n", "uid": "x", "finalizers": ["a", "b"],
                "annotations": {"polder.dev/applied": "0", "own": "1", "other": "2"},
                "ownerReferences": [{"uid": "u"}],
                "managedFields": [
                    {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "polder/x", "operation": "Apply", "fieldsV1": fields},
                ],
            },
            "spec": {"replicas": 1, "template": {"spec": {
                "dnsPolicy": "ClusterFirst",
                "containers": [
                    {"name": "main", "image": "i", "imagePullPolicy": "Always",
                        "ports": [{"containerPort": 1, "protocol": "TCP"}]},
                    {"name": "injected", "image": "other"},
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }}},
        });
        let expected = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "w", "namespace": "n", "annotations": {"own": "1"}, "finalizers": ["a"]},
            "spec": {"template": {"spec": {
                "containers": [{"name": "main", "image": "i", "ports": [{"containerPort": 1}]}],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }}},
        });
        assert_eq!(applied(&object, "polder/x"), Some(expected));
        assert_eq!(applied(&object, "polder/y"), None);
    }
}
