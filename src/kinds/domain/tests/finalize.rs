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
    for resolved in [with_namespace(&domain, label), Resolved::default()] {
        assert!(matches!(finalize(&domain, &resolved), Finalize::Done));
    }
}

#[test]
fn delete_waits_until_the_namespace_is_gone() {
    let domain = deleting(domain(DELETE));
    let namespace = Scope::of(&domain).namespace_key();
    assert_eq!(waits(&finalize(&domain, &in_place(&domain))), [namespace]);
}

#[test]
fn retain_takes_access_first_and_waits_for_what_runs() {
    let domain = deleting(domain(RETAIN));
    let access = vec![Scope::of(&domain).member_key(Role::Engineer)];
    let mut resolved = in_place(&domain);
    resolved.access.clone_from(&access);
    resolved.running = vec!["Pod etl-worker-0".to_owned()];
    assert_eq!(waits(&finalize(&domain, &resolved)), access);
    resolved.access.clear();
    assert_eq!(waits(&finalize(&domain, &resolved)), []);
    resolved.running.clear();
    assert!(matches!(finalize(&domain, &resolved), Finalize::Mark(_)));
}

fn waits(asked: &Finalize) -> &[ObjectKey] {
    let Finalize::Wait { delete } = asked else { panic!("{asked:?}") };
    delete
}

#[test]
fn the_namespace_is_told_what_was_kept_and_then_let_go() {
    let domain = deleting(domain(RETAIN));
    let mut resolved = in_place(&domain);
    resolved.kept = vec!["recovery-etl-master-0".to_owned(), "sales-warehouse".to_owned()];
    let Finalize::Mark(farewell) = finalize(&domain, &resolved) else { panic!() };
    let metadata = &farewell.child.object["metadata"];
    assert_eq!(farewell.child.key(), Scope::of(&domain).namespace_key());
    assert_eq!(metadata["labels"]["polder.dev/retained"], "true");
    assert_eq!(metadata["labels"]["polder.dev/domain"], "sales", "it can be taken up again");
    assert_eq!(metadata["annotations"]["polder.dev/retained"], farewell.note);
    for text in
        ["at 2026-01-01T00:00:00Z", "2 volume claims (recovery-etl-master-0, sales-warehouse)"]
    {
        assert!(farewell.note.contains(text), "{}", farewell.note);
    }
    let mut namespace = resolved.namespace.as_deref().unwrap().clone();
    let labels = serde_json::from_value(metadata["labels"].clone()).unwrap();
    namespace.labels = std::sync::Arc::new(labels);
    resolved.namespace = Some(std::sync::Arc::new(namespace));
    assert!(matches!(finalize(&domain, &resolved), Finalize::Done));
}

#[test]
fn a_namespace_that_somebody_deletes_meanwhile_is_not_waited_for() {
    let domain = deleting(domain(RETAIN));
    let mut resolved = in_place(&domain);
    let mut namespace = resolved.namespace.as_deref().unwrap().clone();
    namespace.deleting = true;
    resolved.namespace = Some(std::sync::Arc::new(namespace));
    assert!(matches!(finalize(&domain, &resolved), Finalize::Done));
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
