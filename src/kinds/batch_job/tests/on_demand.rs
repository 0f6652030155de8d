//! Runs that are asked for by their number.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    super::runs::{self, Decision, NUMBER, RunId},
    fixtures::{Around, container, job, kind, record, with},
    looking::{a_job, ended, plan, status},
};
use crate::{
    api::BatchJob,
    build::types::{CRON_JOB, JOB},
    engine::{Kind, Plan},
};

fn asks(mut root: BatchJob, number: &str) -> BatchJob {
    root.metadata.annotations = Some([(NUMBER.to_owned(), number.to_owned())].into());
    root
}

fn once(number: &str) -> BatchJob {
    asks(job(&container("build")), number)
}

fn scheduled(concurrency: &str, number: &str) -> BatchJob {
    let schedule = json!({"schedule": {"cron": "0 2 * * *", "concurrency": concurrency}});
    asks(job(&with(container("build"), &schedule)), number)
}

/// What there is after a run of the job's spec with this number: it ended so, or goes on.
fn after(root: &BatchJob, number: u64, end: Option<&str>) -> Around {
    let name = RunId { hash: runs::hash(root), number }.name("load");
    let conditions = end.map(|type_| ended(type_, "x")).unwrap_or_default();
    let cron = record(CRON_JOB, "load-schedule", "root-uid", 0, Value::Null);
    Around { jobs: vec![a_job(&name, &conditions)], cron: Some(Arc::new(cron)), ..Around::new() }
}

fn jobs(plan: &Plan) -> Vec<String> {
    let jobs = plan.children.iter().filter(|child| child.resource == JOB);
    jobs.map(|job| job.object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case::over(Some("Complete"), "2", Some("-2"))]
#[case::failed(Some("Failed"), "2", Some("-2"))]
#[case::there_already(Some("Complete"), "1", None)]
#[case::skips(Some("Complete"), "7", Some("-7"))]
#[case::goes_on(None, "2", None)]
fn a_run_starts_once_nothing_of_the_last_is_left(
    #[case] end: Option<&str>,
    #[case] number: &str,
    #[case] starts: Option<&str>,
) {
    let root = once(number);
    let around = after(&root, 1, end);
    let made = jobs(&plan(&root, &around));
    assert_eq!(made.len(), usize::from(starts.is_some()), "{made:?}");
    assert!(made.iter().all(|name| name.ends_with(starts.unwrap())), "{made:?}");
}

#[test]
fn it_starts_only_once_whatever_restarts() {
    let mut root = once("2");
    let around = after(&root, 2, Some("Complete"));
    assert!(jobs(&plan(&root, &around)).is_empty());
    root.status = Some(status(&root, &around));
    let gone = Around::new();
    assert!(matches!(runs::decide(&root, &gone.resolve(&root)), Decision::Over(_)));
}

#[rstest]
#[case("0")]
#[case("-1")]
#[case("soon")]
#[case("100000000")]
fn what_is_no_number_is_told(#[case] number: &str) {
    for root in [once(number), scheduled("Forbid", number)] {
        let around = after(&root, 1, Some("Complete"));
        let problems = kind().validate(&root, &around.resolve(&root));
        assert!(problems.iter().any(|problem| problem.reason == "NotANumber"), "{problems:?}");
    }
}

fn is_cron_suspended(plan: &Plan) -> bool {
    let cron = plan.children.iter().find(|child| child.resource == CRON_JOB).unwrap();
    cron.object["spec"]["suspend"] == true
}

#[rstest]
#[case("Forbid", true)]
#[case("Replace", true)]
#[case("Allow", false)]
fn beside_a_schedule_the_schedule_waits(#[case] concurrency: &str, #[case] waits: bool) {
    let root = scheduled(concurrency, "1");
    let none = Around { jobs: Vec::new(), ..after(&root, 1, None) };
    let begin = plan(&root, &none);
    assert_eq!((jobs(&begin).len(), is_cron_suspended(&begin)), (1, waits));
    let going = plan(&root, &after(&root, 1, None));
    assert_eq!(
        (jobs(&going).len(), going.keep.len() > 1, is_cron_suspended(&going)),
        (0, true, waits)
    );
    let over = plan(&root, &after(&root, 1, Some("Complete")));
    assert_eq!((jobs(&over).len(), is_cron_suspended(&over)), (0, false));
}

#[test]
fn what_is_left_from_before_a_schedule_is_still_stopped() {
    let mut root = scheduled("Forbid", "2");
    root.metadata.annotations = None;
    let around = after(&root, 1, None);
    let stopped = status(&root, &around).runs;
    assert_eq!(stopped[0].reason.as_deref(), Some("SpecChanged"));
}
