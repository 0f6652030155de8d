//! What status says in each state of a run, as tables.

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    super::runs,
    fixtures::{Around, container, job},
    looking::{a_job, ended, kept_jobs, message, once, plan, pod, status, summary},
};
use crate::api::{BatchJob, batch_job::RunResult};

/// A Spark job, and the name of its first run.
fn spark() -> (BatchJob, String) {
    let root = job(&json!({"spark": {
        "main": {"python": "local:///opt/jobs/load.py"},
        "driver": {"resources": {"cpu": "1", "memory": "2Gi"}},
        "executors": {"instances": 3, "resources": {"cpu": "1", "memory": "2Gi"}},
    }}));
    let name = format!("load-{}-1", runs::hash(&root));
    (root, name)
}

fn exited(code: i32, reason: &str, words: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "message": words}})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[rstest]
#[case::no_pod_yet(json!([]), None, ("False", "False", "Pending"), (RunResult::Pending, None))]
#[case::running(json!([]), Some(("Running", json!({"running": {}}))),
    ("False", "False", "Running"), (RunResult::Running, None))]
#[case::no_image(json!([]), Some(("Pending", waiting("ImagePullBackOff", "not found"))),
    ("False", "True", "ImagePullBackOff"), (RunResult::Pending, Some("ImagePullBackOff")))]
#[case::no_secret(json!([]), Some(("Pending", waiting("CreateContainerConfigError", "secret \"api\" not found"))),
    ("False", "True", "CreateContainerConfigError"), (RunResult::Pending, Some("CreateContainerConfigError")))]
#[case::no_volume(json!([]), Some(("Pending", waiting("ContainerCreating", ""))),
    ("False", "False", "Pending"), (RunResult::Pending, Some("ContainerCreating")))]
#[case::tried_again(json!([]), Some(("Failed", exited(3, "Error", "no rows"))),
    ("False", "False", "Retrying"), (RunResult::Pending, Some("Retrying")))]
#[case::succeeded(ended("Complete", "CompletionsReached"), Some(("Succeeded", exited(0, "Completed", ""))),
    ("True", "False", "Succeeded"), (RunResult::Succeeded, None))]
#[case::failed(ended("Failed", "BackoffLimitExceeded"), Some(("Failed", exited(3, "Error", "no rows"))),
    ("False", "True", "Failed"), (RunResult::Failed, Some("Error")))]
#[case::out_of_memory(ended("Failed", "BackoffLimitExceeded"), Some(("Failed", exited(137, "OOMKilled", ""))),
    ("False", "True", "Failed"), (RunResult::Failed, Some("OOMKilled")))]
#[case::too_long(ended("Failed", "DeadlineExceeded"), None,
    ("False", "True", "Failed"), (RunResult::Failed, Some("Timeout")))]
#[case::pod_gone(ended("Failed", "BackoffLimitExceeded"), None,
    ("False", "True", "Failed"), (RunResult::Failed, Some("BackoffLimitExceeded")))]
fn a_run_and_its_pod(
    #[case] conditions: Value,
    #[case] its_pod: Option<(&str, Value)>,
    #[case] expected: (&str, &str, &str),
    #[case] expected_run: (RunResult, Option<&str>),
) {
    let (root, name) = once();
    let uid = format!("{name}-uid");
    let pods = its_pod
        .map(|(phase, state)| pod("load-x", "container", &uid, phase, &state))
        .into_iter()
        .collect();
    let around = Around { jobs: vec![a_job(&name, &conditions)], pods, ..Around::new() };
    let status = status(&root, &around);
    assert_eq!(summary(&status), expected, "{status:#?}");
    let run = status.last_run.unwrap();
    assert_eq!((run.result, run.reason.as_deref()), expected_run);
    if run.end_time.is_some() {
        assert_eq!(run.duration_seconds, Some(90));
    }
}

#[test]
fn the_message_of_a_failure_holds_exit_code_and_last_words() {
    let (root, name) = once();
    let failed = pod(
        "load-x",
        "container",
        &format!("{name}-uid"),
        "Failed",
        &exited(3, "Error", "no rows"),
    );
    let around = Around {
        jobs: vec![a_job(&name, &ended("Failed", "BackoffLimitExceeded"))],
        pods: vec![failed],
        ..Around::new()
    };
    let status = status(&root, &around);
    assert_eq!(
        message(&status),
        format!("run {name} failed: pod load-x: Error, exit code 3; it ended with: no rows")
    );
}

