//! How tests look at plans and statuses.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::runs,
    fixtures::{Around, at, container, identity, job, kind, record, with},
};
use crate::{
    api::{BatchJob, BatchJobStatus},
    build::types::{JOB, POD},
    engine::{Kind, Plan, Record, Report},
};

/// A job that runs once, and the name of its first run.
pub(super) fn once() -> (BatchJob, String) {
    let root = job(&with(container("build"), &json!({"timeout": "4h", "retries": 2})));
    let name = format!("load-{}-1", runs::hash(&root));
    (root, name)
}

pub(super) fn a_job(name: &str, conditions: &Value) -> Arc<Record> {
    let kept = json!({"status": {"startTime": at(0).to_string(), "conditions": conditions}});
    Arc::new(record(JOB, name, "root-uid", 0, kept))
}

pub(super) fn ended(type_: &str, reason: &str) -> Value {
    json!([{"type": type_, "status": "True", "reason": reason, "message": "the Job's message",
            "lastTransitionTime": at(90).to_string()}])
}

/// A pod of a controller, with a phase and the state of its container.
pub(super) fn pod(
    name: &str,
    component: &str,
    controller: &str,
    phase: &str,
    state: &Value,
) -> Arc<Record> {
    let kept = json!({"status": {
        "phase": phase,
        "containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": false,
                               "restartCount": 0, "state": state}],
    }});
    let mut record = record(POD, name, controller, 0, kept);
    record.labels = Arc::new(identity(component));
    Arc::new(record)
}

pub(super) fn status(root: &BatchJob, around: &Around) -> BatchJobStatus {
    let resolved = around.resolve(root);
    kind().status(root, &resolved, &Report::default())
}

pub(super) fn plan(root: &BatchJob, around: &Around) -> Plan {
    let resolved = around.resolve(root);
    assert_eq!(kind().validate(root, &resolved), []);
    kind().plan(root, &resolved)
}

/// Ready, Stalled and the reason.
pub(super) fn summary(status: &BatchJobStatus) -> (&str, &str, &str) {
    let of = |type_: &str| status.conditions.iter().find(|c| c.type_ == type_).unwrap();
    (&of("Ready").status, &of("Stalled").status, &of("Ready").reason)
}

pub(super) fn message(status: &BatchJobStatus) -> &str {
    &status.conditions[0].message
}

pub(super) fn kept_jobs(plan: &Plan) -> Vec<&str> {
    let jobs = plan.keep.iter().filter(|key| key.resource == JOB);
    jobs.map(|key| key.name.rsplit('-').next().unwrap()).collect()
}
