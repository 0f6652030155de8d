//! What the policies cost: the same dry runs with and without them, in turns. Not part of the tests:
//!
//! ```console
//! cargo test --locked --test apiserver -- --ignored --nocapture latency
//! ```

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::asker::{Asker, workload};
use crate::{
    cluster::{eventually, request},
    tenant::Tenant,
    turn::alone,
};

const ROUNDS: usize = 9;
const REQUESTS: usize = 60;
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds of each of so many dry runs.
async fn measure(asker: &Asker, kind: &str, object: &Value) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let start = Instant::now();
        asker.send("POST", kind, "", "?dryRun=All", Some(object)).await.unwrap();
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times
}

#[tokio::test]
#[ignore = "measures; takes the policies away meanwhile"]
async fn latency_of_admission() {
    let name = "v-latency";
    let tenant = Tenant::ready(name).await;
    let admin = Asker::admin(name).await;
    drop(tenant);
    let _alone = alone().await;
    let tenant = Tenant::alone(name).await;
    let client = &tenant.api.client;
    let driver = Asker::driver(name, "bi-sql-0", "uid").await;
    let resources = json!({"cpu": "20m", "memory": "2Gi"});
    let env: Vec<Value> = (0..4)
        .map(|n| json!({"name": format!("V{n}"), "secret": {"name": format!("s{n}"), "key": "k"}}))
        .collect();
    let endpoint = |env: &[Value]| {
        let spec = json!({"env": env, "sparkConf": {"spark.sql.shuffle.partitions": "4"},
            "driver": {"resources": resources}, "executors": {"min": 0, "max": 2, "resources": resources}});
        workload("SqlEndpoint", "fresh", &spec)
    };
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fresh"}, "spec": {
        "serviceAccountName": "spark", "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "registry.example.com/x:1", "securityContext":
            {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh"}});
    let subjects = [
        ("a workload", &admin, "SqlEndpoint", endpoint(&[])),
        ("a workload with 4 Secrets", &admin, "SqlEndpoint", endpoint(&env)),
        ("a pod by a driver", &driver, "Pod", pod),
        ("a ConfigMap", &admin, "ConfigMap", map),
    ];
    let list = request(client, "GET", BINDINGS, None).await.unwrap();
    let ours = |it: &&Value| it["metadata"]["name"].as_str().unwrap().starts_with("polder-");
    let bindings: Vec<Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(ours)
        .map(|it| json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": it["metadata"]["name"]}, "spec": it["spec"]}))
        .collect();
    let act = async |wanted: bool| {
        let forged = json!({"metadata": {"annotations": {"polder.dev/x": "y"}}});
        let url = format!("/api/v1/namespaces/{name}?dryRun=All");
        let seen = eventually(Duration::from_secs(30), async || {
            let refused = request(client, "PATCH", &url, Some(&forged)).await.is_err();
            (refused == wanted).then_some(())
        });
        seen.await.expect("the policies follow their bindings");
        // All bindings are read at once, every second.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    };
    let mut medians = vec![(Vec::new(), Vec::new()); subjects.len()];
    for _ in 0..ROUNDS {
        for with in [true, false] {
            for binding in &bindings {
                let url = format!("{BINDINGS}/{}", binding["metadata"]["name"].as_str().unwrap());
                if with {
                    let _ = request(client, "POST", BINDINGS, Some(binding)).await;
                } else {
                    request(client, "DELETE", &url, None).await.unwrap();
                }
            }
            act(with).await;
            for ((_, asker, kind, object), found) in subjects.iter().zip(&mut medians) {
                let times = median(measure(asker, kind, object).await);
                if with { found.0.push(times) } else { found.1.push(times) }
            }
        }
    }
    for binding in &bindings {
        request(client, "POST", BINDINGS, Some(binding)).await.unwrap();
    }
    for ((what, ..), (with, without)) in subjects.iter().zip(medians) {
        let added = with.iter().zip(&without).map(|(with, without)| with - without).collect();
        eprintln!(
            "{what}: {:.2} ms with, {:.2} ms without, {:.2} ms added (medians of {ROUNDS} pairs of {REQUESTS})",
            median(with),
            median(without),
            median(added)
        );
    }
}
