//! Reasons: every one that the operator gives is in the table that the reference and the command line
//! are made of, and can be looked up where people look when something is wrong.

use std::{collections::BTreeSet, fs, path::Path};

use polder::{
    kinds::common::WAITING,
    offline::rules::{self, JUDGED, WRITTEN},
    reasons::{GROUPS, Need, Reason, find},
};

/// Words in the code that look like reasons and are none: what Kubernetes and Argo CD call things.
const WORDS: &[&str] = &[
    // Conditions.
    "AccessGranted",
    "CatalogsReady",
    "Complete",
    "DisruptionTarget",
    "FailureTarget",
    "GitOpsReady",
    "MasterReady",
    "MonitoringReady",
    "NamespaceFinalizersRemaining",
    "NamespaceReady",
    "NetworkIsolated",
    "PodScheduled",
    "QuotaEnforced",
    "Reconciling",
    "SecretsReady",
    "Stalled",
    "SuccessCriteriaMet",
    "SyncError",
    "WorkersReady",
    // Kinds and scopes.
    "ClusterRole",
    "ClusterSecretStore",
    "ConfigMap",
    "Container",
    "CustomResourceDefinition",
    "DeleteOptions",
    "Event",
    "Group",
    "Namespace",
    "PersistentVolumeClaim",
    "PriorityClass",
    "Secret",
    "SecretStore",
    "ServiceAccount",
    "User",
    // Values of fields.
    "Allow",
    "Apply",
    "Background",
    "Bound",
    "ClusterIP",
    "Delete",
    "Egress",
    "Equal",
    "False",
    "FallbackToLogsOnError",
    "Forbid",
    "IfNotPresent",
    "Ignore",
    "In",
    "Ingress",
    "Lost",
    "Never",
    "Normal",
    "None",
    "OnRootMismatch",
    "Opaque",
    "Owner",
    "Parallel",
    "ReadWriteMany",
    "ReadWriteOnce",
    "Reconcile",
    "Replace",
    "Retain",
    "RollingUpdate",
    "True",
    "Unknown",
    "Warning",
    // The event of a kind whose conditions have no reason; all of Polder's have one.
    "Reconciled",
];

/// Reasons of other programs, which pass through.
const PASSED_ON: &[&str] = &["OOMKilled", "SchedulerError", "SecretSyncedError"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn all() -> impl Iterator<Item = &'static Reason> {
    GROUPS.iter().flat_map(|group| group.reasons)
}

/// Texts in the code of a folder, without tests and comments, that are one word in PascalCase; only of
/// files that hold a word.
fn words(folder: &Path, holding: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            words(&path, holding, found);
        } else if path.is_file() && !name.ends_with("tests") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            if !code.contains(holding) {
                continue;
            }
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let texts = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
            found.extend(texts.filter(|text| is_pascal_case(text)).map(str::to_owned));
        }
    }
}

fn is_pascal_case(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|it| it.is_ascii_alphanumeric())
        && text.contains(|it: char| it.is_ascii_lowercase())
}

fn in_code() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["src/kinds", "src/engine"] {
        words(&root().join(folder), "", &mut found);
    }
    assert!(found.len() > 100, "{found:?}");
    found
}

#[test]
fn every_reason_in_the_code_is_in_the_table() {
    let unknown: Vec<String> = in_code()
        .into_iter()
        .filter(|word| find(word).is_none() && !WORDS.contains(&word.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?}: say in src/reasons what they mean and what to do, or, if they are no reasons, \
         add them to WORDS of this test"
    );
}

#[test]
fn every_reason_in_the_table_is_in_the_code() {
    let (code, unused) = (in_code(), |reason: &&Reason| !PASSED_ON.contains(&reason.name));
    let unused: Vec<&str> = all()
        .filter(unused)
        .map(|reason| reason.name)
        .filter(|name| !code.contains(*name))
        .collect();
    assert!(unused.is_empty(), "nothing gives these any more: {unused:?}");
}

#[test]
fn the_table_is_sound() {
    let mut seen = BTreeSet::new();
    for reason in all() {
        assert!(is_pascal_case(reason.name), "{} is not in PascalCase", reason.name);
        assert!(seen.insert(reason.name), "{} stands twice in the table", reason.name);
        assert!(!reason.meaning.is_empty(), "{} means nothing", reason.name);
        let needs_none = reason.need == Need::Nothing;
        assert!(needs_none || !reason.remedy.is_empty(), "what to do about {}?", reason.name);
    }
}

#[test]
fn every_reason_that_is_no_good_news_can_be_looked_up() {
    let page = fs::read_to_string(root().join("docs/how-to/troubleshoot.md")).unwrap();
    let headings = page.lines().filter(|line| line.starts_with("### "));
    let told: Vec<&str> = headings.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let untold: Vec<&str> = all()
        .filter(|reason| reason.need != Need::Nothing)
        .map(|reason| reason.name)
        .filter(|name| !told.contains(name))
        .collect();
    assert!(untold.is_empty(), "docs/how-to/troubleshoot.md has no heading for {untold:?}");
    let unknown: Vec<&&str> = told.iter().filter(|name| find(name).is_none()).collect();
    assert!(unknown.is_empty(), "docs/how-to/troubleshoot.md tells of {unknown:?}");
}

/// Words in the code of lint that are no rules, but kinds.
const NO_RULES: &[&str] = &["Domain", "List", "Secret", "SparkCluster"];

#[test]
fn every_rule_of_lint_can_be_looked_up() {
    let names = |rules: &[Reason]| rules.iter().map(|rule| rule.name.to_owned()).collect();
    let mut written = BTreeSet::new();
    for maker in ["finding(", ".add(", "rule: ", "Problem::new("] {
        words(&root().join("src/offline"), maker, &mut written);
    }
    written.retain(|word| !NO_RULES.contains(&word.as_str()) && !JUDGED.contains(&word.as_str()));
    assert_eq!(written, names(WRITTEN), "src/offline/rules.rs says what they mean");

    // What the kinds find, and does not end by itself; the last two come from the API server.
    let is_judged = |word: &str| {
        find(word).is_some_and(|it| matches!(it.need, Need::Action | Need::Either))
            && !WAITING.contains(&word)
            && !["Conflict", "Rejected"].contains(&word)
    };
    let mut judged = BTreeSet::new();
    words(&root().join("src/kinds"), "Problem", &mut judged);
    judged.retain(|word| is_judged(word) && !names(WRITTEN).contains(word));
    assert_eq!(
        judged,
        JUDGED.iter().map(|name| (*name).to_owned()).collect(),
        "see src/offline/rules.rs"
    );

    let page = fs::read_to_string(root().join("docs/reference/lint.md")).unwrap();
    for name in WRITTEN.iter().map(|rule| rule.name).chain(JUDGED.iter().copied()) {
        assert!(page.contains(&format!("\n### {name}\n")), "{name} is not on the page of rules");
        let link = rules::page(name);
        assert!(
            link.ends_with(&format!("docs/reference/lint.md#{}", name.to_lowercase())),
            "{link}"
        );
    }
}
