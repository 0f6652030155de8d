//! Fields that do not exist, and what a new object says of itself.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use rstest::rstest;
use serde_json::json;

use crate::send::{
    Kind::{self, BatchJob, Domain, SparkCluster, SparkJob, SqlEndpoint},
    create, judge, ready,
};

#[rstest]
#[case::in_spec(Domain, "frosty: true", "spec.frosty")]
#[case::deep(Domain, "quota: {hard: {}, scopes: []}", "spec.quota.scopes")]
#[case::in_a_list(
    SparkCluster,
    "workers: [{name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}, autoscaling: {max: 3}}]",
    "spec.workers[0].autoscaling"
)]
#[case::misspelt(SqlEndpoint, "autosuspend: {after: 30m}", "spec.autosuspend")]
#[case::of_another_level(SparkJob, "sparkConf: {spark.a: '1'}", "spec.sparkConf")]
#[case::of_a_later_version(BatchJob, "queue: sales", "spec.queue")]
#[tokio::test]
async fn unknown_fields_are_refused_under_strict_validation(
    #[case] kind: Kind,
    #[case] patch: &str,
    #[case] field: &str,
) {
    let client = ready().await;
    let unknown = format!("unknown field \"{field}\"");
    judge(&create(&client, kind, &kind.object("strict", patch)).await, &[&unknown]);
}

#[tokio::test]
async fn kubectl_apply_refuses_unknown_fields_unless_told_otherwise() {
    ready().await;
    let object = Domain.object("kubectl-apply", "frosty: true").to_string();
    let apply = |arguments: &[&str]| {
        let mut child = Command::new("kubectl")
            .args(["apply", "--dry-run=server", "-f", "-"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl is in PATH");
        child.stdin.take().unwrap().write_all(object.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (is_applied, said) = apply(&[]);
    assert!(!is_applied && said.contains("unknown field \"spec.frosty\""), "{said}");
    let (is_applied, said) = apply(&["--server-side"]);
    assert!(!is_applied && said.contains(".spec.frosty: field not declared in schema"), "{said}");
    let (is_applied, said) = apply(&["--validate=warn"]);
    assert!(is_applied && said.contains("Warning: unknown field \"spec.frosty\""), "{said}");
}

#[tokio::test]
async fn null_is_no_way_to_set_a_field() {
    let client = ready().await;
    let mut object = SqlEndpoint.object("null", "{}");
    object["spec"]["clusterRef"] = json!(null);
    // Nulls are dropped before the rules are asked, so `has` never takes one for a value.
    judge(&create(&client, SqlEndpoint, &object).await, &[]);
    object["spec"]["executors"] = json!(null);
    judge(&create(&client, SqlEndpoint, &object).await, &["set exactly one of executors"]);
}

#[rstest]
#[case(Domain)]
#[case(SparkCluster)]
#[case(SqlEndpoint)]
#[case(BatchJob)]
#[tokio::test]
async fn a_new_object_says_that_nobody_has_looked_at_it(#[case] kind: Kind) {
    let client = ready().await;
    let object = create(&client, kind, &kind.object("unseen", "{}")).await.unwrap();
    assert_eq!(object["status"]["observedGeneration"], -1);
    assert!(object["status"]["conditions"].is_null(), "{object:#}");
    // Nothing is written into the spec on the user's behalf.
    assert_eq!(object["spec"], kind.object("unseen", "{}")["spec"]);
}

#[tokio::test]
async fn status_is_not_the_users_to_set() {
    let client = ready().await;
    let mut object = Domain.object("status-is-ours", "{}");
    object["status"] = json!({"observedGeneration": 7, "namespace": "stolen"});
    let created = create(&client, Domain, &object).await.unwrap();
    assert_eq!(created["status"], json!({"observedGeneration": -1}));
}
