//! What breaks, and heals.

use crate::cluster::{
    DOMAIN, apply, beeline, get, kubectl, list, ready, try_kubectl, wait, wait_ready, wait_reason,
};

const WORKERS: &str = "app.kubernetes.io/name=spark-cluster,app.kubernetes.io/component=worker";

/// Sums the squares of 0..N over a shuffle, slowly enough to be disturbed: 48 partitions of about
/// a second each before, and 48 after.
const SHUFFLE: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: shuffle-job}
data:
  shuffle.py: |
    import time
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.getOrCreate()
    N, SLICES = 200000, 48
    def slow(rows):
        time.sleep(1)
        return rows
    pairs = spark.sparkContext.parallelize(range(N), SLICES).mapPartitions(slow).map(lambda i: (i % 997, i * i))
    total = pairs.groupByKey(SLICES).mapPartitions(slow).map(lambda pair: sum(pair[1])).sum()
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.faults")
    spark.createDataFrame([(int(total),)], "total long").writeTo("lake.faults.squares").using("iceberg").createOrReplace()
    spark.stop()
---
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: shuffle}
spec:
  spark:
    main: {configMap: {name: shuffle-job, key: shuffle.py}}
    driver: {resources: {cpu: 100m, cpuLimit: "2", memory: 1Gi}}
    clusterRef: {name: etl, executorMemory: 512Mi}
    sparkConf: {spark.task.maxFailures: "8", spark.stage.maxConsecutiveAttempts: "8"}
  timeout: 15m
"#;

#[test]
fn shuffle_files_lie_on_the_volumes_and_a_killed_worker_costs_no_result() {
    wait_ready("sparkcluster", "etl");
    apply(SHUFFLE);
    let files = |pod: &str, disk: &str| {
        let find = ["exec", "-n", DOMAIN, pod, "--", "find", disk, "-name", "shuffle_*"];
        String::from_utf8_lossy(&try_kubectl(&find, None).stdout).lines().count()
    };
    let pods: Vec<String> = list("pods", WORKERS)
        .iter()
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    for disk in ["/data/disk1", "/data/disk2"] {
        wait(&format!("shuffle files on {disk}"), || {
            pods.iter().any(|pod| files(pod, disk) > 0).then_some(())
        });
    }
    let victim = &pods[0];
    let uid = |pod: &str| get("pod", pod).map(|pod| pod["metadata"]["uid"].to_string());
    let before = uid(victim);
    kubectl(&["delete", "pod", "-n", DOMAIN, victim, "--grace-period=0", "--force"]);
    wait("the killed worker to come back", || {
        uid(victim).filter(|now| Some(now) != before.as_ref())
    });
    wait_ready("sparkcluster", "etl");

    let job = wait_reason("batchjob", "shuffle", &["Succeeded", "Failed"]);
    assert_eq!(ready(&job)["reason"], "Succeeded", "{job:#}");
    let expected: u64 = (0..200_000_u64).map(|i| i * i).sum();
    assert_eq!(beeline("SELECT total FROM lake.faults.squares"), [expected.to_string()]);
    kubectl(&["delete", "batchjob", "shuffle", "-n", DOMAIN]);
}

#[test]
fn an_image_that_does_not_exist_is_named_and_the_fix_recovers() {
    let job = |image: &str| {
        format!(
            r"
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {{name: typo}}
spec:
  container:
    image: {image}
    command: [psql, --version]
    resources: {{cpu: 20m, cpuLimit: 500m, memory: 64Mi}}
"
        )
    };
    apply(&job("localhost/polder-postgrse:15"));
    let broken = wait_reason("batchjob", "typo", &["ImagePullBackOff", "ErrImagePull"]);
    let message = ready(&broken)["message"].to_string();
    assert!(message.contains("localhost/polder-postgrse:15"), "{message}");
    apply(&job("localhost/polder-postgres:15"));
    let mended = wait_reason("batchjob", "typo", &["Succeeded"]);
    assert_eq!(mended["status"]["lastRun"]["result"], "Succeeded", "{mended:#}");
    kubectl(&["delete", "batchjob", "typo", "-n", DOMAIN]);
}

#[test]
fn a_failing_program_says_why() {
    apply(
        r#"
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: fails}
spec:
  spark:
    main: {sql: "SELECT * FROM lake.weather.no_such_table"}
    driver: {resources: {cpu: 100m, cpuLimit: "2", memory: 1Gi}}
    clusterRef: {name: etl, executorMemory: 512Mi}
"#,
    );
    let job = wait_reason("batchjob", "fails", &["Failed", "Error"]);
    let run = &job["status"]["lastRun"];
    assert_eq!(run["result"], "Failed", "{job:#}");
    let message = run["message"].to_string();
    assert!(message.contains("exit code 1"), "{message}");
    assert!(message.contains("no_such_table"), "{message}");
    kubectl(&["delete", "batchjob", "fails", "-n", DOMAIN]);
}

#[test]
fn a_killed_operator_starts_no_run_twice() {
    let jobs = || {
        let mut names: Vec<String> = list("jobs", "app.kubernetes.io/instance in (load,monthly)")
            .iter()
            .map(|job| job["metadata"]["uid"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let before = jobs();
    kubectl(&[
        "delete",
        "pod",
        "-n",
        "polder-system",
        "-l",
        "app.kubernetes.io/name=polder",
        "--grace-period=0",
        "--force",
    ]);
    kubectl(&["rollout", "status", "-n", "polder-system", "deployment/polder", "--timeout=180s"]);
    // The new leader works once it has taken a change to its end.
    apply(
        r"
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: after-restart}
spec:
  container:
    image: localhost/polder-postgres:15
    command: [psql, --version]
    resources: {cpu: 20m, cpuLimit: 500m, memory: 64Mi}
",
    );
    wait_reason("batchjob", "after-restart", &["Succeeded"]);
    assert_eq!(jobs(), before);
    kubectl(&["delete", "batchjob", "after-restart", "-n", DOMAIN]);
}
