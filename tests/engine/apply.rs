//! Children: made, left alone, repaired, refused, taken up, removed.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, Namespace, Secret, Service},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, PostParams, Preconditions},
};
use serde_json::json;

use crate::{
    harness::{Harness, eventually, settle},
    widget::Widget,
};

fn everything() -> serde_json::Value {
    json!({"maps": {"a": "1", "b": "2"}, "late": {"c": "3"}, "port": 80, "secret": true,
        "stateful": true})
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn converges_and_then_sends_nothing_even_after_a_restart() {
    let h = Harness::new("converge").await;
    let engine = h.start().await;
    let audit = h.audit();
    h.widget("w", everything()).await;
    h.reason("w", "Ok").await;
    eventually("the replicas", async || h.api::<Widget>().get("w").await.unwrap().status?.replicas)
        .await;
    settle().await;
    let mut writes = audit.writes().await;
    writes.sort();
    assert_eq!(
        writes,
        [
            "create events 201",
            "create secrets 201",
            "patch configmaps 201",
            "patch configmaps 201",
            "patch configmaps 201",
            "patch services 201",
            "patch statefulsets 201",
            "patch widgets/status 200",
        ],
        "each child once, then the status"
    );
    let secret = h.api::<Secret>().get("w-secret").await.unwrap();
    let token = secret.data.as_ref().unwrap()["token"].0.clone();
    assert_eq!(token.len(), 64);
    assert!(token.iter().all(u8::is_ascii_hexdigit));

    let audit = h.audit();
    let touched = json!({"metadata": {"annotations": {"touched": "yes"}}});
    h.patch::<Widget>("w", touched).await;
    settle().await;
    assert_eq!(audit.requests().await, Vec::<String>::new(), "a second pass");

    engine.stop().await;
    let audit = h.audit();
    let engine = h.start().await;
    settle().await;
    assert_eq!(audit.writes().await, Vec::<String>::new(), "a restart writes nothing");
    let reads = audit.requests().await;
    assert_eq!(reads.iter().filter(|r| r.starts_with("list")).count(), 16, "{reads:?}");
    assert!(reads.iter().all(|r| r.starts_with("list") || r.starts_with("watch")), "{reads:?}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn drift_is_repaired_with_one_apply_and_foreign_additions_stay() {
    let h = Harness::new("drift").await;
    let engine = h.start().await;
    h.widget("w", everything()).await;
    h.reason("w", "Ok").await;
    settle().await;
    let maps = h.api::<ConfigMap>();
    let good = maps.get("w-a").await.unwrap();
    let value = async || maps.get("w-a").await.ok()?.data?.get("value").cloned();

    let drifts = [
        ("a value", json!({"data": {"value": "drift"}})),
        ("a removed value", json!({"data": {"value": null}})),
        ("a removed label", json!({"metadata": {"labels": {"part": null}}})),
        (
            "our managed-by label",
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}}),
        ),
        (
            "another managed-by",
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}),
        ),
        ("the digest", json!({"metadata": {"annotations": {"polder.dev/applied": null}}})),
        ("the owner", json!({"metadata": {"ownerReferences": null}})),
        ("managed fields", json!({"metadata": {"managedFields": [{}]}})),
    ];
    for (what, patch) in drifts {
        let audit = h.audit();
        h.patch::<ConfigMap>("w-a", patch).await;
        eventually(&format!("{what} to be repaired"), async || {
            let now = maps.get("w-a").await.ok()?;
            (now.data == good.data
                && now.metadata.labels == good.metadata.labels
                && now.metadata.annotations == good.metadata.annotations
                && now.metadata.owner_references == good.metadata.owner_references
                && now
                    .managed_fields()
                    .iter()
                    .any(|m| m.manager.as_deref() == Some("polder/widget")))
            .then_some(())
        })
        .await;
        settle().await;
        let writes = audit.writes().await;
        let applied = writes.iter().filter(|w| *w == "patch configmaps 200").count();
        assert_eq!(applied, 1, "{what}: {writes:?}");
        assert!(writes.iter().all(|w| w.starts_with("patch configmaps")), "{what}: {writes:?}");
    }

    maps.delete("w-a", &DeleteParams::default()).await.unwrap();
    eventually("a deleted object to come back", async || value().await).await;

    let audit = h.audit();
    h.patch::<ConfigMap>(
        "w-a",
        json!({"data": {"other": "x"}, "metadata": {"labels": {"y": "z"}}}),
    )
    .await;
    settle().await;
    assert_eq!(audit.requests().await, Vec::<String>::new(), "what is not ours is left alone");

    let sets = h.api::<StatefulSet>();
    h.patch::<StatefulSet>("w", json!({"spec": {"replicas": 3}})).await;
    eventually("replicas to be repaired", async || {
        (sets.get("w").await.ok()?.spec?.replicas == Some(1)).then_some(())
    })
    .await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn what_the_plan_no_longer_has_is_removed() {
    let h = Harness::new("prune").await;
    let engine = h.start().await;
    h.widget("w", everything()).await;
    h.reason("w", "Ok").await;
    let audit = h.audit();
    h.widget("w", json!({"maps": {"a": "new"}})).await;
    h.reason("w", "Ok").await;
    let (maps, services) = (h.api::<ConfigMap>(), h.api::<Service>());
    eventually("the rest to go", async || {
        let gone = maps.get_opt("w-b").await.ok()?.is_none()
            && maps.get_opt("w-c").await.ok()?.is_none()
            && services.get_opt("w-service").await.ok()?.is_none()
            && h.api::<StatefulSet>().get_opt("w").await.ok()?.is_none();
        gone.then_some(())
    })
    .await;
    settle().await;
    let deletes = audit
        .writes()
        .await
        .iter()
        .filter(|w| w.starts_with("delete") && w.ends_with("200"))
        .count();
    assert_eq!(deletes, 4, "each once: {:?}", audit.writes().await);
    assert_eq!(maps.get("w-a").await.unwrap().data.unwrap()["value"], "new");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_foreign_object_is_a_conflict_and_stays_untouched() {
    let h = Harness::new("conflict").await;
    let engine = h.start().await;
    let maps = h.api::<ConfigMap>();
    // One that our watch does not show, and one that it does.
    let shown = json!({"app.kubernetes.io/managed-by": "polder-test"});
    for (name, labels) in [("w", json!({})), ("v", shown)] {
        let map = |suffix: &str| format!("{name}-{suffix}");
        let theirs = json!({"metadata": {"name": map("a"), "labels": labels}, "data": {"x": "y"}});
        let theirs: ConfigMap = serde_json::from_value(theirs).unwrap();
        let theirs = maps.create(&PostParams::default(), &theirs).await.unwrap();
        h.widget(name, json!({"maps": {"a": "1", "b": "2"}, "late": {"c": "3"}})).await;
        let message = h.reason(name, "Conflict").await;
        let object = format!("ConfigMap {}/{name}-a", h.namespace);
        assert_eq!(message, format!("{object} exists and is not Polder's: rename or delete it"));
        settle().await;
        let now = maps.get(&map("a")).await.unwrap();
        assert_eq!(now.metadata.resource_version, theirs.metadata.resource_version);
        assert!(maps.get_opt(&map("b")).await.unwrap().is_some(), "the same rank goes on");
        assert!(maps.get_opt(&map("c")).await.unwrap().is_none(), "the next rank is held");
        maps.delete(&map("a"), &DeleteParams::default()).await.unwrap();
        h.reason(name, "Ok").await;
        assert!(maps.get_opt(&map("c")).await.unwrap().is_some());
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_refused_child_is_told_and_not_sent_again_until_it_changes() {
    let h = Harness::new("reject").await;
    let engine = h.start().await;
    let audit = h.audit();
    h.widget("w", json!({"maps": {"a": "1"}, "port": 99999, "late": {"c": "3"}})).await;
    let message = h.reason("w", "Rejected").await;
    assert!(message.contains("spec.ports[0].port: Invalid value"), "{message}");
    h.patch::<Widget>("w", json!({"metadata": {"annotations": {"touched": "yes"}}})).await;
    settle().await;
    let writes = audit.writes().await;
    assert_eq!(writes.iter().filter(|w| w.contains("services")).count(), 1, "{writes:?}");
    assert!(h.api::<ConfigMap>().get_opt("w-c").await.unwrap().is_none(), "held");
    h.widget("w", json!({"maps": {"a": "1"}, "port": 80, "late": {"c": "3"}})).await;
    h.reason("w", "Ok").await;
    assert!(h.api::<ConfigMap>().get_opt("w-c").await.unwrap().is_some());
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_retained_object_outlives_its_root_and_is_taken_up_again_with_consent() {
    let h = Harness::new("retain").await;
    let engine = h.start().await;
    let namespaces: Api<Namespace> = Api::all(h.client.clone());
    let name = format!("{}-kept", h.namespace);
    h.widget("w", json!({"namespace": name})).await;
    h.reason("w", "Ok").await;
    let made = namespaces.get(&name).await.unwrap();
    assert!(made.metadata.owner_references.is_none());
    h.widget("w", json!({})).await;
    h.reason("w", "Ok").await;
    h.api::<Widget>().delete("w", &DeleteParams::default()).await.unwrap();
    settle().await;
    let kept = namespaces.get(&name).await.unwrap();
    assert!(kept.metadata.deletion_timestamp.is_none(), "never pruned, never deleted");

    h.widget("w", json!({"namespace": name})).await;
    h.reason("w", "Ok").await;
    assert_eq!(namespaces.get(&name).await.unwrap().uid(), kept.uid());

    // Somebody else's, without consent, and then with it.
    let other = format!("{}-other", h.namespace);
    let theirs = serde_json::from_value(json!({"metadata": {"name": other}})).unwrap();
    namespaces.create(&PostParams::default(), &theirs).await.unwrap();
    h.widget("v", json!({"namespace": other})).await;
    let message = h.reason("v", "Conflict").await;
    assert!(message.contains("label it test.polder.dev/widget=v to hand it over"), "{message}");
    let patch =
        kube::api::Patch::Merge(json!({"metadata": {"labels": {"test.polder.dev/widget": "v"}}}));
    namespaces.patch(&other, &kube::api::PatchParams::default(), &patch).await.unwrap();
    h.reason("v", "Ok").await;
    for name in [name, other] {
        namespaces.delete(&name, &DeleteParams::default()).await.unwrap();
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn an_object_on_its_way_out_is_waited_for() {
    let h = Harness::new("waiting").await;
    let engine = h.start().await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    let maps = h.api::<ConfigMap>();
    let uid = maps.get("w-a").await.unwrap().uid();
    h.patch::<ConfigMap>("w-a", json!({"metadata": {"finalizers": ["test.polder.dev/slow"]}}))
        .await;
    maps.delete("w-a", &DeleteParams::default()).await.unwrap();
    let message = h.reason("w", "Held").await;
    assert!(message.contains("still being deleted"), "{message}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    h.patch::<ConfigMap>("w-a", json!({"metadata": {"finalizers": null}})).await;
    h.reason("w", "Ok").await;
    assert_ne!(maps.get("w-a").await.unwrap().uid(), uid);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_hold_keeps_later_ranks_back() {
    let h = Harness::new("hold").await;
    let engine = h.start().await;
    h.widget("w", json!({"maps": {"a": "1"}, "late": {"c": "3"}, "hold": true})).await;
    h.reason("w", "Held").await;
    assert!(h.api::<ConfigMap>().get_opt("w-a").await.unwrap().is_some());
    assert!(h.api::<ConfigMap>().get_opt("w-c").await.unwrap().is_none());
    h.widget("w", json!({"maps": {"a": "1"}, "late": {"c": "3"}})).await;
    h.reason("w", "Ok").await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_recreated_root_waits_for_what_its_predecessor_leaves() {
    let h = Harness::new("again").await;
    let engine = h.start().await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    let maps = h.api::<ConfigMap>();
    let old = maps.get("w-a").await.unwrap();
    // So that the garbage collector cannot be faster than we are.
    h.patch::<ConfigMap>("w-a", json!({"metadata": {"finalizers": ["test.polder.dev/slow"]}}))
        .await;
    h.api::<Widget>().delete("w", &DeleteParams::background()).await.unwrap();
    h.widget("w", json!({"maps": {"a": "2"}})).await;
    let message = h.reason("w", "Held").await;
    assert!(message.contains("still being deleted"), "{message}");
    assert_eq!(maps.get("w-a").await.unwrap().data, old.data, "not taken over");
    h.patch::<ConfigMap>("w-a", json!({"metadata": {"finalizers": null}})).await;
    // The garbage collector learns of a new CRD within half a minute; do its work if it is late.
    let only_the_old = Preconditions { uid: old.uid(), resource_version: None };
    let params = DeleteParams { preconditions: Some(only_the_old), ..DeleteParams::default() };
    let _ = maps.delete("w-a", &params).await;
    h.reason("w", "Ok").await;
    let new = maps.get("w-a").await.unwrap();
    assert_ne!(new.uid(), old.uid());
    assert_eq!(new.data.unwrap()["value"], "2");
    engine.stop().await;
}
