//! Install, upgrade from the release before, roll back, uninstall, install again: what runs in a domain
//! never notices.

use std::{collections::BTreeMap, time::Duration};

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::{Api, condition, is_current, path},
    cluster::eventually,
    helm::{alone, say},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, SCHEDULED},
    process::{NAMESPACE, run},
    release::{Running, Version, remove, upgrade},
};

const PATIENCE: Duration = Duration::from_mins(2);
const WORKLOADS: [(&str, &str); 3] =
    [("SparkCluster", "etl"), ("SqlEndpoint", "bi"), ("BatchJob", "nightly")];
/// Whatever runs, holds data or is an address.
const KEPT: [&str; 7] =
    ["Pod", "StatefulSet", "Job", "CronJob", "PersistentVolumeClaim", "Service", "Secret"];

/// What of a domain is not to change: identity, and the generation of those that have one. Status
/// does not raise it.
async fn fingerprint(api: &Api, domain: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for kind in KEPT {
        for object in api.list(kind, domain, "").await {
            let metadata = &object["metadata"];
            let name = format!("{kind} {}", metadata["name"].as_str().unwrap());
            let generation = if kind == "Pod" { &Value::Null } else { &metadata["generation"] };
            found.insert(name, format!("{} generation {generation}", metadata["uid"]));
        }
    }
    found
}

async fn wait_ready(api: &Api, domain: &str) {
    for (kind, name) in [("Domain", domain)].into_iter().chain(WORKLOADS) {
        let mut last = Value::Null;
        let ready = eventually(PATIENCE, async || {
            last = api.get(kind, domain, name).await?;
            (is_current(&last) && condition(&last, "Ready")["status"] == "True").then_some(())
        });
        let ready = ready.await;
        ready.unwrap_or_else(|| panic!("{kind} {name} is not ready: {:#}", last["status"]));
    }
}

/// Compares what is there with itself: this version says that the operator is of another, and that it
/// would restart nothing.
fn diff_says_that_the_operator_is_another(domain: &str) {
    let file = std::env::temp_dir().join(format!("polder-chart-{domain}.yaml"));
    let manifests = [DOMAIN, CLUSTER, ENDPOINT, SCHEDULED, HELD].join("---");
    std::fs::write(&file, manifests.replace("NAME", domain)).unwrap();
    let diff = ["diff", "-n", domain, "-f", file.to_str().unwrap()];
    let said = say(env!("CARGO_BIN_EXE_polder"), &diff);
    let (then, now) = ("0.1.0", env!("CARGO_PKG_VERSION"));
    let warning = format!("the cluster runs Polder {then}, and this is {now}: what follows");
    assert!(said.err.starts_with(&warning), "{}", said.err);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "what the upgrade is not to do either");
}

/// Plays the kubelet for the pod of `helm test`: runs the operator's program with the pod's
/// arguments, as the pod's account, and writes how it ended.
async fn test_pod_runs(api: &Api, operator: &Running) -> String {
    let url = path("Pod", NAMESPACE, "polder-check");
    let pod = eventually(PATIENCE, async || {
        let pod = api.get("Pod", NAMESPACE, "polder-check").await?;
        (pod["status"]["phase"] == "Running").then_some(pod)
    });
    let pod = pod.await.expect("helm makes the pod of its test");
    let arguments = pod["spec"]["containers"][0]["args"].as_array().unwrap();
    let here = format!("--operator=http://127.0.0.1:{}", operator.operator.port);
    let arguments: Vec<String> = arguments
        .iter()
        .map(|it| it.as_str().unwrap())
        .map(|it| if it.starts_with("--operator=") { here.clone() } else { it.to_owned() })
        .collect();
    let said = operator.say(&arguments);
    let phase = if said.code == 0 { "Succeeded" } else { "Failed" };
    let patch = json!({"status": {"phase": phase}});
    api.send("PATCH", &format!("{url}/status"), Some(&patch)).await.unwrap();
    said.out + &said.err
}

/// `helm test`, and what its pod says.
async fn helm_test(helm: &'static str, api: &Api, operator: &Running) -> (i32, String) {
    let test = std::thread::spawn(move || {
        say(helm, &["test", "polder", "-n", NAMESPACE, "--timeout", "2m"])
    });
    let said = test_pod_runs(api, operator).await;
    (test.join().unwrap().code, said)
}

