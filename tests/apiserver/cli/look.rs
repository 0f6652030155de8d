//! Commands that only look: status, tree, why, logs.

use std::process::Command;

use serde_json::{Value, json};

use super::{member, path_with_plugins, polder, polder_with};
use crate::{
    install::{installation, run},
    manifests::{CLUSTER, HELD, SCHEDULED},
    tenant::Tenant,
};

/// A domain with a cluster that is ready, a schedule, and a job that no node takes.
pub async fn domain(name: &str) -> Tenant {
    let tenant = Tenant::ready(name).await;
    for yaml in [CLUSTER, SCHEDULED, HELD] {
        tenant.apply(yaml).await;
    }
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("BatchJob", "nightly").await;
    tenant.wait_reason("BatchJob", "held", "Unschedulable").await;
    tenant
}

#[tokio::test]
async fn status_tells_usage_workloads_and_what_to_do() {
    let tenant = domain("cli-status").await;
    let report = polder(&["status", "cli-status", "-o", "json"]).json(1);
    let pods = report["quota"].as_array().unwrap().iter().find(|it| it["resource"] == "pods");
    assert_eq!(pods.unwrap()["hard"], "100", "{report:#}");
    let state = |name: &str| {
        let workloads = report["workloads"].as_array().unwrap();
        workloads.iter().find(|it| it["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!([state("etl"), state("held")], [json!("Ready"), json!("Progressing")]);
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["object"], &problem["reason"]),
        (&json!("bjob/held"), &json!("Unschedulable"))
    );
    assert_eq!(problem["todo"], "add nodes, or ask for less");

    let screen = polder(&["status", "cli-status"]);
    let screen = screen.ended(1);
    assert!(screen.contains("More: polder why bjob/held -n cli-status"), "{screen}");
    assert!(!screen.contains('\x1b'), "no colours where there is no terminal: {screen}");
    let all = polder(&["status"]);
    assert!(all.ended(1).contains("cli-status"), "{}", all.out);
    tenant.end();
}

#[tokio::test]
async fn members_see_their_workloads_without_the_domain() {
    let tenant = domain("cli-member").await;
    let leads = member("leads").await;
    let report = polder_with(&leads, &["status", "cli-member", "-o", "json"]).json(1);
    assert_eq!(report["state"], Value::Null);
    assert_eq!(report["workloads"].as_array().unwrap().len(), 3);
    let all = polder_with(&leads, &["status"]);
    assert!(all.refused().contains("name yours: polder status DOMAIN"), "{}", all.err);
    polder_with(&leads, &["why", "etl", "-n", "cli-member"]).ended(0);
    let tree = polder_with(&leads, &["tree", "etl", "-n", "cli-member"]);
    assert!(tree.ended(0).contains("StatefulSet etl-master  1/1 ready"), "{}", tree.out);
    let stranger = member("strangers").await;
    let refused = polder_with(&stranger, &["why", "held", "-n", "cli-member"]);
    assert!(refused.refused().contains("cannot get"), "{}", refused.err);
    tenant.end();
}

#[tokio::test]
async fn tree_shows_each_part_under_its_owner() {
    let tenant = domain("cli-tree").await;
    let tree = polder(&["tree", "domain/cli-tree", "-o", "json"]).json(0);
    let child = |node: &Value, kind: &str, name: &str| {
        let children = node["children"].as_array().unwrap();
        let is_it =
            |it: &&Value| it["kind"] == kind && it["name"].as_str().unwrap().starts_with(name);
        children.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}: {node:#}")).clone()
    };
    let workers = child(&child(&tree, "SparkCluster", "etl"), "StatefulSet", "etl-worker");
    assert_eq!(workers["state"], "2/2 ready");
    assert_eq!(child(&workers, "Pod", "etl-worker-shuffle-0")["state"], "Running");
    let run = child(&child(&tree, "BatchJob", "held"), "Job", "held-");
    assert_eq!(child(&run, "Pod", "held-")["state"], "Pending");
    child(&child(&tree, "SparkCluster", "etl"), "PersistentVolumeClaim", "disk1-etl");
    child(&tree, "ResourceQuota", "");
    tenant.end();
}

#[tokio::test]
async fn why_goes_down_to_the_pod_and_says_what_to_do() {
    let tenant = domain("cli-why").await;
    let why = polder(&["why", "bjob", "held", "-n", "cli-why", "-o", "json"]).json(1);
    assert!(why["says"].as_str().unwrap().contains("has no node yet"), "{why:#}");
    assert!(why["steps"].to_string().contains("Pending"), "{why:#}");
    assert_eq!(why["todo"][0], "add nodes, or ask for less");
    let well = polder(&["why", "spc/etl", "-n", "cli-why"]);
    assert!(well.ended(0).contains("Nothing is wrong."), "{}", well.out);
    let logs = polder(&["logs", "held", "-n", "cli-why"]);
    assert!(logs.refused().contains("has not started yet (Pending)"), "{}", logs.err);
    tenant.end();
}

#[tokio::test]
async fn what_cannot_be_is_told_in_one_line() {
    let tenant = domain("cli-wrong").await;
    let place = ["-n", "cli-wrong"];
    let says = |arguments: &[&str], text: &str| {
        let said = polder(&[arguments, &place].concat());
        assert!(said.refused().contains(text), "{arguments:?}: {}", said.err);
    };
    says(&["why", "helt"], "there is batchjob/held");
    says(&["tree", "spc/elt"], "there is sparkcluster/etl");
    says(&["why", "pod/x"], "pod is no kind of Polder");
    says(&["why", "job/held"], "did you mean \"batchjob\"?");
    says(&["sql", "etl"], "there is no SqlEndpoint etl in namespace cli-wrong");
    says(&["ui", "nightly"], "has no Spark UI");
    says(
        &["why", "etl", "--context", "nowhere"],
        "there is no context nowhere in the kubeconfig; there is",
    );
    says(&["why", "etl", "--kubeconfig", "/nowhere"], "no cluster is known");
    // In another namespace than it was looked for.
    tenant.apply(&CLUSTER.replace("name: etl", "name: lonely")).await;
    let lost = polder(&["tree", "lonely", "-n", "default"]);
    assert!(lost.refused().contains("there is sparkcluster/lonely -n cli-wrong"), "{}", lost.err);
    // A name that two objects have.
    tenant.apply(&CLUSTER.replace("name: etl", "name: held")).await;
    says(&["why", "held"], "held may be sparkcluster/held or batchjob/held");
    let usage = polder(&["status", "-n", "cli-wrong"]);
    assert_eq!(usage.code, 2);
    assert!(usage.err.contains("give its name alone: cli-wrong"), "{}", usage.err);
    let usage = polder(&["statsu"]);
    assert_eq!(usage.code, 2);
    assert!(usage.err.contains("a similar subcommand exists: 'status'"), "{}", usage.err);
    tenant.end();
}

#[tokio::test]
async fn kubectl_finds_the_plugin() {
    let tenant = domain("cli-plugin").await;
    let path = path_with_plugins();
    let kubectl = |arguments: &[&str]| {
        let output = Command::new("kubectl").args(arguments).env("PATH", path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(kubectl(&["polder", "status", "cli-plugin"]).contains("Domain cli-plugin"));
    assert!(kubectl(&["polder", "why", "--help"]).contains("Usage: kubectl polder why"));
    tenant.end();
}

#[tokio::test]
async fn top_adds_up_what_is_reserved_and_what_it_costs() {
    let tenant = domain("cli-top").await;
    let prices = ["--price-cpu", "1", "--price-memory", "1", "--price-storage", "1", "-o", "json"];
    let top = polder(&[&["top", "cli-top"], &prices[..]].concat()).json(0);
    let line = &top[0];
    assert_eq!((&line["name"], &line["costCenter"]), (&json!("cli-top"), &json!("4711")));
    // Master, two workers, and the pod that no node takes.
    assert_eq!(line["pods"], 4, "{top:#}");
    let number = |name: &str| line[name].as_f64().unwrap();
    let cost = number("cores") + number("memoryGib") + number("storageGib");
    assert!((number("costPerHour") - cost).abs() < 1e-6 && number("storageGib") >= 5.0, "{top:#}");
    assert!(polder(&["top", "cli-tip"]).refused().contains("there is no Domain cli-tip"));
    tenant.end();
}

#[tokio::test]
async fn a_support_bundle_holds_all_but_secrets() {
    const PLANTED: &str = "hunter2-planted";
    let tenant = domain("cli-bundle").await;
    let meta = json!({"name": "planted", "labels": {"polder.dev/domain": "cli-bundle"}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"a": PLANTED}});
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": PLANTED}});
    for object in [secret, config] {
        run("kubectl", &["apply", "-n", "cli-bundle", "-f", "-"], &object.to_string());
    }
    let container =
        json!({"env": [{"name": "X", "value": PLANTED}], "args": ["--password", PLANTED]});
    tenant.patch("BatchJob", "nightly", json!({"spec": {"container": container}})).await;
    let file = installation().await.folder.join("bundle.tar.gz");
    let file = file.to_str().unwrap();
    assert!(polder(&["support-bundle", "cli-bundle", "-f", file]).ended(0).contains("files"));
    let files = run("tar", &["tzf", file], "");
    for name in ["objects/batchjobs.json", "children/pods.json", "children/secrets-metadata.json"] {
        assert!(files.contains(name), "{name} is not in it: {files}");
    }
    let texts = run("tar", &["xzOf", file], "");
    assert!(!texts.contains(PLANTED), "the planted secret is in it");
    // That of base64, as Secrets have it.
    assert!(!texts.contains("aHVudGVyMi1wbGFudGVk"), "the planted secret is in it");
    assert!(texts.contains("\"name\":\"planted\"") && texts.contains("nightly-schedule"));

    let nobody = member("nobody-at-all").await;
    let other = installation().await.folder.join("nothing.tar.gz");
    let said = polder_with(&nobody, &["support-bundle", "-f", other.to_str().unwrap()]);
    assert!(said.refused().contains("so no file is written"), "{}", said.err);
    assert!(!other.exists());
    tenant.end();
}
