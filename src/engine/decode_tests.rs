use serde_json::json;

use super::*;

const THINGS: ResourceType =
    ResourceType { group: "x", version: "v1", kind: "Thing", plural: "things", namespaced: true };

fn decoder(keep: &'static [&'static str]) -> Decoder {
    Decoder { resource: THINGS, keep, managers: Arc::from(["polder/thing"]), root: None, shards: 1 }
}

fn thing() -> Value {
    json!({
        "metadata": {
            "name": "a", "namespace": "n", "uid": "u1", "resourceVersion": "12",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"l": "v"},
            "annotations": {"polder.dev/applied": digest::to_text(5), "x": "y"},
            "ownerReferences": [{"uid": "no"}, {"uid": "owner-uid", "controller": true}],
            "managedFields": [
                {"manager": "polder/thing", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:no": {}}},
                {"manager": "polder/thing", "operation": "Update", "fieldsV1": {"f:no": {}}},
                {"manager": "polder/thing", "operation": "Apply",
                 "fieldsV1": {"f:metadata": {"f:ownerReferences": {"k:{\"uid\":\"owner-uid\"}": {}}}}},
            ],
        },
        "spec": {"replicas": 3, "template": {"big": true}},
        "status": {"readyReplicas": 2},
    })
}

#[test]
fn a_record_keeps_identity_owner_digest_and_our_fields() {
    let incoming = decoder(&[]).decode(&thing().to_string()).unwrap();
    assert_eq!(incoming.path, "n/a");
    assert_eq!(incoming.version, 12);
    assert_eq!(incoming.applied, Some(5));
    assert_eq!(incoming.record.controller.as_deref(), Some("owner-uid"));
    assert_eq!(incoming.record.created.to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(incoming.record.kept.value(), Value::Null);
    let owned = incoming.fields.unwrap();
    assert_eq!(&*owned.fields, r#"{"f:metadata":{"f:ownerReferences":{"k:{\"uid\":\"@\"}":{}}}}"#);
}

#[test]
fn kept_parts_stay_where_they_were() {
    let incoming =
        decoder(&["/status", "/spec/replicas", "/absent"]).decode(&thing().to_string()).unwrap();
    assert_eq!(
        incoming.record.kept.value(),
        json!({"status": {"readyReplicas": 2}, "spec": {"replicas": 3}})
    );
}

#[test]
fn lenient_about_what_is_missing_or_foreign() {
    let bare = r#"{"metadata":{"name":"a","labels":null,"annotations":{"polder.dev/applied":"hand-written"}}}"#;
    let incoming = decoder(&[]).decode(bare).unwrap();
    assert_eq!(incoming.path, "/a");
    assert_eq!(incoming.applied, None);
    assert!(!incoming.record.deleting);
    assert!(decoder(&[]).decode("{}").is_err());
}

#[test]
fn a_root_that_does_not_decode_is_kept_as_broken() {
    let mut decoder = decoder(&[]);
    decoder.root = Some(Arc::new(|_| Err("missing field `size`".to_owned())));
    let mut thing = thing();
    thing["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    thing["status"] = json!({"conditions": [{"type": "Ready", "status": "True", "reason": "Ok"}]});
    let incoming = decoder.decode(&thing.to_string()).unwrap();
    assert!(incoming.record.deleting);
    let root = incoming.root.unwrap();
    assert_eq!(root.object().unwrap_err().as_ref(), "missing field `size`");
    assert_eq!(root.ready, Some(("True".to_owned(), "Ok".to_owned())));
}
