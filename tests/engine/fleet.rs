//! Many roots: how long they take, next to the same writes sent raw.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio::time::sleep;

use crate::harness::Harness;

const ROOTS: usize = 200;
const CHILDREN: usize = 8;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement; needs KUBECONFIG"]
async fn fleet() {
    let h = Harness::new("fleet").await;
    let maps: serde_json::Map<_, _> =
        (0..CHILDREN).map(|i| (format!("m{i}"), json!("some value"))).collect();

    let floor = {
        let client = h.engine_client();
        let api: Api<ConfigMap> = Api::namespaced(client.clone(), &h.namespace);
        let params = PatchParams::apply("floor").force();
        let started = Instant::now();
        stream::iter(0..ROOTS * CHILDREN)
            .map(|i| {
                let (api, params) = (api.clone(), params.clone());
                async move {
                    let name = format!("floor-{i}");
                    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": {"name": name, "labels": {"a": "b"}}, "data": {"value": "x"}});
                    api.patch(&name, &params, &Patch::Apply(object)).await.unwrap();
                }
            })
            .buffer_unordered(16)
            .collect::<Vec<()>>()
            .await;
        started.elapsed()
    };

    stream::iter(0..ROOTS)
        .map(|i| h.widget_quietly(i, json!({"maps": maps})))
        .buffer_unordered(16)
        .collect::<Vec<()>>()
        .await;
    let audit = h.audit();
    let started = Instant::now();
    let engine = h.start().await;
    let filled = started.elapsed();
    let ready = format!("polder_resources{{controller=\"widget\",ready=\"True\"}} {ROOTS}\n");
    while !engine.metrics.render().unwrap().contains(&ready) {
        sleep(Duration::from_millis(5)).await;
    }
    let took = started.elapsed();
    let looks = passes(&engine.metrics.render().unwrap());
    let writes = audit.writes().await;
    println!(
        "{ROOTS} roots x {CHILDREN} children: {took:?} (stores filled {filled:?}), {} writes; \
         floor for the children {floor:?}; events {}; passes {looks}",
        writes.len(),
        writes.iter().filter(|w| w.contains("events")).count()
    );
    engine.stop().await;
    let audit = h.audit();
    let started = Instant::now();
    let engine = h.start().await;
    let filled = started.elapsed();
    while passes(&engine.metrics.render().unwrap()) < ROOTS {
        sleep(Duration::from_millis(2)).await;
    }
    println!("restart: stores filled {filled:?}, every root looked at {:?}", started.elapsed());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(audit.writes().await, Vec::<String>::new());
    engine.stop().await;
}

fn passes(metrics: &str) -> usize {
    metrics
        .lines()
        .filter(|line| line.starts_with("polder_reconcile_total{controller=\"widget\""))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
        .sum()
}

impl Harness {
    async fn widget_quietly(&self, index: usize, spec: serde_json::Value) {
        self.widget(&format!("w{index}"), spec).await;
    }
}
