//! What makes two runs the same.

use serde_json::{Value, json};

use super::{
    super::runs::{RunId, hash},
    fixtures::{container, job, with},
};
use crate::api::BatchJob;

/// Every run of every job would start once more if this changed with a new version of Polder.
#[test]
fn the_hash_of_a_spec_is_pinned() {
    let spark: Value = serde_json::from_str(
        r#"{"spark": {
            "executors": {"resources": {"memory": "2Gi", "cpu": 1}, "instances": 2},
            "driver": {"resources": {"memory": "2Gi", "cpu": "1"}},
            "main": {"sql": "SELECT 1"}
        }}"#,
    )
    .unwrap();
    assert_eq!(hash(&job(&container("build"))), "9ed5152a");
    assert_eq!(hash(&job(&spark)), "ba1bea49");
}

#[test]
fn only_what_a_run_does_makes_it_another_run() {
    let root = job(&container("build"));
    let more = json!({"retries": 3, "timeout": "1h", "ttlAfterFinished": "1d", "suspend": true});
    assert_eq!(hash(&root), hash(&job(&with(container("build"), &more))));
    assert_ne!(hash(&root), hash(&job(&container("test"))));
    let mut again: BatchJob = root.clone();
    again.metadata.uid = Some("another".to_owned());
    assert_ne!(hash(&root), hash(&again));
}

#[test]
fn names_are_read_as_they_are_written_and_fit() {
    let id = RunId { hash: "0a1b2c3d".to_owned(), number: 12 };
    assert_eq!(RunId::parse("load", &id.name("load")), Some(id));
    for other in ["load-schedule-29000001", "load-0a1b2c3d", "load-0a1b2c3d-0", "loads-0a1b2c3d-1"]
    {
        assert_eq!(RunId::parse("load", other), None, "{other}");
    }
    let longest = RunId { hash: "0a1b2c3d".to_owned(), number: 99_999_999 };
    assert!(longest.name(&"x".repeat(45)).len() <= 63);
}
