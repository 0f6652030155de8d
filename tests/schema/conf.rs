//! Spark configuration: whose keys, and which texts.

use rstest::rstest;
use serde_json::json;

use crate::send::{
    Kind::{self, Domain, SparkCluster, SparkJob, SqlEndpoint},
    create, judge, ready,
};

/// At least one for each entry of the operator's list, and how people get around lists: another
/// case, a key below, overhead.
const OWNED: &[&str] = &[
    "spark.master",
    "spark.Master",
    "SPARK.MASTER",
    "spark.master.rest.enabled",
    "spark.submit.deployMode",
    "spark.local.dir",
    "spark.authenticate",
    "spark.authenticate.secret",
    "spark.authenticate.secret.file",
    "spark.network.crypto.enabled",
    "spark.deploy.recoveryMode",
    "spark.worker.cleanup.enabled",
    "spark.shuffle.service.port",
    "spark.driver.host",
    "spark.driver.port",
    "spark.driver.bindAddress",
    "spark.driver.blockManager.port",
    "spark.blockManager.port",
    "spark.driver.memory",
    "spark.driver.memoryOverhead",
    "spark.driver.cores",
    "spark.executor.memory",
    "spark.executor.MEMORY",
    "spark.executor.memoryOverhead",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.cores.max",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicallocation.ENABLED",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.kubernetes.authenticate.driver.serviceAccountName",
    "spark.kubernetes.namespace",
    "spark.kubernetes.context",
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.pod.name",
    "spark.kubernetes.executor.podTemplateFile",
    "spark.kubernetes.executor.volumes.hostPath.x.mount.path",
    "spark.kubernetes.node.selector.disk",
    "spark.kubernetes.scheduler.name",
    "spark.plugins",
    "spark.ui.port",
    "spark.ui.enabled",
    "spark.connect.grpc.binding.port",
];

#[rstest]
#[case::domain(Domain, "/spec/compute")]
#[case::cluster(SparkCluster, "/spec")]
#[case::endpoint(SqlEndpoint, "/spec")]
#[case::job(SparkJob, "/spec/spark")]
#[tokio::test]
async fn refuses_keys_of_the_operator_in_any_case_by_name(
    #[case] kind: Kind,
    #[case] parent: &str,
) {
    let client = ready().await;
    for key in OWNED {
        let mut object = kind.object("owned-key", "compute: {}");
        object["spec"]
            .as_object_mut()
            .unwrap()
            .retain(|field, _| matches!(kind, Domain) || field != "compute");
        object.pointer_mut(parent).unwrap()["sparkConf"] = json!({"spark.a": "1", *key: "1"});
        let field = format!("{}.sparkConf", parent.trim_start_matches('/').replace('/', "."));
        let answer = create(&client, kind, &object).await;
        // Capitals in front are refused for what they are: Spark reads no such key.
        let why = if key.starts_with("spark.") {
            "Polder sets this key itself, from other fields of the spec; remove it"
        } else {
            "keys begin with \"spark.\""
        };
        judge(&answer, &[&field, why, key]);
    }
}

#[rstest]
#[case::tuning(
    r#"{"spark.sql.shuffle.partitions": "4", "spark.sql.catalog.mine.uri": "https://x"}"#
)]
#[case::below_an_owned_prefix(r#"{"spark.executor.memoryOverheadFactor": "0.2", "spark.kubernetes.executor.missingPodDetectDelta": "30s"}"#)]
#[case::looks_owned_and_is_not(
    r#"{"spark.masterful": "x", "spark.kubernetes.allocation.batch.size": "10"}"#
)]
#[case::tab(r#"{"spark.a": "1\t2"}"#)]
#[case::letters_of_the_world(r#"{"spark.app.label": "Überfahrt 渡し"}"#)]
#[case::empty(r#"{"spark.a": ""}"#)]
#[tokio::test]
async fn lets_in_what_tunes(#[case] conf: &str) {
    let client = ready().await;
    let object = SparkCluster.object("tuned", &format!("sparkConf: {conf}"));
    judge(&create(&client, SparkCluster, &object).await, &[]);
}

#[rstest]
#[case::second_line(r#"{"spark.a": "1\nspark.master=local"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::carriage_return(r#"{"spark.a": "1\r2"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::escape(r#"{"spark.a": "\u001b[31m"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::delete(r#"{"spark.a": "\u007f"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::next_line(r#"{"spark.a": "1\u00852"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::line_separator(r#"{"spark.a": "1\u20282"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::nul(r#"{"spark.a": "\u0000"}"#, &["spec.sparkConf.spark.a", "should match"])]
#[case::key_with_a_line(r#"{"spark.a\nspark.master": "local"}"#, &["spec.sparkConf", "keys begin with"])]
#[case::key_with_a_blank(r#"{"spark.a b": "1"}"#, &["spec.sparkConf", "keys begin with", "spark.a b"])]
#[case::key_with_an_equals_sign(r#"{"spark.a=b": "1"}"#, &["spec.sparkConf", "keys begin with", "spark.a=b"])]
#[case::not_of_spark(r#"{"hive.metastore.uris": "thrift://x"}"#, &["spec.sparkConf", "keys begin with", "hive.metastore.uris"])]
#[case::hidden_blank(r#"{" spark.master": "local"}"#, &["spec.sparkConf", "keys begin with"])]
#[tokio::test]
async fn refuses_what_breaks_out(#[case] conf: &str, #[case] expected: &[&str]) {
    let client = ready().await;
    let mut object = SparkCluster.object("broken-out", "{}");
    object["spec"]["sparkConf"] = serde_json::from_str(conf).unwrap();
    judge(&create(&client, SparkCluster, &object).await, expected);
}

#[tokio::test]
async fn bounds_the_size() {
    let client = ready().await;
    let mut object = SparkCluster.object("large", "{}");
    object["spec"]["sparkConf"] = (0..257).map(|i| (format!("spark.key{i}"), json!("1"))).collect();
    judge(&create(&client, SparkCluster, &object).await, &["spec.sparkConf", "Too many"]);
    object["spec"]["sparkConf"] = json!({"spark.a": "x".repeat(4097)});
    judge(&create(&client, SparkCluster, &object).await, &["spec.sparkConf.spark.a", "Too long"]);
}
