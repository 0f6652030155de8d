//! Nobody but the operator can create a pod in a domain before quota, limits and isolation are in
//! force: shown with a Domain and a hundred pods made at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    api::path,
    audit::Mark,
    cluster::{self, request},
    tenant::Tenant,
};

const DOMAIN: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec:
  deletionPolicy: Delete
  quota: {hard: {pods: "40", requests.cpu: "4"}}
  limits: {default: {cpu: 30m, memory: 64Mi}, defaultRequest: {cpu: 20m, memory: 32Mi}}
"#;

fn pod(index: usize, account: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("early-{account}-{index}")},
        "spec": {
            "serviceAccountName": account,
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "c", "image": "registry.example.com/x:1", "securityContext":
                {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_pod_is_let_in_before_the_bounds_hold() {
    let name = "v-order";
    let tenant = Tenant::new(name).await;
    let client = cluster::client().await;
    let mark = Mark::now();
    let (attempts, deadline) = (AtomicUsize::new(0), Instant::now() + Duration::from_mins(2));
    let ended = AtomicUsize::new(0);
    let url = path("Pod", name, "");
    // Until it is let in, or the quota is full.
    let insist = async |index: usize| {
        let pod = pod(index, "spark");
        while Instant::now() < deadline {
            attempts.fetch_add(1, Ordering::Relaxed);
            match request(&client, "POST", &url, Some(&pod)).await {
                Ok(pod) => return Some(pod),
                Err(refusal) if refusal.contains("exceeded quota") => return None,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        panic!("early-spark-{index} was neither let in nor refused by the quota");
    };
    // Under the account that every namespace has from its first moment.
    let sneak = async |index: usize| {
        let pod = pod(index, "default");
        while ended.load(Ordering::Relaxed) == 0 {
            let answer = request(&client, "POST", &url, Some(&pod)).await;
            assert!(answer.is_err(), "{answer:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let insisting = async {
        let all = futures::future::join_all((0..100).map(insist)).await;
        ended.store(1, Ordering::Relaxed);
        all
    };
    let sneaking = futures::future::join_all((0..5).map(sneak));
    let (pods, _, _) = tokio::join!(insisting, sneaking, tenant.apply(DOMAIN));
    tenant.wait_ready("Domain", name).await;

    // By effect: the quota counted every one of them, and each has the limits of the domain.
    let pods: Vec<Value> = pods.into_iter().flatten().collect();
    assert_eq!(pods.len(), 40, "of 100 pods the quota lets in 40");
    for pod in &pods {
        let resources = &pod["spec"]["containers"][0]["resources"];
        let limits = json!({"limits": {"cpu": "30m", "memory": "64Mi"}, "requests": {"cpu": "20m", "memory": "32Mi"}});
        assert_eq!(resources, &limits, "{}", pod["metadata"]["name"]);
    }
    // By order in the store, which is one for all of the cluster.
    let version = |object: &Value| -> u64 {
        object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
    };
    let first = pods.iter().map(version).min().unwrap();
    for (kind, name) in [
        ("LimitRange", "v-order-limits"),
        ("NetworkPolicy", "v-order-isolation"),
        ("ServiceAccount", "spark"),
    ] {
        let object = tenant.get(kind, name).await.unwrap();
        assert!(version(&object) < first, "{kind} {name} is younger than a pod");
    }
    // And by the audit log: the quota's status was there before.
    let log = mark.all();
    let time = |line: &Value| line["stageTimestamp"].as_str().unwrap().to_owned();
    let of = |line: &Value, resource: &str, verb: &str| {
        line["objectRef"]["resource"] == resource
            && line["objectRef"]["namespace"] == name
            && line["verb"] == verb
            && line["responseStatus"]["code"].as_u64().is_some_and(|code| code < 300)
    };
    let in_force = log
        .iter()
        .find(|line| {
            of(line, "resourcequotas", "update") && line["objectRef"]["subresource"] == "status"
        })
        .expect("the quota's status was set");
    let admitted: Vec<String> = log
        .iter()
        .filter(|line| of(line, "pods", "create") && line["objectRef"]["subresource"].is_null())
        .map(time)
        .collect();
    assert_eq!(admitted.len(), 40);
    assert!(admitted.iter().all(|at| *at > time(in_force)), "{admitted:?} {}", time(in_force));
    eprintln!("{} attempts for 100 pods", attempts.load(Ordering::Relaxed));
    tenant.end();
}
