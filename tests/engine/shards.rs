//! Several engines that share the work, and one that counts otherwise.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use polder::engine::LeaseOptions;

use crate::harness::{Harness, Running, eventually, settle};

fn lease(h: &Harness, identity: &str) -> Option<LeaseOptions> {
    crate::lease::lease(h, identity)
}

/// Holders of the leases, by shard.
async fn holders(h: &Harness, count: usize) -> Vec<String> {
    let api: Api<Lease> = h.api();
    let mut holders = Vec::new();
    for shard in 0..count {
        let name = if shard == 0 { "polder".to_owned() } else { format!("polder-{shard}") };
        let lease = api.get_opt(&name).await.unwrap();
        holders.push(lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default());
    }
    holders
}

async fn until_held_by(h: &Harness, count: usize, names: &[&str]) {
    let what = format!("{count} shards to be held by {names:?}, each about as many");
    eventually(&what, async || {
        let holders = holders(h, count).await;
        let counts = names.iter().map(|name| holders.iter().filter(|h| h == name).count());
        let counts: Vec<usize> = counts.collect();
        let (least, most) = (counts.iter().min()?, counts.iter().max()?);
        (counts.iter().sum::<usize>() == count && most - least <= 1).then_some(())
    })
    .await;
}

async fn stop(running: Vec<Running>) {
    for engine in running {
        engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn the_first_hands_over_until_the_work_is_even_and_those_that_stay_take_over() {
    let h = Harness::new("shards").await;
    let first = h.launch_sharded(lease(&h, "first"), 4);
    until_held_by(&h, 4, &["first"]).await;
    let second = h.launch_sharded(lease(&h, "second"), 4);
    until_held_by(&h, 4, &["first", "second"]).await;
    // Every object is looked at by the one or the other.
    for i in 0..6 {
        h.widget(&format!("w{i}"), serde_json::json!({"maps": {"a": "1"}})).await;
    }
    for i in 0..6 {
        h.reason(&format!("w{i}"), "Ok").await;
    }
    let writes = |engine: &Running| engine.metrics.requests_of("apply");
    assert_eq!(writes(&first) + writes(&second), 6);
    // All of one namespace are one's.
    assert!(writes(&first) == 0 || writes(&second) == 0);
    first.stop().await;
    until_held_by(&h, 4, &["second"]).await;
    h.widget("w0", serde_json::json!({"maps": {"a": "2"}})).await;
    h.reason("w0", "Ok").await;
    stop(vec![second]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn whoever_counts_otherwise_waits_until_all_others_are_gone() {
    let h = Harness::new("counts").await;
    let three = h.launch_sharded(lease(&h, "three"), 3);
    until_held_by(&h, 3, &["three"]).await;
    let one = h.launch_sharded(lease(&h, "one"), 1);
    let four = h.launch_sharded(lease(&h, "four"), 4);
    settle().await;
    // A shard that only the last knows is free, and is not taken.
    assert_eq!(holders(&h, 4).await, ["three", "three", "three", ""]);
    three.stop().await;
    eventually("one of the two to take everything it knows", async || {
        let holders = holders(&h, 4).await;
        (holders == ["one", "", "", ""] || holders == ["four"; 4]).then_some(())
    })
    .await;
    stop(vec![one, four]).await;
}
