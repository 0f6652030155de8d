use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn normalising_drops_what_means_nothing_and_keeps_what_does() {
    let object = json!({
        "metadata": {"name": "a", "labels": {}, "annotations": null, "creationTimestamp": null},
        "spec": {
            "podSelector": {"matchLabels": {}},
            "ingress": [],
            "egress": [{}],
            "volumes": [{"name": "v", "emptyDir": {}}, null],
            "nodeSelector": {},
            "env": [{"name": "A", "value": ""}],
        },
        "status": {"phase": "Active"},
    });
    assert_eq!(
        normalise(object),
        json!({
            "metadata": {"name": "a"},
            "spec": {
                "podSelector": {},
                "egress": [{}],
                "volumes": [{"name": "v", "emptyDir": {}}],
                "env": [{"name": "A", "value": ""}],
            },
        })
    );
}

#[test]
fn string_data_becomes_data() {
    let secret = json!({"stringData": {"user": "sa"}, "data": {"x": "eA=="}});
    assert_eq!(normalise(secret), json!({"data": {"user": "c2E=", "x": "eA=="}}));
}

/// A change of this value makes every child of every fleet be applied again.
#[test]
fn the_digest_is_pinned() {
    let object = json!({"b": [1, "x", true, 1.5], "a": {"z": "ü\n", "c": {}}});
    assert_eq!(to_text(digest("uid", &object)), "4d7fa50f3c87c745ee38e586d94e7f34");
    assert_ne!(digest("uid", &object), digest("other", &object));
}

#[test]
fn digests_survive_their_text() {
    assert_eq!(from_text(&to_text(7)), Some(7));
    assert_eq!(from_text("7"), None);
    assert_eq!(from_text("not a digest, but of 32 letters."), None);
}

/// `FieldsV1` as a real API server recorded them.
#[test]
fn recorded_fields_cover_what_was_sent() {
    let desired = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "s", "namespace": "n", "labels": {"a": "b"},
            "ownerReferences": [{"apiVersion": "x/v1", "kind": "W", "name": "w", "uid": "@"}]},
        "spec": {"clusterIP": "None", "selector": {"app": "x"},
            "ports": [{"name": "web", "port": 80, "targetPort": "web"}]},
    });
    let fields = json!({
        "f:metadata": {"f:labels": {"f:a": {}}, "f:ownerReferences": {"k:{\"uid\":\"@\"}": {}}},
        "f:spec": {"f:clusterIP": {}, "f:selector": {},
            "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}":
                {".": {}, "f:name": {}, "f:port": {}, "f:targetPort": {}}}},
    });
    assert!(covers_object(&fields, &desired));

    let mut lost = fields.clone();
    lost["f:spec"].as_object_mut().unwrap().remove("f:clusterIP");
    assert!(!covers_object(&lost, &desired), "a field taken by somebody else");

    let mut lost = fields.clone();
    lost["f:metadata"].as_object_mut().unwrap().remove("f:ownerReferences");
    assert!(!covers_object(&lost, &desired), "the owner reference removed");

    let mut lost = fields.clone();
    lost["f:spec"]["f:ports"]["k:{\"port\":80,\"protocol\":\"TCP\"}"]
        .as_object_mut()
        .unwrap()
        .remove("f:targetPort");
    assert!(!covers_object(&lost, &desired), "a field of a list item");

    let mut moved = desired;
    moved["spec"]["ports"][0]["port"] = json!(81);
    assert!(!covers_object(&fields, &moved), "another item");
}

#[test]
fn sets_are_covered_by_value() {
    let fields = json!({"f:finalizers": {".": {}, "v:\"a\"": {}, "v:\"b\"": {}}});
    assert!(covers(&fields, &json!({"finalizers": ["b"]})));
    assert!(!covers(&fields, &json!({"finalizers": ["c"]})));
}

#[test]
fn an_empty_object_needs_its_node() {
    assert!(covers(&json!({"f:emptyDir": {}}), &json!({"emptyDir": {}})));
    assert!(!covers(&json!({"f:name": {}}), &json!({"emptyDir": {}})));
}

/// Objects without lists, whose recorded fields are easy to make.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<i64>().prop_map(Value::from), "[a-z]{0,5}".prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop::collection::btree_map("[a-z]{1,4}", inner, 1..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    })
}

fn recorded(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter().map(|(key, value)| (format!("f:{key}"), recorded(value))).collect(),
        ),
        _ => json!({}),
    }
}

/// Removes the first leaf found.
fn lose_one(fields: &mut Value) -> bool {
    let Value::Object(map) = fields else { return false };
    for key in map.keys().cloned().collect::<Vec<_>>() {
        if map[&key].as_object().is_some_and(Map::is_empty) {
            map.remove(&key);
            return true;
        }
        if lose_one(&mut map[&key]) {
            // A node that lost its last child would read as a leaf; the server drops such nodes.
            if map[&key].as_object().is_some_and(Map::is_empty) {
                map.remove(&key);
            }
            return true;
        }
    }
    false
}

proptest! {
    #[test]
    fn everything_sent_is_covered_and_every_loss_is_seen(value in tree()) {
        let mut fields = recorded(&value);
        prop_assert!(covers(&fields, &value));
        if lose_one(&mut fields) && !fields.as_object().unwrap().is_empty() {
            prop_assert!(!covers(&fields, &value));
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once(value in tree()) {
        let once = normalise(value);
        prop_assert_eq!(normalise(once.clone()), once);
    }

    #[test]
    fn digests_tell_values_apart(a in tree(), b in tree()) {
        prop_assert_eq!(a == b, digest("u", &a) == digest("u", &b));
    }
}
