//! The tutorial, as a reader would follow it after `make demo`.

#[path = "../common/tutorial.rs"]
mod tutorial;

use std::{fs, process::Command};

use crate::cluster::{text, wait_ready};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_block_of_the_tutorial_runs_and_prints_what_it_shows() {
    for (kind, name) in [("sparkcluster", "etl"), ("sqlendpoint", "bi"), ("batchjob", "monthly")] {
        wait_ready(kind, name);
    }
    let page = fs::read_to_string(format!("{ROOT}/docs/tutorial/quickstart.md")).unwrap();
    let blocks = tutorial::blocks(&page);
    let script = tutorial::script(&blocks);
    let output = Command::new("bash").args(["-c", &script]).current_dir(ROOT).output().unwrap();
    let wrong = tutorial::judge(&blocks, &text(&output.stdout));
    assert!(wrong.is_none(), "docs/tutorial/quickstart.md, {}", wrong.unwrap());
}
