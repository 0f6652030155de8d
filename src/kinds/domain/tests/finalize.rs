use rstest::rstest;
use serde_json::{Value, json};

use super::{deleting, domain, in_place, record, with_namespace};
use crate::{
    api::domain::Role,
    build::types,
    engine::{Finalize, ObjectKey, ResourceType},
    kinds::domain::{Resolved, finalize::finalize, scope::Scope, workloads::is_active},
};

const RETAIN: &str = "";
const DELETE: &str = "deletionPolicy: Delete";

#[rstest]
#[case(RETAIN, None)]
#[case(RETAIN, Some("other"))]
#[case(DELETE, None)]
#[case(DELETE, Some("other"))]
fn what_was_never_ours_is_left_alone(#[case] spec: &str, #[case] label: Option<&str>) {
    let domain = deleting(domain(spec));
    assert_eq!(finalize(&domain, &with_namespace(&domain, label)), Finalize::Done);
    assert_eq!(finalize(&domain, &Resolved::default()), Finalize::Done);
}

#[test]
fn delete_waits_until_the_namespace_is_gone() {
    let domain = deleting(domain(DELETE));
    let namespace = Scope::of(&domain).namespace_key();
    let expected = Finalize::Wait { delete: vec![namespace] };
    assert_eq!(finalize(&domain, &in_place(&domain)), expected);
}

#[test]
fn retain_takes_access_first_and_waits_for_what_runs() {
    let domain = deleting(domain(RETAIN));
    let access = vec![Scope::of(&domain).member_key(Role::Engineer)];
    let mut resolved = in_place(&domain);
    resolved.access.clone_from(&access);
    resolved.running = vec!["Pod etl-worker-0".to_owned()];
    assert_eq!(finalize(&domain, &resolved), Finalize::Wait { delete: access });
    resolved.access.clear();
    assert_eq!(finalize(&domain, &resolved), Finalize::Wait { delete: vec![] });
    resolved.running.clear();
    assert_eq!(finalize(&domain, &resolved), Finalize::Done);
}

#[rstest]
#[case(types::POD, json!({"status": {"phase": "Running"}}), true)]
#[case(types::POD, Value::Null, true)]
#[case(types::POD, json!({"status": {"phase": "Failed"}}), false)]
#[case(types::JOB, json!({"spec": {"suspend": false}, "status": {}}), true)]
#[case(types::JOB, json!({"spec": {"suspend": true}}), false)]
#[case(types::JOB, json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}), false)]
#[case(types::JOB, json!({"status": {"conditions": [{"type": "Failed", "status": "False"}]}}), true)]
#[case(types::CRON_JOB, json!({"spec": {"suspend": false}}), true)]
#[case(types::CRON_JOB, json!({"spec": {"suspend": true}}), false)]
#[case(types::STATEFUL_SET, json!({"spec": {"replicas": 1}}), true)]
#[case(types::STATEFUL_SET, json!({"spec": {"replicas": 0}}), false)]
fn what_is_active(#[case] resource: ResourceType, #[case] kept: Value, #[case] expected: bool) {
    let record = record(ObjectKey::namespaced(resource, "sales", "x"), Some("sales"), kept);
    assert_eq!(is_active(&record), expected);
}
