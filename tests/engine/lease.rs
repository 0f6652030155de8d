//! Who leads, and what becomes of it.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use polder::engine::{EngineError, LeaseOptions};
use serde_json::json;

use crate::harness::{Harness, eventually, settle};

pub fn lease(h: &Harness, identity: &str) -> Option<LeaseOptions> {
    let mut options = LeaseOptions::new(h.namespace.clone(), "polder", identity);
    options.duration = Duration::from_secs(3);
    Some(options)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_standby_is_ready_writes_nothing_and_takes_over_at_once_when_the_lease_is_released() {
    let h = Harness::new("standby").await;
    let first = h.start_with(lease(&h, "first")).await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    let second = h.start_with(lease(&h, "second")).await;
    settle().await;
    assert!(
        second
            .metrics
            .render()
            .unwrap()
            .contains("polder_leader_election_master_status{name=\"polder\"} 0")
    );
    assert_eq!(second.metrics.requests_of("apply"), 0);
    let started = Instant::now();
    first.stop().await;
    h.widget("w", json!({"maps": {"a": "2"}})).await;
    h.reason("w", "Ok").await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(second.metrics.requests_of("apply"), 1);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_lease_that_changed_since_it_was_renewed_is_released_too() {
    let h = Harness::new("changed").await;
    let first = h.start_with(lease(&h, "first")).await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    // As a renewal does whose answer is lost with the shutdown.
    let touch = json!({"metadata": {"annotations": {"touched": "yes"}}});
    h.api::<Lease>().patch("polder", &PatchParams::default(), &Patch::Merge(touch)).await.unwrap();
    first.stop().await;
    let lease = h.api::<Lease>().get("polder").await.unwrap();
    assert_eq!(lease.spec.unwrap().holder_identity.unwrap_or_default(), "");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn a_silent_leader_is_replaced_and_a_robbed_one_ends() {
    let h = Harness::new("robbed").await;
    let first = h.start_with(lease(&h, "first")).await;
    h.widget("w", json!({"maps": {"a": "1"}})).await;
    h.reason("w", "Ok").await;
    // Silence: the process is gone without a word.
    first.task.abort();
    let second = h.launch(lease(&h, "second"));
    let started = Instant::now();
    h.widget("w", json!({"maps": {"a": "2"}})).await;
    h.reason("w", "Ok").await;
    let took = started.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(5), "{took:?}");

    let theft = json!({"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 3600}});
    h.api::<Lease>().patch("polder", &PatchParams::default(), &Patch::Merge(theft)).await.unwrap();
    let ended =
        eventually("the robbed leader to end", async || second.task.is_finished().then_some(()));
    ended.await;
    assert!(matches!(second.task.await.unwrap(), Err(EngineError::LeadershipLost)));
}
