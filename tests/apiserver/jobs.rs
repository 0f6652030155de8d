//! Runs: each once, each told, each with its reason.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::path,
    audit::{Mark, Request},
    manifests::{HELD, JOB, SCHEDULED},
    tenant::Tenant,
};

const HELD_PODS: &str = "app.kubernetes.io/instance=held";

/// Names of the Jobs that the operator made since then.
fn made(mark: Mark, tenant: &Tenant) -> Vec<String> {
    mark.writes_of(&tenant.name)
        .into_iter()
        .filter(|request| request.resource == "jobs" && request.is_creation())
        .map(|request: Request| request.name)
        .collect()
}

/// A pod of the held job that waits for a node.
async fn pending(tenant: &Tenant) -> String {
    let pod = tenant.wait("a pod of the held job", async || {
        let pods = tenant.list("Pod", HELD_PODS).await;
        pods.into_iter().find(|pod| {
            pod["spec"]["nodeName"].is_null() && pod["metadata"]["deletionTimestamp"].is_null()
        })
    });
    pod.await["metadata"]["name"].as_str().unwrap().to_owned()
}

/// Binds a pod to a node, whose simulated kubelet goes by these annotations.
async fn let_run(tenant: &Tenant, pod: &str, annotations: Value) {
    tenant.patch("Pod", pod, json!({"metadata": {"annotations": annotations}})).await;
    let nodes = tenant.api.list("Node", "", "").await;
    tenant.bind(pod, nodes[0]["metadata"]["name"].as_str().unwrap()).await;
}

#[tokio::test]
async fn a_job_runs_once_for_each_distinct_spec() {
    let tenant = Tenant::ready("j-once").await;
    let mark = Mark::now();
    tenant.apply(JOB).await;
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
    let job = tenant.get("BatchJob", "load").await.unwrap();
    let run = &job["status"]["lastRun"];
    assert_eq!(run["result"], "Succeeded", "{job:#}");
    for field in ["startTime", "endTime", "name"] {
        assert!(run[field].is_string(), "{field}: {run:#}");
    }
    // What does not change what is run starts nothing.
    tenant.patch("BatchJob", "load", json!({"spec": {"retries": 3, "timeout": "2h"}})).await;
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
    assert_eq!(made(mark, &tenant).len(), 1);
    // What does, does; and the way back is a new run too.
    for (count, sql) in [(2, "SELECT 2"), (3, "SELECT 1")] {
        tenant.patch("BatchJob", "load", json!({"spec": {"spark": {"main": {"sql": sql}}}})).await;
        tenant
            .until("BatchJob", "load", "to have run again", |job| {
                let runs = job["status"]["runs"].as_array();
                runs.is_some_and(|runs| {
                    runs.len() == count && runs.iter().all(|run| run["result"] == "Succeeded")
                })
            })
            .await;
    }
    let mut names = made(mark, &tenant);
    assert_eq!(names.len(), 3, "{names:?}");
    names.dedup();
    assert_eq!(names.len(), 3, "{names:?}");
    // A finished run that somebody deletes does not come back, nor does one that is over and gone.
    let last = names.pop().unwrap();
    tenant.delete("Job", &last).await;
    tenant.wait_gone("Job", &last).await;
    tenant.patch("BatchJob", "load", json!({"spec": {"retries": 1}})).await;
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
    assert_eq!(made(mark, &tenant).len(), 3);
    tenant.end();
}

#[rstest]
#[case::at_once("j-fails", 0, 1)]
#[case::after_two_tries("j-retries", 1, 2)]
#[tokio::test]
async fn a_failing_run_says_why(#[case] name: &str, #[case] retries: i64, #[case] tries: usize) {
    let tenant = Tenant::ready(name).await;
    tenant.apply(&HELD.replace("spec:", &format!("spec:\n  retries: {retries}"))).await;
    for _ in 0..tries {
        let pod = pending(&tenant).await;
        let_run(&tenant, &pod, json!({"dev.polder.dev/exit": "3"})).await;
    }
    let message = tenant.wait_reason("BatchJob", "held", "Failed").await;
    assert!(message.contains("exit code 3"), "{message}");
    let job = tenant.get("BatchJob", "held").await.unwrap();
    assert_eq!(job["status"]["lastRun"]["result"], "Failed", "{job:#}");
    assert!(job["status"]["lastRun"]["reason"].is_string(), "{job:#}");
    assert_eq!(job["status"]["active"], 0);
    assert_eq!(tenant.list("Pod", HELD_PODS).await.len(), tries);

    // A changed spec is a new chance.
    let spec = json!({"spec": {"container": {"args": ["--mended"]}}});
    tenant.patch("BatchJob", "held", spec).await;
    let pod = pending(&tenant).await;
    let_run(&tenant, &pod, json!({})).await;
    tenant.wait_reason("BatchJob", "held", "Succeeded").await;
    tenant.end();
}

