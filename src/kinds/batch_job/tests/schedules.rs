//! Schedules, and which finished Jobs stay.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    super::{RUN, runs},
    fixtures::{Around, at, container, job, kind, record, with},
    looking::{a_job, ended, kept_jobs, message, once, plan, status, summary},
};
use crate::{
    api::{BatchJob, batch_job::Run},
    build::types::{CRON_JOB, JOB},
    engine::Kind,
};

/// Four finished Jobs of earlier specs, oldest first, and that of the spec.
fn many() -> (BatchJob, Around) {
    let (root, _) = once();
    let hashes = ["00000001", "00000002", "00000003", "00000004", &runs::hash(&root)];
    let jobs = (1..).zip(hashes).map(|(number, hash)| {
        let conditions = json!([{"type": "Complete", "status": "True",
                                 "lastTransitionTime": at(10 * number).to_string()}]);
        a_job(&format!("load-{hash}-{number}"), &conditions)
    });
    (root, Around { jobs: jobs.collect(), clock: 60, ..Around::new() })
}

#[test]
fn three_earlier_jobs_are_kept_and_none_goes_before_its_result_is_in_status() {
    let (mut root, around) = many();
    let before = plan(&root, &around);
    assert_eq!(kept_jobs(&before), ["5", "4", "3", "2", "1"]);
    let soon = at(60).checked_add(jiff::SignedDuration::from_millis(250)).unwrap();
    assert_eq!(before.requeue_at, Some(soon));
    root.status = Some(status(&root, &around));
    let after = plan(&root, &around);
    assert_eq!(kept_jobs(&after), ["5", "4", "3", "2"]);
    assert_eq!(after.requeue_at, None);
}

#[test]
fn finished_jobs_go_when_their_time_is_over() {
    let (mut root, around) = many();
    root.spec.ttl_after_finished = Some(crate::api::batch_job::Duration("25s".to_owned()));
    root.status = Some(status(&root, &around));
    let now = plan(&root, &around);
    assert_eq!(kept_jobs(&now), ["5", "4"]);
    assert_eq!(now.requeue_at, Some(at(65)));
    let later = Around { clock: 75, ..around };
    let now = plan(&root, &later);
    assert!(kept_jobs(&now).is_empty() && now.children.is_empty());
}

fn scheduled(more: &Value) -> BatchJob {
    let schedule = with(json!({"cron": "0 2 * * *"}), more);
    job(&with(container("build"), &json!({"schedule": schedule})))
}

/// Runs of a schedule, oldest first; `None`: it goes on.
fn runs_of(results: &[Option<&str>]) -> Around {
    let jobs = (1..).zip(results).map(|(number, result)| {
        let conditions = result.map(|type_| ended(type_, "x")).unwrap_or_default();
        let kept = json!({"status": {"conditions": conditions}});
        let name = format!("load-schedule-2900000{number}");
        let mut job = record(JOB, &name, "load-schedule-uid", number, kept);
        Arc::make_mut(&mut job.labels).insert(RUN.to_owned(), "0a0a0a0a".to_owned());
        Arc::new(job)
    });
    Around {
        cron: Some(Arc::new(record(CRON_JOB, "load-schedule", "root-uid", 0, Value::Null))),
        jobs: jobs.collect(),
        ..Around::new()
    }
}

#[rstest]
#[case::fresh(&[], ("True", "False", "Scheduled"))]
#[case::well(&[Some("Failed"), Some("Complete")], ("True", "False", "Scheduled"))]
#[case::not_well(&[Some("Complete"), Some("Failed")], ("False", "False", "LastRunFailed"))]
#[case::again(&[Some("Failed"), None], ("False", "False", "LastRunFailed"))]
fn a_schedule(#[case] results: &[Option<&str>], #[case] expected: (&str, &str, &str)) {
    let root = scheduled(&json!({}));
    let status = status(&root, &runs_of(results));
    assert_eq!(summary(&status), expected);
    assert_eq!(status.runs.len(), results.len());
    let going_on = i32::try_from(results.iter().filter(|result| result.is_none()).count());
    assert_eq!(status.active, going_on.unwrap());
}

#[test]
fn suspending_a_schedule_stops_what_runs() {
    let mut root = scheduled(&json!({}));
    root.spec.suspend = true;
    let around = runs_of(&[Some("Complete"), None]);
    assert!(plan(&root, &around).delete.is_empty());
    root.status = Some(status(&root, &around));
    let now = plan(&root, &around);
    let deleted: Vec<&str> = now.delete.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(deleted, ["load-schedule-29000002"]);
    let suspend = now.children.iter().find_map(|child| child.object.pointer("/spec/suspend"));
    assert_eq!(suspend, Some(&Value::Bool(true)));
}

#[test]
fn what_is_suspended_stops_even_if_its_spec_is_wrong() {
    let mut root = scheduled(&json!({"timeZone": "Mars/Olympus"}));
    let around = runs_of(&[]);
    let problems = kind().validate(&root, &around.resolve(&root));
    assert_eq!(problems[0].reason, "TimeZoneUnknown");
    root.spec.suspend = true;
    assert!(plan(&root, &around).children.is_empty());
    let status = status(&root, &around);
    assert_eq!(summary(&status), ("False", "False", "Suspended"));
    assert!(message(&status).contains("mend spec.schedule.timeZone"), "{}", message(&status));
}

#[test]
fn no_finished_run_is_kept_once_its_result_is_in_status() {
    let mut root = scheduled(&json!({"history": {"succeeded": 0}}));
    let around = runs_of(&[Some("Complete"), Some("Failed")]);
    assert!(plan(&root, &around).delete.is_empty());
    root.status = Some(status(&root, &around));
    let now = plan(&root, &around);
    assert_eq!(now.delete.len(), 1);
    let limit = now.children[0].object.pointer("/spec/successfulJobsHistoryLimit");
    assert_eq!(limit, Some(&json!(1)));
}

#[test]
fn status_never_forgets_the_newest_run_without_a_schedule() {
    let (root, name) = once();
    let mut root = BatchJob { spec: scheduled(&json!({})).spec, ..root };
    let finished = Around { jobs: vec![a_job(&name, &ended("Complete", "x"))], ..Around::new() };
    root.status = Some(status(&root, &finished));
    let around = runs_of(&[Some("Complete"); 12]);
    let runs: Vec<Run> = status(&root, &around).runs;
    assert_eq!(runs.len(), 10);
    assert_eq!(runs[0].name, "load-schedule-290000012");
    assert_eq!(runs[9].name, name);
}
