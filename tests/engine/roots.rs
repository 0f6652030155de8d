//! Roots: wrong, broken, depending on each other, deleted, and one that brings out a bug.

use k8s_openapi::{
    api::core::v1::ConfigMap,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, CustomResourceExt, ResourceExt,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
    core::ApiResource,
};
use serde_json::json;

use crate::{
    harness::{Harness, eventually, settle},
    widget::{Gadget, Widget},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_problem_stops_everything_and_tells() {
    let h = Harness::new("problem").await;
    let engine = h.start().await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    settle().await;
    let audit = h.audit();
    h.widget("w", json!({"maps": {"b": "1"}, "wrong": true})).await;
    assert_eq!(h.reason("w", "Wrong").await, "spec.wrong is wrong: set it to false");
    settle().await;
    let maps = h.api::<ConfigMap>();
    assert!(maps.get_opt("w-b").await.unwrap().is_none(), "nothing is applied");
    assert!(maps.get_opt("w-a").await.unwrap().is_some(), "nothing is pruned");
    assert_eq!(audit.writes().await, ["patch widgets/status 200", "create events 201"]);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_root_is_woken_by_the_root_it_looked_for() {
    let h = Harness::new("friend").await;
    let engine = h.start().await;
    h.widget("w", json!({"friend": "v"})).await;
    h.reason("w", "NoFriend").await;
    h.widget("v", json!({"size": 7})).await;
    h.reason("w", "Ok").await;
    let size = async || h.api::<Widget>().get("w").await.ok()?.status?.friend_size;
    assert_eq!(size().await, Some(7));
    h.widget("v", json!({"size": 8})).await;
    eventually("the new size", async || (size().await == Some(8)).then_some(())).await;
    h.api::<Widget>().delete("v", &DeleteParams::default()).await.unwrap();
    h.reason("w", "NoFriend").await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_status_that_somebody_changed_is_put_right_once() {
    let h = Harness::new("status").await;
    let engine = h.start().await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    settle().await;
    let before = h.api::<Widget>().get("w").await.unwrap().status.unwrap();
    let audit = h.audit();
    let wrong = json!({"status": {"held": true, "secret": true}});
    h.api::<Widget>()
        .patch_status("w", &PatchParams::default(), &Patch::Merge(wrong))
        .await
        .unwrap();
    eventually("the status to be right", async || {
        (!h.api::<Widget>().get("w").await.ok()?.status?.held).then_some(())
    })
    .await;
    settle().await;
    assert_eq!(audit.writes().await, ["patch widgets/status 200"]);
    let after = h.api::<Widget>().get("w").await.unwrap().status.unwrap();
    assert_eq!(before.conditions[0].last_transition_time, after.conditions[0].last_transition_time);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_root_that_brings_out_a_bug_is_told_and_hurts_nobody() {
    let h = Harness::new("panic").await;
    let engine = h.start().await;
    h.widget("bad", json!({"panic": true})).await;
    let message = h.reason("bad", "InternalError").await;
    assert!(message.contains("asked to panic"), "{message}");
    h.widget("good", json!({"maps": {"a": "1"}})).await;
    h.reason("good", "Ok").await;
    let metrics = engine.metrics.render().unwrap();
    assert!(metrics.contains("polder_reconcile_panics_total{controller=\"widget\"}"), "{metrics}");
    h.widget("bad", json!({"maps": {"a": "1"}})).await;
    h.reason("bad", "Ok").await;
    let bad = h.api::<Widget>().get("bad").await.unwrap();
    assert_eq!(bad.status.unwrap().conditions.len(), 1, "Stalled is gone");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_root_that_cannot_be_read_is_told_and_hurts_nobody() {
    let h = Harness::new("broken").await;
    // The schema of another time lets a text stand where a number is expected.
    let mut crd = serde_json::to_value(Widget::crd()).unwrap();
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size";
    *crd.pointer_mut(path).unwrap() = json!({"x-kubernetes-preserve-unknown-fields": true});
    let crds: Api<CustomResourceDefinition> = Api::all(h.client.clone());
    let params = PatchParams::apply("test").force();
    crds.patch("widgets.test.polder.dev", &params, &Patch::Apply(crd)).await.unwrap();
    let resource = ApiResource::erase::<Widget>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(h.client.clone(), &h.namespace, &resource);
    let object = json!({"apiVersion": "test.polder.dev/v1", "kind": "Widget",
        "metadata": {"name": "old"}, "spec": {"size": "large"}});
    eventually("the loose schema", async || {
        let object = serde_json::from_value(object.clone()).unwrap();
        api.create(&PostParams::default(), &object).await.ok()
    })
    .await;

    let engine = h.start().await;
    let condition = async |reason: &str| {
        let old = api.get("old").await.unwrap();
        let conditions = old.data["status"]["conditions"].as_array()?.clone();
        conditions.into_iter().find(|c| c["type"] == "Stalled" && c["reason"] == reason)
    };
    let stalled = eventually("a stalled condition", async || condition("Undecodable").await).await;
    assert!(stalled["message"].as_str().unwrap().contains("invalid type: string \"large\""));
    h.widget("good", json!({"maps": {"a": "1"}})).await;
    h.reason("good", "Ok").await;
    settle().await;
    let audit = h.audit();
    settle().await;
    assert_eq!(audit.writes().await, Vec::<String>::new());
    let fixed = json!({"spec": {"size": 3}});
    api.patch("old", &PatchParams::default(), &Patch::Merge(fixed)).await.unwrap();
    h.reason("old", "Ok").await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_finalizer_holds_the_root_until_its_work_is_done() {
    let h = Harness::new("finalizer").await;
    let engine = h.start().await;
    let gadgets: Api<Gadget> = Api::all(h.client.clone());
    let name = h.namespace.clone();
    let gadget: Gadget = serde_json::from_value(json!({
        "apiVersion": "test.polder.dev/v1", "kind": "Gadget",
        "metadata": {"name": name, "finalizers": ["test.polder.dev/other"]},
        "spec": {"namespace": h.namespace},
    }))
    .unwrap();
    gadgets.create(&PostParams::default(), &gadget).await.unwrap();
    let map = format!("{name}-gadget");
    let maps = h.api::<ConfigMap>();
    eventually("the map", async || maps.get_opt(&map).await.ok()?).await;
    let held = gadgets.get(&name).await.unwrap();
    assert_eq!(held.finalizers(), ["test.polder.dev/other", "test.polder.dev/gadget"]);

    h.patch::<ConfigMap>(&map, json!({"metadata": {"finalizers": ["test.polder.dev/slow"]}})).await;
    let audit = h.audit();
    gadgets.delete(&name, &DeleteParams::default()).await.unwrap();
    settle().await;
    assert!(gadgets.get(&name).await.unwrap().finalizers().len() == 2, "waits for the map");
    let writes = audit.writes().await;
    assert_eq!(writes.iter().filter(|w| w.starts_with("delete configmaps")).count(), 1);
    assert!(!writes.iter().any(|w| w.starts_with("patch configmaps")), "{writes:?}");
    h.patch::<ConfigMap>(&map, json!({"metadata": {"finalizers": null}})).await;
    eventually("our finalizer to go", async || {
        (gadgets.get(&name).await.ok()?.finalizers() == ["test.polder.dev/other"]).then_some(())
    })
    .await;
    let none = json!({"metadata": {"finalizers": null}});
    gadgets.patch(&name, &PatchParams::default(), &Patch::Merge(none)).await.unwrap();
    settle().await;
    assert!(maps.get_opt(&map).await.unwrap().is_none());
    engine.stop().await;
}