#[test]
fn a_found_reason_stays_when_the_pods_are_gone() {
    let (mut root, name) = once();
    let jobs = vec![a_job(&name, &ended("Failed", "BackoffLimitExceeded"))];
    let uid = format!("{name}-uid");
    let killed = pod("load-x", "container", &uid, "Failed", &exited(137, "OOMKilled", ""));
    let with_pod = Around { jobs: jobs.clone(), pods: vec![killed], ..Around::new() };
    root.status = Some(status(&root, &with_pod));
    let without = Around { jobs, ..Around::new() };
    assert_eq!(status(&root, &without).runs, root.status.unwrap().runs);
}

#[test]
fn a_driver_that_gave_up_speaks_for_its_executors() {
    let (root, name) = spark();
    let driver =
        pod("load-x", "driver", &format!("{name}-uid"), "Failed", &exited(11, "Error", "bye"));
    let failed = exited(50, "Error", "Failed to create local dir in /data/1");
    let executor = pod("load-exec-1", "executor", "load-x-uid", "Failed", &failed);
    let around = Around {
        jobs: vec![a_job(&name, &ended("Failed", "BackoffLimitExceeded"))],
        pods: vec![driver, executor],
        ..Around::new()
    };
    let run = status(&root, &around).last_run.unwrap();
    let words = run.message.unwrap();
    assert!(words.starts_with("too many executors failed: pod load-exec-1"), "{words}");
    assert!(words.contains("Failed to create local dir"), "{words}");
}

#[rstest]
#[case::none_runs(None, ("False", "True", "CreateContainerConfigError"))]
#[case::one_runs(Some("Running"), ("False", "False", "Running"))]
fn a_driver_that_waits_for_executors(
    #[case] other: Option<&str>,
    #[case] expected: (&str, &str, &str),
) {
    let (root, name) = spark();
    let uid = format!("{name}-uid");
    let stuck = waiting("CreateContainerConfigError", "secret \"api\" not found");
    let mut pods = vec![
        pod("load-x", "driver", &uid, "Running", &json!({"running": {}})),
        pod("load-exec-1", "executor", "load-x-uid", "Pending", &stuck),
    ];
    pods.extend(
        other.map(|phase| {
            pod("load-exec-2", "executor", "load-x-uid", phase, &json!({"running": {}}))
        }),
    );
    let around = Around { jobs: vec![a_job(&name, &json!([]))], pods, ..Around::new() };
    let status = status(&root, &around);
    assert_eq!(summary(&status), expected, "{status:#?}");
}

#[rstest]
#[case::never("2Gi", "0", ("False", "True", "QuotaExceeded"), "asks for 4Gi in all")]
#[case::not_now("10Gi", "9Gi", ("False", "False", "QuotaExceeded"), "1Gi of 10Gi is free")]
fn a_quota_that_is_too_small(
    #[case] hard: &str,
    #[case] used: &str,
    #[case] expected: (&str, &str, &str),
    #[case] words: &str,
) {
    let (root, name) = spark();
    let quota = json!({"hard": {"limits.memory": hard}, "used": {"limits.memory": used}});
    let around =
        Around { jobs: vec![a_job(&name, &json!([]))], quota: Some(quota), ..Around::new() };
    let status = status(&root, &around);
    assert_eq!(summary(&status), expected);
    assert!(message(&status).contains(words), "{}", message(&status));
}

#[test]
fn executors_that_find_no_room_are_told_while_the_driver_runs() {
    let (root, name) = spark();
    let uid = format!("{name}-uid");
    let quota = json!({"hard": {"limits.memory": "5Gi"}, "used": {"limits.memory": "4Gi"}});
    let around = Around {
        jobs: vec![a_job(&name, &json!([]))],
        pods: vec![
            pod("load-x", "driver", &uid, "Running", &json!({"running": {}})),
            pod("load-1", "executor", "load-x-uid", "Running", &json!({"running": {}})),
        ],
        quota: Some(quota),
        ..Around::new()
    };
    let status = status(&root, &around);
    assert_eq!(summary(&status), ("False", "False", "Running"));
    assert!(message(&status).contains("asks for 4Gi more, 1Gi of 5Gi is free"), "{status:#?}");
}

