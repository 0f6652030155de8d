//! Runs that find no room in the quotas of their domain.

use rstest::rstest;
use serde_json::json;

use super::{
    fixtures::{Around, job, kind},
    looking::{a_job, message, pod, status, summary},
};
use crate::{api::BatchJob, build::types, engine::Kind};

/// A job whose two executors have a volume each.
fn with_volumes() -> BatchJob {
    let resources = json!({"cpu": "1", "memory": "4Gi"});
    job(&json!({"spark": {
        "main": {"sql": "SELECT 1"},
        "driver": {"resources": resources},
        "executors": {
            "instances": 2, "resources": resources,
            "volumes": [{"name": "disk1", "size": "10Gi", "class": "fast"}],
        },
    }}))
}

fn around(resource: &str, hard: &str, used: &str) -> Around {
    let quota = json!({"hard": {(resource): hard}, "used": {(resource): used}});
    Around { quota: Some(quota), ..Around::new() }
}

fn makes_a_job(root: &BatchJob, around: &Around) -> bool {
    let plan = kind().plan(root, &around.resolve(root));
    plan.children.iter().any(|child| child.resource == types::JOB)
}

/// A Job that waits would use up its timeout, and try its pod ever more rarely.
#[rstest]
#[case::now("limits.memory", "10Gi", "9Gi", "False", "asks for 4Gi more, 1Gi of 10Gi is free")]
#[case::ever("limits.memory", "7Gi", "0", "True", "asks for 8Gi in all, the domain has 7Gi")]
#[case::volume_ever(
    "fast.storageclass.storage.k8s.io/requests.storage",
    "9Gi",
    "0",
    "True",
    "asks for 10Gi in all, the domain has 9Gi"
)]
fn no_job_is_made_while_there_is_no_room(
    #[case] resource: &str,
    #[case] hard: &str,
    #[case] used: &str,
    #[case] stalled: &str,
    #[case] words: &str,
) {
    let root = with_volumes();
    let full = around(resource, hard, used);
    assert!(!makes_a_job(&root, &full));
    let told = status(&root, &full);
    assert_eq!(summary(&told), ("False", stalled, "QuotaExceeded"));
    assert!(message(&told).contains(&format!("{resource}: {words}")), "{}", message(&told));
    assert!(makes_a_job(&root, &around(resource, "100Gi", used)));
}

#[test]
fn volumes_that_executors_lack_are_told_while_the_driver_runs() {
    let root = with_volumes();
    let name = format!("load-{}-1", super::super::runs::hash(&root));
    let running = json!({"running": {}});
    let around = Around {
        jobs: vec![a_job(&name, &json!([]))],
        pods: vec![pod("load-x", "driver", &format!("{name}-uid"), "Running", &running)],
        ..around("requests.storage", "15Gi", "0")
    };
    let told = status(&root, &around);
    let words = "requests.storage: asks for 20Gi in all, the domain has 15Gi";
    assert!(message(&told).contains(words), "{}", message(&told));
    assert_eq!(summary(&told).2, "Running");
}

/// What is suspended needs no room.
#[test]
fn a_suspended_job_does_not_complain() {
    let mut root = with_volumes();
    root.spec.suspend = true;
    let told = status(&root, &around("pods", "0", "0"));
    assert_eq!(summary(&told), ("False", "False", "Suspended"));
}
