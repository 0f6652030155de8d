//! Logs of tenants, as docs/how-to/logs.md has them shipped: the real OpenTelemetry Collector reads them
//! where a node keeps them, and the real VictoriaLogs keeps them for as long as the Domain says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    manifests::HELD,
    operator::free_port,
    process::run,
    program::{Program, start},
    tenant::Tenant,
};

const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/how-to/logs/collector.yaml");
const EXPIRE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/how-to/logs/expire.sh");
const DAY: Duration = Duration::from_hours(24);

/// A line as Spark 4.1 wrote it with Polder's log configuration.
const SPARK: &str = r#"{"ts":"2026-11-26T01:51:56.729Z","level":"ERROR","msg":"Task 0 in stage 3.0 failed 1 times; aborting job","logger":"TaskSetManager","domain":"x","kind":"batch-job","name":"load"}"#;
/// A line of a tenant who would rather be another, and break the store.
const FORGED: &str =
    r#"{"msg":"forged","polder.domain":"OTHER","domain":"OTHER","kind":["a"],"k8s.pod.name":"x"}"#;

/// The store, and the shipper of one node's files.
struct Shipping {
    port: u16,
    folder: PathBuf,
    _programs: [Program; 2],
}

impl Shipping {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("polder-shipping-{}", std::process::id()));
        fs::create_dir_all(folder.join("pods")).unwrap();
        let port = free_port();
        let store = start(
            "victoria-logs",
            &folder,
            &[
                format!("-storageDataPath={}", folder.join("store").display()),
                format!("-httpListenAddr=127.0.0.1:{port}"),
                // At most; Domains say less.
                "-retentionPeriod=1y".to_owned(),
                "-delete.enable".to_owned(),
            ],
            &[],
        );
        let path = |name: &str| folder.join(name).display().to_string();
        let shipper = start(
            "otelcol",
            &folder,
            &[format!("--config={CONFIGURATION}")],
            &[
                ("POD_LOGS", path("pods")),
                ("COLLECTOR_STATE", path("state")),
                ("KUBE_AUTH", "kubeConfig".to_owned()),
                // Their port may be taken.
                ("COLLECTOR_METRICS", "none".to_owned()),
                // Pods of all nodes: this one plays them all.
                ("NODE_NAME", String::new()),
                ("LOG_STORE", format!("http://127.0.0.1:{port}")),
            ],
        );
        Self { port, folder, _programs: [store, shipper] }
    }

    /// Lines that a query of LogsQL finds.
    fn find(&self, query: &str) -> Vec<Value> {
        let url = format!("http://127.0.0.1:{}/select/logsql/query", self.port);
        let form = format!("query={query}");
        let answer = Command::new("curl").args(["-sf", &url, "--data-urlencode", &form]).output();
        let lines = String::from_utf8(answer.unwrap().stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn of_domain(&self, domain: &str) -> Vec<Value> {
        self.find(&format!("{{\"polder.domain\"=\"{domain}\"}}"))
    }

    /// What the store is asked to delete by the script of the docs.
    fn expire(&self) -> String {
        let command = format!("LOG_STORE=http://127.0.0.1:{} sh {EXPIRE}", self.port);
        run("sh", &["-c", &command], "")
    }
}

/// Writes what a pod printed, as a node does: an old line, and new ones.
fn print(folder: &Path, pod: &Value, lines: &[&str]) {
    let metadata = &pod["metadata"];
    let [namespace, name, uid] =
        ["namespace", "name", "uid"].map(|field| metadata[field].as_str().unwrap());
    let folder = folder.join("pods").join(format!("{namespace}_{name}_{uid}")).join("driver");
    fs::create_dir_all(&folder).unwrap();
    let now = Timestamp::now();
    let text = lines.iter().fold(format!("{} stdout F old\n", now - 20 * DAY), |text, line| {
        format!("{text}{now} stderr F {line}\n")
    });
    fs::write(folder.join("0.log"), text).unwrap();
}

/// A domain that keeps its logs so long, and the pod of a job in it.
async fn domain(name: &str, retention: &str) -> (Tenant, Value) {
    let tenant = Tenant::ready(name).await;
    let logs = json!({"spec": {"logs": {"retention": retention}}});
    tenant.patch("Domain", name, logs).await;
    tenant.apply(HELD).await;
    let pod = tenant
        .wait("the pod of a job", async || {
            tenant.list("Pod", "app.kubernetes.io/instance=held").await.into_iter().next()
        })
        .await;
    (tenant, pod)
}

#[tokio::test]
async fn logs_of_a_domain_are_found_by_its_name_and_kept_as_long_as_it_says() {
    let ((short, pod), (long, other)) =
        tokio::join!(domain("s-short", "14d"), domain("s-long", "30d"));
    let shipping = Shipping::start();
    print(&shipping.folder, &pod, &[SPARK, "plain words", &FORGED.replace("OTHER", "s-long")]);
    print(&shipping.folder, &other, &["plain words"]);
    short
        .wait("the logs to be in the store", async || {
            let found = ["s-short", "s-long"].map(|name| shipping.of_domain(name).len());
            (found == [4, 2]).then_some(())
        })
        .await;
    let spark = &shipping.find("aborting")[0];
    let labels = ["polder.domain", "polder.kind", "polder.name", "polder.role", "line.level"];
    let expected = ["s-short", "batch-job", "held", "container", "ERROR"];
    assert_eq!(labels.map(|label| spark[label].as_str().unwrap()), expected, "{spark:#}");
    assert_eq!(spark["_msg"], "Task 0 in stage 3.0 failed 1 times; aborting job");

    let said = shipping.expire();
    assert!(said.contains("domain s-short: logs older than 14d go"), "{said}");
    short
        .wait("what is too old to go", async || {
            let old = ["s-short", "s-long"].map(|name| {
                shipping.of_domain(name).iter().filter(|line| line["_msg"] == "old").count()
            });
            (old == [0, 1]).then_some(())
        })
        .await;
    assert_eq!(shipping.of_domain("s-short").len(), 3, "what is not too old stays");
    fs::remove_dir_all(&shipping.folder).unwrap();
    short.end();
    long.end();
}
