//! `SparkCluster`: master and worker pools as stateful sets, with shuffle volumes.

mod children;
mod plan;
mod resolve;
mod room;
mod status;
mod validate;

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    api::{SparkCluster, SparkClusterStatus, common::SecretKey, spark_cluster::WorkerPool},
    build::{
        names,
        spark::{SparkImages, memory},
    },
    engine::{Kind, Plan, Problem, Report, View},
};

pub use resolve::Resolved;

/// Port that drivers and workers reach the master at.
const MASTER_PORT: i32 = 7077;
/// Port of the master's web pages.
pub const MASTER_UI_PORT: i32 = 8080;
/// Port of a worker's web pages.
pub const WORKER_UI_PORT: i32 = 8081;
/// Key of the RPC secret.
const RPC_KEY: &str = "secret";

/// The kind.
pub struct SparkClusterKind {
    /// Which image serves which Spark version.
    pub images: Arc<SparkImages>,
}

impl Kind for SparkClusterKind {
    type Root = SparkCluster;
    type Resolved = Resolved;
    type Status = SparkClusterStatus;

    const NAME: &'static str = "spark-cluster";

    fn resolve(&self, root: &SparkCluster, view: &View<'_>) -> Resolved {
        Resolved::new(root, view, &self.images)
    }

    fn validate(&self, root: &SparkCluster, resolved: &Resolved) -> Vec<Problem> {
        validate::problems(root, resolved, &self.images)
    }

    fn plan(&self, root: &SparkCluster, resolved: &Resolved) -> Plan {
        plan::plan(root, resolved)
    }

    fn status(
        &self,
        root: &SparkCluster,
        resolved: &Resolved,
        report: &Report,
    ) -> SparkClusterStatus {
        status::status(root, resolved, report)
    }
}

/// Address of a cluster's master for drivers.
pub fn master_url(cluster: &str, namespace: &str) -> String {
    format!("spark://{}:{MASTER_PORT}", master_host(cluster, namespace))
}

/// The key that drivers and daemons of a cluster prove themselves with. Its name holds a hash of
/// the cluster's uid, so that nobody can have made it before.
pub fn rpc_secret(cluster: &SparkCluster) -> SecretKey {
    let ObjectMeta { name, uid, .. } = &cluster.metadata;
    let hash = names::short_hash(uid.as_deref().unwrap_or_default(), 8);
    let role = format!("rpc-{hash}");
    let name = names::child(name.as_deref().unwrap_or_default(), &role, names::LABEL_LIMIT);
    SecretKey { name, key: RPC_KEY.to_owned() }
}

/// Memory for executors on the smallest worker of a cluster, in MiB; 0 without workers.
pub fn least_worker_offer_mib(cluster: &SparkCluster) -> i64 {
    cluster.spec.workers.iter().map(worker_offer_mib).min().unwrap_or(0)
}

/// Memory for executors on a worker of a pool, in MiB.
fn worker_offer_mib(pool: &WorkerPool) -> i64 {
    memory::worker_offer_mib(&pool.resources).unwrap_or(0)
}

/// Name of the master's stateful set and headless service.
fn master_name(cluster: &str) -> String {
    names::child(cluster, "master", names::SET_LIMIT)
}

/// The master's own name in DNS, the same for each of its pods.
fn master_host(cluster: &str, namespace: &str) -> String {
    let name = master_name(cluster);
    format!("{name}-0.{name}.{namespace}.svc")
}

/// Name of the headless service of all workers.
fn workers_name(cluster: &str) -> String {
    names::child(cluster, "workers", names::LABEL_LIMIT)
}

/// Name of a pool's stateful set.
fn pool_name(cluster: &str, pool: &str) -> String {
    names::child(cluster, &format!("worker-{pool}"), names::SET_LIMIT)
}
