//! `polder diff` against a cluster with running workloads.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    cli::member,
    install::installation,
    manifests::{CLUSTER, DOMAIN, SCHEDULED},
    operator::Operator,
    tenant::Tenant,
    turn::alone,
};

const WAITING: &str = "reading what the cluster holds ... ";

/// Exit code and output of `polder diff` of this YAML.
fn diff(tenant: &Tenant, yaml: &str, more: &[&str]) -> (i32, String) {
    polder_of("diff", tenant, yaml, more)
}

fn polder_of(command: &str, tenant: &Tenant, yaml: &str, more: &[&str]) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_polder"))
        .args([command, "-f", "-", "-n", &tenant.name])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let yaml = yaml.replace("NAME", &tenant.name);
    let _ = child.stdin.take().unwrap().write_all(yaml.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    // On a busy machine it says what it waits for.
    let said = said.split_inclusive('\n').filter(|line| !line.starts_with(WAITING)).collect();
    (output.status.code().unwrap(), said)
}

#[track_caller]
fn tells(answer: &(i32, String), texts: &[&str]) {
    for text in texts {
        assert!(answer.0 == 1 && answer.1.contains(text), "`{text}` is not in: {answer:#?}");
    }
}

#[tokio::test]
async fn a_diff_says_what_changes_and_which_pods_restart_and_why() {
    let tenant = Tenant::ready("diff").await;
    let all = format!("{DOMAIN}---{CLUSTER}---{SCHEDULED}");
    tenant.apply(&all).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant
        .until("BatchJob", "nightly", "to be seen", |job| job["status"]["observedGeneration"] == 1)
        .await;

    assert_eq!(diff(&tenant, &all, &[]), (0, String::new()));

    // Configuration: all pods of the cluster, by the key.
    let tuned =
        CLUSTER.replace("spec:\n", "spec:\n  sparkConf: {spark.sql.shuffle.partitions: \"9\"}\n");
    let answer = diff(&tenant, &tuned, &[]);
    tells(
        &answer,
        &["SparkCluster diff/etl", "=> restarts etl-master-0", "spark.sql.shuffle.partitions"],
    );
    // Resources: the pods of that pool and no others.
    let larger = CLUSTER.replace("memory: 2Gi", "memory: 3Gi");
    let answer = diff(&tenant, &larger, &[]);
    tells(&answer, &["etl-worker-shuffle-0, etl-worker-shuffle-1: ", "resources.limits.memory"]);
    assert!(!answer.1.contains("restarts etl-master-0"), "{}", answer.1);
    // Another worker, and fewer.
    let answer = diff(&tenant, &CLUSTER.replace("replicas: 2", "replicas: 3"), &[]);
    tells(&answer, &["spec.replicas: 2 -> 3", "=> starts etl-worker-shuffle-2"]);
    assert!(!answer.1.contains("restarts etl"), "{}", answer.1);
    // What restarts nothing says so.
    let answer = diff(&tenant, &SCHEDULED.replace("29 2", "28 2"), &[]);
    tells(
        &answer,
        &["spec.schedule: 0 0 29 2 * -> 0 0 28 2 *", "=> changes only runs that start later"],
    );
    let richer = DOMAIN.replace("pods: \"100\"", "pods: \"90\"");
    let answer = diff(&tenant, &richer, &[]);
    tells(&answer, &["Domain diff\n", "spec.hard.pods: 100 -> 90", "=> restarts nothing"]);
    // A change of the domain shows in workloads that are not among the files.
    let answer =
        diff(&tenant, &DOMAIN.replace("partitions: \"4\"", "partitions: \"5\""), &["-o", "json"]);
    let json: Value = serde_json::from_str(&answer.1).unwrap();
    let roots: Vec<&str> = json["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["root"].as_str().unwrap())
        .collect();
    assert_eq!(
        (answer.0, roots),
        (1, vec!["Domain diff", "SparkCluster diff/etl"]),
        "{}",
        answer.1
    );
    // What the operator would refuse.
    let answer = diff(
        &tenant,
        &DOMAIN.replace("nodePools", "images: [r.example.com/x]\n    nodePools"),
        &[],
    );
    tells(
        &answer,
        &[
            "BatchJob diff/nightly",
            "nothing of it would be done: spec.container.image",
            "ImageNotAllowed",
        ],
    );
    // What the API server would refuse, as it compares with what is there; the rest goes on.
    let other = CLUSTER.replace("name: disk2, size: 1Gi", "name: disk2, size: 2Gi");
    let answer = diff(&tenant, &format!("{other}---{richer}"), &[]);
    tells(
        &answer,
        &[
            "SparkCluster diff/etl",
            "nothing of it would be done: spec.workers: the volumes of a pool cannot change",
            "spec.hard.pods: 100 -> 90",
        ],
    );
    tenant.end();
}

#[tokio::test]
async fn what_cannot_be_compared_is_said_with_code_2() {
    let tenant = Tenant::new("diff-none").await;
    let answer = diff(&tenant, &CLUSTER.replace("spec:", "spek:"), &[]);
    assert!(answer.0 == 2 && answer.1.contains("did you mean \"spec\"?"), "{answer:?}");
    let nowhere = Command::new(env!("CARGO_BIN_EXE_polder"))
        .args(["diff", "-f", "examples/quickstart"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("KUBECONFIG", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    tenant.end();
}

/// Names of the pods that a diff says would be restarted, started or stopped.
fn told_pods(answer: &(i32, String), what: &str) -> BTreeSet<String> {
    let effects = answer.1.lines().filter_map(|line| line.trim().strip_prefix("=> "));
    let pods = effects.filter_map(|line| line.strip_prefix(what)?.split(": ").next());
    pods.flat_map(|pods| pods.split(", ").map(|pod| pod.trim().to_owned())).collect()
}

/// Uid of each pod of the cluster, by name.
async fn pods(tenant: &Tenant) -> BTreeMap<String, String> {
    let pods = tenant.list("Pod", "app.kubernetes.io/instance=etl").await;
    let text = |pod: &Value, field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
    pods.iter().map(|pod| (text(pod, "name"), text(pod, "uid"))).collect()
}

#[tokio::test]
async fn the_pods_that_a_diff_names_are_those_that_restart() {
    let tenant = Tenant::ready("diff-true").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let conf = "spec:\n  sparkConf: {spark.sql.shuffle.partitions: \"9\"}\n";
    for (what, changed) in [
        ("labels of pods", DOMAIN.replace("costCenter: \"4711\"", "costCenter: \"12\"")),
        ("memory of a pool", CLUSTER.replace("memory: 2Gi", "memory: 3Gi")),
        ("configuration", CLUSTER.replace("spec:\n", conf)),
        ("configuration of the domain", DOMAIN.replace("partitions: \"4\"", "partitions: \"5\"")),
        ("fewer workers", CLUSTER.replace("replicas: 2", "replicas: 1")),
        ("what it was", CLUSTER.to_owned()),
    ] {
        let before = pods(&tenant).await;
        let answer = diff(&tenant, &changed, &[]);
        let mut goes = told_pods(&answer, "restarts ");
        goes.remove("nothing");
        goes.extend(told_pods(&answer, "stops "));
        tenant.apply(&changed).await;
        tenant.wait_ready("Domain", "diff-true").await;
        let names: BTreeSet<String> = before
            .keys()
            .filter(|name| !told_pods(&answer, "stops ").contains(*name))
            .cloned()
            .chain(told_pods(&answer, "starts "))
            .collect();
        // All that goes has gone, and has come back if it was to.
        tenant
            .wait(&format!("{what}: {answer:?}"), async || {
                let now = pods(&tenant).await;
                let is_gone = |name: &String| now.get(name) != before.get(name);
                let is_there = now.keys().cloned().collect::<BTreeSet<_>>() == names;
                (is_there && goes.iter().all(is_gone)).then_some(())
            })
            .await;
        tenant.wait_ready("SparkCluster", "etl").await;
        // And nothing else has.
        let now = pods(&tenant).await;
        let went = before.iter().filter(|(name, uid)| now.get(*name) != Some(*uid));
        let went: BTreeSet<String> = went.map(|(name, _)| name.clone()).collect();
        assert_eq!(went, goes, "{what}: {}", answer.1);
        assert_eq!(diff(&tenant, &changed, &[]), (0, String::new()), "{what}");
    }
    tenant.end();
}

#[tokio::test]
async fn members_compare_with_the_files_of_their_domain() {
    let tenant = Tenant::ready("diff-member").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let leads = member("leads").await;
    let as_lead = ["--kubeconfig", leads.to_str().unwrap()];
    let larger = CLUSTER.replace("memory: 2Gi", "memory: 3Gi");
    let alone = diff(&tenant, &larger, &as_lead);
    let says =
        "you may not read the Domain of namespace diff-member, and it is not among the files";
    assert!(alone.0 == 2 && alone.1.contains(says), "{alone:?}");
    let answer = diff(&tenant, &format!("{DOMAIN}---{larger}"), &as_lead);
    tells(&answer, &["you may not list Domains", "=> restarts etl-worker-shuffle-0"]);
    assert!(!answer.1.contains("etl-master"), "{}", answer.1);
    tenant.end();
}

/// Applies a set as another version of the operator would have made it: with one more variable.
async fn age(tenant: &Tenant, manifests: &str, name: &str) {
    let live = tenant.get("StatefulSet", name).await.unwrap();
    let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    let images = ["--spark-default-version=0", &format!("--spark-image=0={image}")];
    let plan = polder_of("plan", tenant, manifests, &[&images[..], &["-o", "json"]].concat());
    let plan: Value = serde_json::from_str(&plan.1).unwrap();
    let objects = plan["objects"].as_array().unwrap();
    let mut children = objects.iter().flat_map(|it| it["children"].as_array().unwrap());
    let mut set = children
        .find(|it| it["kind"] == "StatefulSet" && it["metadata"]["name"] == name)
        .unwrap()
        .clone();
    set["metadata"]["ownerReferences"] = live["metadata"]["ownerReferences"].clone();
    set["metadata"]["annotations"]["polder.dev/applied"] = json!("0".repeat(32));
    let container = &mut set["spec"]["template"]["spec"]["containers"][0];
    container["env"].as_array_mut().unwrap().push(json!({"name": "OLD", "value": "1"}));
    let path = crate::api::path("StatefulSet", &tenant.name, name);
    let path = format!("{path}?fieldManager=polder/spark-cluster&force=true");
    tenant.api.send("PATCH", &path, Some(&set)).await.unwrap();
}

#[tokio::test]
async fn what_this_version_restarts_by_itself_is_told_apart_and_comes_true() {
    let _alone = alone().await;
    let installation = installation().await;
    let mut operator = Operator::start(installation, "old");
    operator.ready().await;
    let tenant = Tenant::alone("diff-old").await;
    tenant.clean().await;
    let all = format!("{DOMAIN}---{CLUSTER}");
    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", "diff-old").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    assert_eq!(diff(&tenant, &all, &[]), (0, String::new()));
    assert!(operator.terminate(), "{}", operator.tail(""));

    age(&tenant, &all, "etl-master").await;
    tenant
        .until("StatefulSet", "etl-master", "to have pods as the older version makes them", |set| {
            let status = &set["status"];
            status["observedGeneration"] == set["metadata"]["generation"]
                && status["currentRevision"] == status["updateRevision"]
                && status["readyReplicas"] == 1
        })
        .await;
    let before = pods(&tenant).await;
    let answer = diff(&tenant, &all, &[]);
    assert_eq!(answer.0, 0, "the files change nothing: {}", answer.1);
    for text in ["Without these files", "env[OLD]: - ", "By these files\nnothing"] {
        assert!(answer.1.contains(text), "`{text}` is not in: {}", answer.1);
    }
    assert_eq!(told_pods(&answer, "restarts "), ["etl-master-0".to_owned()].into());
    // With files that change something else, each has its own part.
    let larger = CLUSTER.replace("memory: 2Gi", "memory: 3Gi");
    let both = diff(&tenant, &larger, &["-o", "json"]);
    let json: Value = serde_json::from_str(&both.1).unwrap();
    let effects = |part: &str| json[part][0]["effects"][0]["what"].clone();
    assert_eq!(both.0, 1);
    assert_eq!(effects("withoutFiles"), "restarts etl-master-0", "{json:#}");
    let workers = "restarts etl-worker-shuffle-0, etl-worker-shuffle-1";
    assert_eq!(effects("differences"), workers, "{json:#}");

    // This version comes, and does as was said.
    let operator = Operator::start(installation, "new");
    operator.ready().await;
    tenant
        .wait("the master to be replaced", async || {
            let now = pods(&tenant).await;
            let new = now.get("etl-master-0")?;
            (Some(new) != before.get("etl-master-0")).then_some(())
        })
        .await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let mut now = pods(&tenant).await;
    now.insert("etl-master-0".to_owned(), before["etl-master-0"].clone());
    assert_eq!(now, before, "no other pod went");
    assert_eq!(diff(&tenant, &all, &[]), (0, String::new()));
}
