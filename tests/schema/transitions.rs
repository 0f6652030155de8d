//! What may become of an object: rules that compare the new spec with the old one.

use rstest::{Context, rstest};

use crate::{
    cluster::request,
    send::{
        Kind::{self, Domain, SparkCluster},
        judge, ready,
    },
};

const NAMESPACE: &[&str] = &["spec", "namespace.name cannot be changed, added or removed"];
const VOLUMES: &[&str] = &["spec.workers", "the volumes of a pool cannot change; add a pool"];
const STORAGE: &[&str] =
    &["spec.master.storage", "the master's storage cannot change; make a new cluster"];
const WORKER: &str = "replicas: 1, resources: {cpu: 1, memory: 2Gi}";

#[rstest]
#[case::namespace_changed(Domain, "namespace: {name: a}", "namespace: {name: b}", NAMESPACE)]
#[case::namespace_added(Domain, "{}", "namespace: {name: b}", NAMESPACE)]
#[case::namespace_added_to_labels(
    Domain,
    "namespace: {labels: {a: b}}",
    "namespace: {name: b, labels: {a: b}}",
    NAMESPACE
)]
#[case::namespace_removed(Domain, "namespace: {name: a}", "{}", NAMESPACE)]
#[case::namespace_name_removed(
    Domain,
    "namespace: {name: a}",
    "namespace: {labels: {a: b}}",
    NAMESPACE
)]
#[case::namespace_kept(Domain, "namespace: {name: a}", "namespace: {name: a, labels: {x: y}}", &[])]
#[case::labels_added(Domain, "{}", "namespace: {labels: {x: y}}", &[])]
#[case::policy_changed(Domain, "{}", "deletionPolicy: Delete", &[])]
#[case::quota_removed(Domain, "quota: {hard: {pods: 3}}", "{}", &[])]
#[case::volume_added(
    SparkCluster,
    "workers: [{name: w, W}]",
    "workers: [{name: w, W, volumes: [{name: d, size: 1Gi}]}]",
    VOLUMES
)]
#[case::volume_removed(
    SparkCluster,
    "workers: [{name: w, W, volumes: [{name: d, size: 1Gi}]}]",
    "workers: [{name: w, W}]",
    VOLUMES
)]
#[case::volume_grown(
    SparkCluster,
    "workers: [{name: w, W, volumes: [{name: d, size: 1Gi}]}]",
    "workers: [{name: w, W, volumes: [{name: d, size: 2Gi}]}]",
    VOLUMES
)]
#[case::volume_of_another_class(
    SparkCluster,
    "workers: [{name: w, W, volumes: [{name: d, size: 1Gi}]}]",
    "workers: [{name: w, W, volumes: [{name: d, size: 1Gi, class: fast}]}]",
    VOLUMES
)]
#[case::volume_of_one_of_two_pools(
    SparkCluster,
    "workers: [{name: a, W}, {name: b, W, volumes: [{name: d, size: 1Gi}]}]",
    "workers: [{name: b, W}, {name: a, W}]",
    VOLUMES
)]
#[case::volumes_empty_and_absent(SparkCluster, "workers: [{name: w, W}]", "workers: [{name: w, W, volumes: []}]", &[])]
#[case::pool_with_volumes_added(SparkCluster, "workers: [{name: a, W}]", "workers: [{name: a, W}, {name: b, W, volumes: [{name: d, size: 1Gi}]}]", &[])]
#[case::pool_removed(SparkCluster, "workers: [{name: a, W}, {name: b, W, volumes: [{name: d, size: 1Gi}]}]", "workers: [{name: a, W}]", &[])]
#[case::pool_scaled(SparkCluster, "workers: [{name: a, W, volumes: [{name: d, size: 1Gi}]}]", "workers: [{name: a, replicas: 9, resources: {cpu: 2, memory: 4Gi}, volumes: [{name: d, size: 1Gi}]}]", &[])]
#[case::master_storage_grown(SparkCluster, "{}", "master: {storage: {size: 2Gi}}", STORAGE)]
#[case::master_storage_of_another_class(
    SparkCluster,
    "{}",
    "master: {storage: {class: fast}}",
    STORAGE
)]
#[case::master_resources(SparkCluster, "{}", "master: {resources: {cpu: 2}}", &[])]
#[tokio::test]
async fn a_change_is_judged(
    #[context] context: Context,
    #[case] kind: Kind,
    #[case] before: &str,
    #[case] after: &str,
    #[case] expected: &[&str],
) {
    let client = ready().await;
    let name = format!("change-{}", context.case.unwrap());
    let object = |patch: &str| kind.object(&name, &patch.replace(" W", &format!(" {WORKER}")));
    let path = format!("{}/{name}", kind.path());
    // What an earlier run may have left.
    let _ = request(&client, "DELETE", &path, None).await;
    let created = request(&client, "POST", &kind.path(), Some(&object(before))).await.unwrap();
    let mut changed = object(after);
    changed["metadata"] = created["metadata"].clone();
    let update = format!("{path}?dryRun=All&fieldValidation=Strict");
    let answer = request(&client, "PUT", &update, Some(&changed)).await;
    request(&client, "DELETE", &path, None).await.unwrap();
    judge(&answer, expected);
}
