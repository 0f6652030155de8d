//! What the quickstart computed, by value, and where its files lie.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{
    cluster::{beeline, get, list, ready, text, wait, wait_ready},
    records,
};

#[test]
fn beeline_sees_the_rows_that_the_job_wrote() {
    wait_ready("batchjob", "load");
    let rows = beeline(
        "SELECT weather, count(*), format_number(sum(precipitation), '0.0') \
         FROM lake.weather.daily GROUP BY weather ORDER BY weather",
    );
    assert_eq!(rows, records::by(|record| record.weather.clone()));
}

#[test]
fn beeline_sees_the_months_that_the_cluster_summed_up() {
    wait_ready("batchjob", "monthly");
    let rows = beeline(
        "SELECT month, days, format_number(precipitation, '0.0') FROM lake.weather.monthly ORDER BY month",
    );
    assert_eq!(rows, records::by(|record| record.month.clone()));
}

#[test]
fn a_connect_client_sees_the_same_rows() {
    let python = std::env::var("POLDER_E2E_CLIENT")
        .expect("POLDER_E2E_CLIENT is not set: run these tests through `dev/test e2e`");
    wait_ready("sqlendpoint", "bi");
    let mut forward = Command::new("kubectl")
        .args(["port-forward", "-n", "weather", "svc/bi-sql", ":15002"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(forward.stdout.as_mut().unwrap()),
        &mut line,
    )
    .unwrap();
    let port: String = line
        .split("127.0.0.1:")
        .nth(1)
        .unwrap_or_else(|| panic!("kubectl port-forward says: {line}"))
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let script = "import sys\n\
        from pyspark.sql import SparkSession\n\
        spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()\n\
        for row in spark.table('lake.weather.daily').groupBy('weather').agg({'*': 'count', 'precipitation': 'sum'}).orderBy('weather').collect():\n\
        \x20   print(f\"{row[0]},{row['count(1)']},{row['sum(precipitation)']:.1f}\")\n";
    let output = Command::new(python)
        .args(["-W", "ignore", "-c", script, &format!("sc://127.0.0.1:{port}")])
        .output()
        .unwrap();
    forward.kill().unwrap();
    forward.wait().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(rows, records::by(|record| record.weather.clone()));
}

#[test]
fn workers_have_two_volumes_of_different_classes() {
    let cluster = wait_ready("sparkcluster", "etl");
    assert_eq!(cluster["status"]["workers"]["ready"], 2);
    let claims =
        list("pvc", "app.kubernetes.io/name=spark-cluster,app.kubernetes.io/component=worker");
    let mut classes: Vec<(String, String)> = claims
        .iter()
        .map(|claim| {
            let name = claim["metadata"]["name"].as_str().unwrap();
            let class = claim["spec"]["storageClassName"].as_str().unwrap().to_owned();
            assert_eq!(claim["status"]["phase"], "Bound", "{name}");
            (name.split('-').next().unwrap().to_owned(), class)
        })
        .collect();
    classes.sort();
    let expected =
        [("disk1", "fast"), ("disk1", "fast"), ("disk2", "standard"), ("disk2", "standard")];
    assert_eq!(classes, expected.map(|(disk, class)| (disk.to_owned(), class.to_owned())));
}

#[test]
fn a_schedule_runs_its_container() {
    let job = wait("a scheduled run to succeed", || {
        let job = get("batchjob", "catalog-check")?;
        (job["status"]["lastRun"]["result"] == "Succeeded").then_some(job)
    });
    assert_eq!(ready(&job)["status"], "True", "{job:#}");
}

#[test]
fn the_domain_tells_its_quota_and_workloads() {
    let domain: Value = wait("the domain's quota", || {
        let domain = get("domain", "weather")?;
        domain["status"]["quota"]["used"]["pods"].is_string().then_some(domain)
    });
    assert_eq!(domain["status"]["quota"]["hard"]["pods"], "30");
    assert_eq!(domain["status"]["workloads"]["sparkClusters"], 1);
}

#[test]
fn no_secret_value_is_anywhere_but_in_secrets() {
    let everything = crate::cluster::kubectl(&[
        "get",
        "polder,configmaps,pods,jobs,cronjobs,statefulsets,events",
        "-A",
        "-o",
        "yaml",
    ]);
    assert!(!everything.contains("quick-start-only"), "the password leaked into an object");
    for pod in list("pods", "app.kubernetes.io/component=driver") {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let log = crate::cluster::try_kubectl(&["logs", "-n", "weather", name], None);
        assert!(!text(&log.stdout).contains("quick-start-only"), "{name} logs the password");
    }
}
