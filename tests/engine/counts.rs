//! What work costs in requests and in objects held: counts, which no busy machine changes.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, api::ListParams};
use serde_json::json;

use crate::{
    harness::{Harness, Running, eventually, settle},
    widget::OURS,
};

const ROOTS: usize = 5;

/// What /metrics says of a series, labels and all.
fn metric(engine: &Running, series: &str) -> Option<f64> {
    let text = engine.metrics.render().unwrap();
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

fn count(requests: &[String], what: &str) -> usize {
    requests.iter().filter(|request| request.starts_with(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn every_request_has_a_reason() {
    let h = Harness::new("counts").await;
    let audit = h.audit();
    let engine = h.start().await;
    for i in 0..ROOTS {
        h.widget(&format!("w{i}"), json!({"maps": {"a": "1", "b": "2"}, "late": {"c": "3"}})).await;
    }
    for i in 0..ROOTS {
        h.reason(&format!("w{i}"), "Ok").await;
    }
    settle().await;
    let requests = audit.requests().await;
    let types = polder_types();
    assert_eq!(count(&requests, "patch configmaps"), 3 * ROOTS, "{requests:#?}");
    assert_eq!(count(&requests, "patch widgets/status"), ROOTS, "{requests:#?}");
    assert_eq!(count(&requests, "get "), 0, "{requests:#?}");
    assert_eq!(
        count(&requests, "list "),
        types,
        "one list per type, and none later: {requests:#?}"
    );
    // The store holds what is there, no more: other tests leave some for the garbage collector.
    let maps: Api<ConfigMap> = Api::all(h.client.clone());
    let ours = ListParams::default().labels(OURS);
    eventually("the store to hold each ConfigMap once", async || {
        let there = maps.list(&ours).await.unwrap().items.len();
        let held = metric(&engine, "polder_store_objects{kind=\"ConfigMap\"}")?;
        (there >= 3 * ROOTS && held.to_string() == there.to_string()).then_some(())
    })
    .await;
    let held = metric(&engine, "polder_store_objects{kind=\"Widget\"}");
    assert_eq!(held.map(|held| held.to_string()), Some(ROOTS.to_string()));
    let passes = "polder_reconcile_total{controller=\"widget\",result=\"success\"}";
    let before = metric(&engine, passes).unwrap();
    assert!(before <= 2.0 * 5.0, "{before} passes for {ROOTS} roots");

    // Nobody changes anything: nothing is asked for.
    let audit = h.audit();
    settle().await;
    assert_eq!(audit.requests().await, Vec::<String>::new());
    engine.stop().await;

    // A restart reads, once for each type, and writes nothing.
    let audit = h.audit();
    let engine = h.start().await;
    eventually("all roots to be looked at", async || {
        metric(&engine, passes).filter(|passes| *passes >= 5.0)
    })
    .await;
    settle().await;
    let requests = audit.requests().await;
    assert_eq!(count(&requests, "list "), types, "{requests:#?}");
    assert!(requests.iter().all(|request| is_reading(request)), "{requests:#?}");
    engine.stop().await;
}

fn is_reading(request: &str) -> bool {
    request.starts_with("list ") || request.starts_with("watch ")
}

/// Types that the engine under test watches: its two kinds, and their children's.
fn polder_types() -> usize {
    2 + crate::widget::watches().len()
}
