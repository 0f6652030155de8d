//! Commands that change something: run, suspend, resume.

use serde_json::{Value, json};

use super::{member, polder, polder_with};
use crate::{
    manifests::{CLUSTER, HELD, JOB, SCHEDULED},
    tenant::Tenant,
};

#[tokio::test]
async fn a_job_runs_again_on_demand_and_only_once() {
    let tenant = Tenant::ready("cli-run").await;
    tenant.apply(JOB).await;
    tenant.wait_ready("BatchJob", "load").await;
    let said = polder(&["run", "load", "-n", "cli-run", "--wait"]);
    assert!(said.ended(0).contains("-2 succeeded in"), "{}", said.out);
    let runs = |job: &Value| job["status"]["runs"].as_array().unwrap().len();
    let job = tenant.wait_ready("BatchJob", "load").await;
    assert_eq!(runs(&job), 2, "{job:#}");
    // The request stays and asks for nothing more.
    tenant.patch("BatchJob", "load", json!({"spec": {"retries": 1}})).await;
    let job = tenant.wait_ready("BatchJob", "load").await;
    assert_eq!(runs(&job), 2, "{job:#}");
    tenant.end();
}

#[tokio::test]
async fn a_schedule_waits_for_a_run_on_demand() {
    let tenant = Tenant::ready("cli-cron").await;
    tenant.apply(&SCHEDULED.replace("256Mi}", "256Mi}\n    nodePool: nowhere")).await;
    tenant.until("CronJob", "nightly-schedule", "to be there", |_| true).await;
    tenant.wait_ready("BatchJob", "nightly").await;
    polder(&["run", "bjob/nightly", "-n", "cli-cron"]).ended(0);
    let selector = "app.kubernetes.io/instance=nightly";
    let pod = tenant.wait("the run", async || tenant.list("Pod", selector).await.pop()).await;
    let cron = tenant.get("CronJob", "nightly-schedule").await.unwrap();
    assert_eq!(cron["spec"]["suspend"], true);
    let again = polder(&["run", "nightly", "-n", "cli-cron"]);
    // As status tells it already, or not yet.
    let says = again.refused();
    assert!(says.contains("goes on; wait") || says.contains("is asked for already"), "{says}");
    let node = tenant.list("Node", "").await.first().map(|node| node["metadata"]["name"].clone());
    let node = node.unwrap();
    tenant.bind(pod["metadata"]["name"].as_str().unwrap(), node.as_str().unwrap()).await;
    tenant
        .until("CronJob", "nightly-schedule", "to go on", |cron| cron["spec"]["suspend"] != true)
        .await;
    tenant
        .until("BatchJob", "nightly", "to have succeeded", |job| {
            job["status"]["runs"][0]["result"] == "Succeeded"
        })
        .await;
    tenant.end();
}

#[tokio::test]
async fn what_is_no_number_of_a_run_is_told() {
    let tenant = Tenant::ready("cli-number").await;
    tenant.apply(JOB).await;
    tenant.wait_ready("BatchJob", "load").await;
    let ask =
        |number: &str| json!({"metadata": {"annotations": {"polder.dev/run-number": number}}});
    tenant.patch("BatchJob", "load", ask("soon")).await;
    let message = tenant.wait_reason("BatchJob", "load", "NotANumber").await;
    assert!(message.contains("from 1 to"), "{message}");
    tenant.patch("BatchJob", "load", ask("2")).await;
    tenant
        .until("BatchJob", "load", "to have run twice", |job| {
            job["status"]["runs"].as_array().is_some_and(|runs| runs.len() == 2)
        })
        .await;
    tenant.end();
}

#[tokio::test]
async fn what_is_suspended_stops_and_goes_on_with_resume() {
    let tenant = Tenant::ready("cli-suspend").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let place = ["-n", "cli-suspend"];
    let say = |arguments: &[&str]| polder(&[arguments, &place].concat());
    assert!(say(&["suspend", "etl"]).ended(0).contains("is told to stop"));
    tenant.wait_reason("SparkCluster", "etl", "Suspended").await;
    assert!(say(&["suspend", "etl"]).ended(0).contains("is suspended already"));
    assert!(say(&["why", "etl"]).ended(0).contains("Suspended"));
    assert!(say(&["ui", "etl"]).refused().contains("polder resume spc/etl"));
    assert!(say(&["resume", "etl"]).ended(0).contains("is told to go on"));
    tenant.wait_ready("SparkCluster", "etl").await;

    polder(&["suspend", "domain/cli-suspend"]).ended(0);
    tenant.wait_reason("SparkCluster", "etl", "Suspended").await;
    assert!(say(&["resume", "spc/etl"]).ended(0).contains("not suspended itself"));
    polder(&["resume", "domain/cli-suspend"]).ended(0);
    tenant.wait_ready("SparkCluster", "etl").await;

    // An Analyst may not.
    let analyst = member("nobody-in-particular").await;
    let said = polder_with(&analyst, &["suspend", "spc/etl", "-n", "cli-suspend"]);
    assert!(said.refused().contains("not allowed"), "{}", said.err);
    tenant.apply(HELD).await;
    polder(&["suspend", "held", "-n", "cli-suspend"]).ended(0);
    assert!(say(&["run", "held"]).refused().contains("is suspended"));
    tenant.end();
}
