//! Events: told once, told again as a count, never a storm, and never in the words of another time.

use std::time::Instant;

use futures::{StreamExt, stream};
use k8s_openapi::api::{core::v1::ConfigMap, events::v1::Event};
use kube::api::{ListParams, PostParams};
use polder::telemetry::Metrics;
use serde_json::json;

use crate::harness::{Harness, eventually, settle};

/// Type, reason, note and how often, of all events of an object.
async fn told(h: &Harness, name: &str) -> Vec<(String, String, String, i32)> {
    let events = h.api::<Event>().list(&ListParams::default()).await.unwrap();
    let of = |event: &Event| event.regarding.as_ref().and_then(|it| it.name.clone());
    let mut told: Vec<_> = events
        .into_iter()
        .filter(|event| of(event).as_deref() == Some(name))
        .map(|event| {
            let count = event.series.map_or(1, |series| series.count);
            let text = Option::unwrap_or_default;
            (text(event.type_), text(event.reason), text(event.note), count)
        })
        .collect();
    told.sort();
    told
}

fn event(type_: &str, reason: &str, note: &str, count: i32) -> (String, String, String, i32) {
    (type_.to_owned(), reason.to_owned(), note.to_owned(), count)
}

/// `polder_events_total` with this result.
fn counted(metrics: &Metrics, result: &str) -> u64 {
    let start = format!("polder_events_total{{result=\"{result}\"}} ");
    let text = metrics.render().unwrap();
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn what_fails_a_hundred_times_in_the_same_way_is_one_event() {
    let h = Harness::new("events").await;
    let engine = h.start().await;
    for size in 0..100 {
        h.widget("w", json!({"wrong": true, "size": size})).await;
    }
    h.reason("w", "Wrong").await;
    settle().await;
    let wrong = "spec.wrong is wrong: set it to false";
    assert_eq!(told(&h, "w").await, [event("Warning", "Wrong", wrong, 1)]);

    for _ in 0..5 {
        h.widget("w", json!({})).await;
        h.reason("w", "Ok").await;
        h.widget("w", json!({"wrong": true})).await;
        h.reason("w", "Wrong").await;
    }
    let there_and_back = [event("Normal", "Ok", "", 5), event("Warning", "Wrong", wrong, 6)];
    eventually("the counts", async || (told(&h, "w").await == there_and_back).then_some(())).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn another_failure_for_the_same_reason_is_told_in_its_own_words() {
    let h = Harness::new("words").await;
    let engine = h.start().await;
    for name in ["w-one", "w-two"] {
        let theirs = serde_json::from_value::<ConfigMap>(json!({"metadata": {"name": name}}));
        h.api::<ConfigMap>().create(&PostParams::default(), &theirs.unwrap()).await.unwrap();
    }
    let mut notes = Vec::new();
    for name in ["one", "two"] {
        h.widget("w", json!({"maps": {name: "1"}})).await;
        notes.push(h.reason("w", "Conflict").await);
        h.widget("w", json!({})).await;
        h.reason("w", "Ok").await;
    }
    assert!(notes[0].contains("w-one") && notes[1].contains("w-two"), "{notes:?}");
    let expected = [
        event("Normal", "Ok", "", 2),
        event("Warning", "Conflict", &notes[0], 1),
        event("Warning", "Conflict", &notes[1], 1),
    ];
    eventually("both conflicts", async || (told(&h, "w").await == expected).then_some(())).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn many_broken_roots_stay_inside_the_bound_and_what_is_dropped_is_counted() {
    const ROOTS: usize = 300;
    let h = Harness::new("storm").await;
    let names: Vec<String> = (0..ROOTS).map(|number| format!("w{number}")).collect();
    stream::iter(&names)
        .for_each_concurrent(16, async |name| {
            h.widget(name, json!({"wrong": true})).await;
        })
        .await;
    let begin = Instant::now();
    let engine = h.start().await;
    let counted = |result: &str| counted(&engine.metrics, result);
    eventually("an account of every root", async || {
        (counted("sent") + counted("dropped") + counted("failed") == ROOTS as u64).then_some(())
    })
    .await;
    let bound = 100 + 10 * (begin.elapsed().as_secs() + 1);
    let (sent, dropped) = (counted("sent"), counted("dropped"));
    assert!(
        sent <= bound && counted("failed") == 0,
        "{sent} sent, {dropped} dropped, at most {bound}"
    );
    let there = h.api::<Event>().list(&ListParams::default()).await.unwrap().items.len() as u64;
    assert_eq!(there, sent);
    // Nobody goes untold: the status of each says it.
    for name in &names {
        h.reason(name, "Wrong").await;
    }
    engine.stop().await;
}
