//! Whole answers, as people see them.

#![allow(clippy::needless_pass_by_value)] // Builders of what a test reads.

use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    super::{
        cluster::{Child, Object, RootKind},
        show::Style,
    },
    evidence::{Gathered, Happened, conclude},
    suspect::Suspect,
    text::answer,
};
use crate::build::types::POD;

const NOW: &str = "2026-01-01T01:00:00Z";
const BEFORE: &str = "2026-01-01T00:50:00Z";

fn object(ready: (&str, &str, &str), is_stalled: bool) -> Object {
    let (status, reason, message) = ready;
    let condition = |type_: &str, status: &str, reason: &str, message: &str| {
        json!({"type": type_, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": BEFORE})
    };
    serde_json::from_value(json!({
        "metadata": {"name": "load", "namespace": "sales", "generation": 2},
        "spec": {},
        "status": {"observedGeneration": 2, "conditions": [
            condition("Ready", status, reason, message),
            condition("Stalled", if is_stalled { "True" } else { "False" }, reason, message),
            condition("WorkersReady", "False", "WorkersNotReady", "1 of 2 registered"),
        ]},
    }))
    .unwrap()
}

fn pod(name: &str, status: Value) -> Child {
    let object = json!({"metadata": {"name": name, "namespace": "sales"}, "status": status});
    Child { resource: POD, object: serde_json::from_value(object).unwrap() }
}

fn container(state: Value, last: Value, restarts: i32) -> Value {
    json!({"phase": "Running", "containerStatuses": [{
        "name": "driver", "image": "spark", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last}]})
}

fn ended(reason: &str, code: i32) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": BEFORE,
        "finishedAt": "2026-01-01T00:55:00Z"}})
}

fn event(reason: &str, message: &str, minutes: i64) -> Happened {
    let at: Timestamp = NOW.parse().unwrap();
    Happened {
        object: "Pod load-1".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        at: at.checked_sub(jiff::SignedDuration::from_mins(minutes)).ok(),
        count: 3,
    }
}

fn text(kind: RootKind, root: &Object, gathered: &Gathered) -> String {
    let evidence = conclude(kind, root, gathered, NOW.parse().unwrap());
    answer(&evidence, &Style::default())
}

#[test]
fn a_run_that_was_killed_for_its_memory() {
    let mut failed = container(ended("OOMKilled", 137), json!({}), 0);
    failed["phase"] = json!("Failed");
    let gathered = Gathered {
        suspect: Suspect::worst(&[pod("load-1", failed)]),
        log: vec!["java.lang.OutOfMemoryError: Java heap space".to_owned()],
        ..Gathered::default()
    };
    let root = object(("False", "Failed", "run load-1 failed: pod load-1: OOMKilled"), true);
    insta::assert_snapshot!(text(RootKind::BatchJob, &root, &gathered));
}

#[test]
fn a_service_that_crashes_again_and_again() {
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}});
    let gathered = Gathered {
        suspect: Suspect::worst(&[pod("load-1", container(waiting, ended("Error", 1), 4))]),
        events: vec![
            event("BackOff", "Back-off restarting failed container", 1),
            event("BackOff", "older", 5),
            event("Unhealthy", "Readiness probe failed", 3),
        ],
        log: vec!["Caused by: java.net.UnknownHostException: pg.db.svc".to_owned()],
        unread: vec![],
    };
    let suspect = gathered.suspect.as_ref().unwrap();
    assert!(suspect.is_previous, "the log that tells is that of the last life");
    let root = object(("False", "CrashLoopBackOff", "pod load-1: CrashLoopBackOff"), true);
    insta::assert_snapshot!(text(RootKind::SqlEndpoint, &root, &gathered));
}

#[test]
fn a_pod_that_no_node_takes() {
    let status = json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/4 nodes are available: 4 Insufficient cpu."}]});
    let gathered = Gathered {
        suspect: Suspect::worst(&[pod("load-1", status)]),
        unread: vec!["events".to_owned()],
        ..Gathered::default()
    };
    let root = object(("False", "Unschedulable", "pod load-1 has no node yet"), false);
    insta::assert_snapshot!(text(RootKind::SparkCluster, &root, &gathered));
}

#[rstest]
#[case::ready(("True", "Succeeded", "run load-1 succeeded in 5 s"), "Nothing is wrong.")]
#[case::suspended(("False", "Suspended", "told to stand still"), "unset `suspend`")]
fn what_is_well_is_said_to_be(#[case] ready: (&str, &str, &str), #[case] says: &str) {
    let evidence = conclude(
        RootKind::BatchJob,
        &object(ready, false),
        &Gathered::default(),
        NOW.parse().unwrap(),
    );
    assert!(evidence.is_well);
    assert!(answer(&evidence, &Style::default()).contains(says));
}

#[test]
fn the_worst_pod_is_looked_at() {
    let starting = json!({"waiting": {"reason": "ContainerCreating"}});
    let pulling = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let pods = [
        pod("starting", container(starting, json!({}), 0)),
        pod("pulling", container(pulling, json!({}), 0)),
        pod("ready", ready),
    ];
    assert_eq!(Suspect::worst(&pods).unwrap().pod, "pulling");
    assert_eq!(Suspect::worst(&pods[2..]), None);
}
