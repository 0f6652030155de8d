use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{Committed, Error, Limits, Store};
use crate::audit::route::{DomainName, Stream};

const LIMITS: Limits = Limits {
    file_size: 1000,
    file_age: Duration::from_hours(24),
    files: 3,
    retention: Duration::from_hours(240),
};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("polder-audit-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn open(&self) -> Store {
        Store::open(&self.0, LIMITS).unwrap()
    }

    /// Files of a stream, and the lines in all of them.
    fn read(&self, stream: &str) -> (Vec<PathBuf>, Vec<String>) {
        let files = super::file::files(&self.0.join(stream)).unwrap_or_default();
        let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        (files, text.lines().map(str::to_owned).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sales() -> Stream {
    Stream::Domain(DomainName::parse("sales").unwrap())
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn each_stream_has_its_own_lines() {
    let folder = Folder::new("streams");
    let lines = [(&sales(), "{\"a\":1}"), (&Stream::Cluster, "{\"b\":1}"), (&sales(), "{\"a\":2}")];
    let done = folder.open().commit(lines, now()).unwrap();
    assert_eq!(done, Committed { written: 3, duplicates: 0, bytes: 24 });
    assert_eq!(folder.read("domains/sales").1, ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(folder.read("cluster").1, ["{\"b\":1}"]);
}

#[test]
fn what_is_sent_again_is_written_once_also_across_a_restart() {
    let folder = Folder::new("again");
    let sales = sales();
    let lines = [(&sales, "{\"a\":1}"), (&sales, "{\"a\":1}"), (&Stream::Cluster, "{\"b\":1}")];
    let mut store = folder.open();
    assert_eq!(store.commit(lines, now()).unwrap().duplicates, 1);
    assert_eq!(store.commit(lines, now()).unwrap().duplicates, 3);
    drop(store);
    let done = folder.open().commit(lines, now()).unwrap();
    assert_eq!(done, Committed { written: 0, duplicates: 3, bytes: 0 });
    assert_eq!(folder.read("domains/sales").1.len(), 1);
}

#[test]
fn a_line_that_was_cut_short_is_written_again() {
    let folder = Folder::new("torn");
    let sales = sales();
    folder.open().commit([(&sales, "{\"a\":1}")], now()).unwrap();
    append(&folder.read("domains/sales").0[0], "{\"a\":");
    let mut store = folder.open();
    store.commit([(&sales, "{\"a\":2}")], now()).unwrap();
    assert_eq!(folder.read("domains/sales").1, ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(folder.read("domains/sales").0.len(), 1);
}

#[test]
fn files_end_by_size_and_by_age_and_the_oldest_go() {
    let folder = Folder::new("rotation");
    let mut store = folder.open();
    let line = |number: usize| format!("{{\"a\":{number},\"b\":\"{}\"}}", "x".repeat(600));
    let files = |folder: &Folder| folder.read("domains/sales").0.len();
    for number in 0..4 {
        store.commit([(&sales(), line(number).as_str())], now()).unwrap();
    }
    assert_eq!(files(&folder), 2, "two lines fill a file");
    store.commit([(&sales(), "{}")], later(25)).unwrap();
    store.commit([(&sales(), "{\"c\":1}")], later(50)).unwrap();
    assert_eq!(files(&folder), 4, "a day ends a file too");
    assert_eq!(store.sweep(later(50)).unwrap(), 1);
    assert_eq!(folder.read("domains/sales").1.len(), 4, "the oldest two lines are gone");
    assert_eq!(store.sweep(later(50)).unwrap(), 0);
}

#[test]
fn nothing_is_kept_longer_than_it_may_also_of_a_quiet_domain() {
    let folder = Folder::new("retention");
    let mut store = folder.open();
    store.commit([(&sales(), "{\"a\":1}"), (&Stream::Cluster, "{}")], now()).unwrap();
    assert_eq!(store.sweep(later(239)).unwrap(), 0);
    assert_eq!(store.sweep(later(241)).unwrap(), 2);
    assert!(!folder.0.join("domains/sales").exists());
    store.commit([(&sales(), "{\"a\":2}")], now()).unwrap();
    assert_eq!(folder.read("domains/sales").1, ["{\"a\":2}"]);
}

#[test]
fn two_receivers_do_not_share_a_folder() {
    let folder = Folder::new("lock");
    let first = folder.open();
    assert!(matches!(Store::open(&folder.0, LIMITS), Err(Error::InUse(_))));
    drop(first);
    folder.open();
}

#[test]
fn a_failure_leaves_the_other_streams_and_can_be_tried_again() {
    let folder = Folder::new("failure");
    let mut store = folder.open();
    // A file where the folder of the stream should be.
    fs::create_dir_all(folder.0.join("domains")).unwrap();
    fs::write(folder.0.join("domains/sales"), "").unwrap();
    let sales = sales();
    let lines = [(&sales, "{\"a\":1}"), (&Stream::Cluster, "{\"b\":1}")];
    store.commit(lines, now()).unwrap_err();
    assert_eq!(folder.read("cluster").1.len(), 1);
    fs::remove_file(folder.0.join("domains/sales")).unwrap();
    let done = store.commit(lines, now()).unwrap();
    assert_eq!((done.written, done.duplicates), (1, 1));
    assert_eq!(folder.read("domains/sales").1, ["{\"a\":1}"]);
}