#[rstest]
#[case::helm_3("helm")]
#[case::helm_4("helm4")]
#[tokio::test]
async fn what_runs_in_a_domain_outlives_every_release(#[case] helm: &'static str) {
    let _alone = alone().await;
    let api = Api::new().await;
    let (previous, this) = (Version::previous(), Version::this());
    let domain = &format!("c-{helm}");
    let restricted = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}, \
         labels: {{pod-security.kubernetes.io/enforce: restricted}}}}}}"
    );
    run("kubectl", &["apply", "-f", "-"], &restricted);

    upgrade(helm, &previous.chart);
    let operator = previous.operator().await;
    api.apply("", &DOMAIN.replace("NAME", domain)).await;
    for workload in [CLUSTER, ENDPOINT, SCHEDULED, HELD] {
        api.apply(domain, workload).await;
    }
    wait_ready(&api, domain).await;
    let pods = eventually(PATIENCE, async || {
        let held = api.list("Pod", domain, "app.kubernetes.io/instance=held").await;
        (held.len() == 1).then_some(())
    });
    pods.await.expect("the job that is held has a pod");
    let before = fingerprint(&api, domain).await;
    assert!(before.len() > 12, "{before:#?}");
    diff_says_that_the_operator_is_another(domain);
    operator.stop();

    upgrade(helm, &this.chart);
    let operator = this.operator().await;
    operator.idle().await;
    wait_ready(&api, domain).await;
    assert_eq!(fingerprint(&api, domain).await, before, "after the upgrade");
    let (code, said) = helm_test(helm, &api, &operator).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ok   CustomResourceDefinitions: all 4"), "{said}");
    assert!(said.contains("ok   admission policies: they hold the operator"), "{said}");
    operator.stop();

    say(helm, &["rollback", "polder", "-n", NAMESPACE, "--wait", "--timeout", "2m"]).well();
    let operator = previous.operator().await;
    operator.idle().await;
    wait_ready(&api, domain).await;
    assert_eq!(fingerprint(&api, domain).await, before, "after the rollback");
    operator.stop();

    upgrade(helm, &this.chart);
    say(helm, &["uninstall", "polder", "-n", NAMESPACE, "--wait"]).well();
    assert_eq!(fingerprint(&api, domain).await, before, "after uninstalling");
    assert!(api.get("Domain", "", domain).await.is_some(), "the Domain stays");
    assert!(api.get("Deployment", NAMESPACE, "polder").await.is_none());
    let left = run("kubectl", &["get", "clusterroles", "-o", "name"], "");
    assert!(left.contains("/polder-domain-admin\n") && left.contains("/polder-spark-driver\n"));
    assert!(!left.contains("/polder-operator"), "{left}");
    let may = ["auth", "can-i", "create", "batchjobs", "-n", domain, "--as=x", "--as-group=leads"];
    assert_eq!(say("kubectl", &may).out, "yes\n", "members stay members");

    upgrade(helm, &this.chart);
    let operator = this.operator().await;
    operator.idle().await;
    wait_ready(&api, domain).await;
    assert_eq!(fingerprint(&api, domain).await, before, "after installing again");
    api.delete("Domain", "", domain).await;
    let gone =
        eventually(PATIENCE, async || api.get("Domain", "", domain).await.is_none().then_some(()));
    gone.await.expect("the domain goes");
    operator.stop();
    remove(helm);
}

#[tokio::test]
async fn the_test_fails_where_the_cluster_is_not_as_the_operator_needs_it() {
    let _alone = alone().await;
    let api = Api::new().await;
    upgrade("helm", &Version::this().chart);
    let operator = Version::this().operator().await;
    let bindings = "polder-operator-namespaces";
    run("kubectl", &["delete", "validatingadmissionpolicybinding", bindings], "");
    // The API server takes a moment to see that the binding is gone.
    let failed = eventually(PATIENCE, async || {
        let (code, said) = helm_test("helm", &api, &operator).await;
        (code == 1).then_some(said)
    });
    let said = failed.await.expect("the test fails");
    assert!(said.contains("FAIL admission policies: they do not hold the operator"), "{said}");
    assert!(said.contains("1 of 5 checks failed"), "{said}");
    operator.stop();
    remove("helm");
}

#[tokio::test]
async fn an_operator_without_definitions_says_so_and_goes_on_when_they_come() {
    let _alone = alone().await;
    let this = Version::this();
    upgrade("helm", &this.chart);
    run("kubectl", &["delete", "crd", "batchjobs.polder.dev"], "");
    let running = this.start();
    let complaint = eventually(PATIENCE, async || {
        let log = running.operator.log("is its CustomResourceDefinition installed?");
        log.into_iter().find(|line| line.contains("BatchJob"))
    });
    assert!(complaint.await.is_some(), "{}", running.operator.tail(""));
    assert!(running.operator.http("/readyz").is_none(), "it is not ready");
    let said = running.say(&["check".to_owned()]);
    assert!(said.code == 1 && said.out.contains("they lack BatchJob: polder crds"), "{}", said.out);

    let definitions = say(env!("CARGO_BIN_EXE_polder"), &["crds"]).well();
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    run("kubectl", &apply, &definitions);
    running.operator.ready().await;
    running.stop();
    remove("helm");
    // Those that were applied by hand lack the chart's labels.
    run("kubectl", &["delete", "--ignore-not-found", "-f", "-"], &definitions);
}
