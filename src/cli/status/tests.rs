//! Whole answers, as people see them.

use serde_json::{Value, json};

use super::{
    super::{
        cluster::{Object, RootKind},
        show::Style,
    },
    report::{self, Report, Workload},
    text,
};

fn object(name: &str, ready: (&str, &str, &str), stalled: bool, more: &Value) -> Object {
    let (status, reason, message) = ready;
    let condition = |type_: &str, status: &str| {
        json!({"type": type_, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let mut object = json!({
        "metadata": {"name": name, "namespace": "sales", "generation": 1},
        "spec": {},
        "status": {"observedGeneration": 1, "conditions": [
            condition("Ready", status),
            condition("Stalled", if stalled { "True" } else { "False" }),
        ]},
    });
    for (pointer, value) in more.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn domain() -> Object {
    object(
        "sales",
        ("True", "Ready", "all is in force"),
        false,
        &json!({
            "/metadata/namespace": null,
            "/status/namespace": "sales",
            "/status/owner": {"team": "sales-data", "email": "data@example.com"},
            "/status/quota": {
                "hard": {"requests.cpu": "40", "limits.memory": "100Gi", "pods": "0"},
                "used": {"requests.cpu": "4", "limits.memory": "85Gi", "pods": "0"},
            },
        }),
    )
}

fn workloads() -> Vec<Workload> {
    let failed = "run load-1 failed: pod x: OOMKilled, exit code 137\nmore lines";
    [
        (
            RootKind::SparkCluster,
            object(
                "etl",
                ("True", "Ready", ""),
                false,
                &json!({"/status/workers": {"summary": "2/2"}}),
            ),
        ),
        (
            RootKind::SqlEndpoint,
            object("bi", ("False", "SecretMissing", "Secret lake is not there"), false, &json!({})),
        ),
        (
            RootKind::BatchJob,
            object(
                "load",
                ("False", "Failed", failed),
                true,
                &json!({"/status/lastRun": {"result": "Failed"}}),
            ),
        ),
        (
            RootKind::BatchJob,
            object(
                "nightly",
                ("True", "Scheduled", ""),
                false,
                &json!({"/spec/schedule": {"cron": "0 2 * * *"}}),
            ),
        ),
    ]
    .iter()
    .map(|(kind, object)| Workload::new(*kind, object))
    .collect()
}

#[test]
fn one_domain_on_one_screen() {
    insta::assert_snapshot!(text::one(&Report::new(&domain(), workloads()), &Style::default()));
}

#[test]
fn as_a_member_sees_it() {
    insta::assert_snapshot!(text::one(&Report::of_member("sales", vec![]), &Style::default()));
}

#[test]
fn all_domains_a_line_each() {
    let reports = report::of_all(&[domain()], workloads());
    insta::assert_snapshot!(text::all(&reports, &Style::default()));
}

#[test]
fn without_domains_it_says_how_to_begin() {
    assert!(text::all(&[], &Style::default()).contains("kubectl explain domain.spec"));
}