#[test]
fn a_run_that_took_too_long_says_what_it_waited_for() {
    let (mut root, name) = once();
    let uid = format!("{name}-uid");
    let stuck = pod("load-x", "container", &uid, "Pending", &waiting("ImagePullBackOff", "none"));
    let waits = Around { jobs: vec![a_job(&name, &json!([]))], pods: vec![stuck], ..Around::new() };
    root.status = Some(status(&root, &waits));
    for (verdict, result) in [("FailureTarget", RunResult::Pending), ("Failed", RunResult::Failed)]
    {
        let jobs = vec![a_job(&name, &ended(verdict, "DeadlineExceeded"))];
        root.status = Some(status(&root, &Around { jobs, ..Around::new() }));
        let run = root.status.clone().unwrap().last_run.unwrap();
        assert_eq!(run.result, result);
        assert!(run.message.unwrap().contains("ImagePullBackOff"));
    }
    assert!(message(&root.status.unwrap()).contains("took longer than 4h"));
}

#[test]
fn a_deleted_job_is_cancelled_and_not_made_again() {
    let (mut root, name) = once();
    let running = Around { jobs: vec![a_job(&name, &json!([]))], ..Around::new() };
    root.status = Some(status(&root, &running));
    let gone = Around { clock: 30, ..Around::new() };
    let now = status(&root, &gone);
    assert_eq!(summary(&now), ("False", "True", "Cancelled"));
    let run = now.last_run.clone().unwrap();
    assert_eq!((run.result, run.reason.as_deref()), (RunResult::Cancelled, Some("JobDeleted")));
    assert_eq!(run.duration_seconds, Some(30));
    root.status = Some(now);
    assert!(plan(&root, &gone).children.is_empty());
}

#[test]
fn a_suspended_run_stops_and_starts_again_under_the_next_number() {
    let (mut root, name) = once();
    root.spec.suspend = true;
    let uid = format!("{name}-uid");
    let its_pod = pod("load-x", "container", &uid, "Running", &json!({"running": {}}));
    let running =
        Around { jobs: vec![a_job(&name, &json!([]))], pods: vec![its_pod], ..Around::new() };
    // Status says so before the Job goes.
    assert_eq!(kept_jobs(&plan(&root, &running)), ["1"]);
    root.status = Some(status(&root, &running));
    assert_eq!(summary(root.status.as_ref().unwrap()), ("False", "False", "Suspending"));
    let stop = plan(&root, &running);
    assert!(stop.children.is_empty() && stop.keep.is_empty());

    // Resumed before the old pod is gone: nothing starts yet.
    root.spec.suspend = false;
    let stopping = Around { jobs: Vec::new(), ..running };
    let now = status(&root, &stopping);
    let run = now.last_run.clone().unwrap();
    assert_eq!((run.result, run.reason.as_deref()), (RunResult::Cancelled, Some("Suspended")));
    root.status = Some(now);
    assert!(plan(&root, &stopping).children.is_empty());
    assert_eq!(summary(&status(&root, &stopping)), ("False", "False", "WaitsForEarlierRun"));

    let names: Vec<String> =
        plan(&root, &Around::new()).children.iter().map(|child| child.key().name).collect();
    assert_eq!(names, [name.replace("-1", "-2")]);
}

#[test]
fn a_changed_spec_ends_the_old_run_first() {
    let (mut root, old) = once();
    let running = Around { jobs: vec![a_job(&old, &json!([]))], ..Around::new() };
    root.status = Some(status(&root, &running));
    root.spec = job(&container("test")).spec;
    let now = plan(&root, &running);
    assert_eq!((kept_jobs(&now), now.children.len()), (vec!["1"], 0));
    root.status = Some(status(&root, &running));
    let now = plan(&root, &running);
    assert!(now.children.is_empty() && now.keep.is_empty());
    root.status = Some(status(&root, &Around::new()));
    let run = root.status.clone().unwrap().last_run.unwrap();
    assert_eq!((run.result, run.reason.as_deref()), (RunResult::Cancelled, Some("SpecChanged")));
    let name = format!("load-{}-2", runs::hash(&root));
    assert_eq!(plan(&root, &Around::new()).children[0].key().name, name);
}