#[tokio::test]
async fn a_running_run_is_told_and_a_change_replaces_it() {
    let tenant = Tenant::ready("j-replaced").await;
    tenant.apply(HELD).await;
    let pod = pending(&tenant).await;
    let message = tenant.wait_reason("BatchJob", "held", "Unschedulable").await;
    assert!(message.contains(&pod), "{message}");
    let_run(&tenant, &pod, json!({"dev.polder.dev/hold": "true"})).await;
    tenant.wait_reason("BatchJob", "held", "Running").await;
    let job = tenant.get("BatchJob", "held").await.unwrap();
    assert_eq!(job["status"]["active"], 1, "{job:#}");

    let mark = Mark::now();
    tenant.patch("BatchJob", "held", json!({"spec": {"container": {"args": ["--other"]}}})).await;
    let next = pending(&tenant).await;
    assert_ne!(next, pod);
    tenant.wait_gone("Pod", &pod).await;
    assert_eq!(made(mark, &tenant).len(), 1);
    let_run(&tenant, &next, json!({})).await;
    tenant.wait_reason("BatchJob", "held", "Succeeded").await;
    let job = tenant.get("BatchJob", "held").await.unwrap();
    let results: Vec<_> = job["status"]["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["result"].as_str().unwrap(), run["reason"].as_str()))
        .collect();
    assert_eq!(results, [("Succeeded", None), ("Cancelled", Some("SpecChanged"))]);
    tenant.end();
}

#[tokio::test]
async fn a_schedule_becomes_a_cron_job_and_its_runs_are_told() {
    let tenant = Tenant::ready("j-schedule").await;
    tenant.apply(SCHEDULED).await;
    tenant.wait_ready("BatchJob", "nightly").await;
    let cron = tenant.get("CronJob", "nightly-schedule").await.unwrap();
    assert_eq!(cron["spec"]["schedule"], "0 0 29 2 *");
    assert_eq!(cron["spec"]["timeZone"], "Europe/Amsterdam");
    assert_eq!(cron["spec"]["concurrencyPolicy"], "Forbid");

    // What the CronJob controller does when the time has come.
    let mut job = cron["spec"]["jobTemplate"].clone();
    job["apiVersion"] = json!("batch/v1");
    job["kind"] = json!("Job");
    job["metadata"]["name"] = json!("nightly-schedule-1");
    job["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-schedule",
        "uid": cron["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    tenant.api.send("POST", &path("Job", "j-schedule", ""), Some(&job)).await.unwrap();
    tenant
        .until("BatchJob", "nightly", "to tell of its run", |job| {
            let run = &job["status"]["lastRun"];
            run["name"] == "nightly-schedule-1" && run["result"] == "Succeeded"
        })
        .await;
    assert!(tenant.get("Job", "nightly-schedule-1").await.is_some(), "the run was pruned");
    tenant.end();
}

#[rstest]
#[case::hour("j-hour", "0 25 * * *", "Etc/UTC", "spec.schedule.cron")]
#[case::zone("j-zone", "@daily", "Mars/Olympus", "spec.schedule.timeZone")]
#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_told_and_can_be_mended(
    #[case] name: &str,
    #[case] cron: &str,
    #[case] zone: &str,
    #[case] field: &str,
) {
    let tenant = Tenant::ready(name).await;
    let schedule = |cron: &str, zone: &str| {
        SCHEDULED.replace("0 0 29 2 *", cron).replace("Europe/Amsterdam", zone)
    };
    tenant.apply(&schedule(cron, zone)).await;
    let object = tenant
        .until("BatchJob", "nightly", "to be refused", |job| {
            crate::api::condition(job, "Stalled")["status"] == "True"
        })
        .await;
    let message = crate::api::condition(&object, "Ready")["message"].to_string();
    assert!(message.contains(field), "{message}");
    tenant.apply(&schedule("@daily", "Europe/Amsterdam")).await;
    tenant.wait_reason("BatchJob", "nightly", "Scheduled").await;
    tenant.end();
}
