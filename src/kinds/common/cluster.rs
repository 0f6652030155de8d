//! The SparkCluster that a driver runs on.

use std::sync::Arc;

use crate::{
    api::{SparkCluster, common::ClusterRef, conditions::READY},
    build::{
        quantity,
        spark::{Conf, catalogs::SecretProperty, executors},
    },
    engine::{Problem, View},
    kinds::spark_cluster::{least_worker_offer_mib, master_url, rpc_secret},
};

/// A SparkCluster that a workload names, and its neighbours.
#[derive(Clone, Debug)]
pub struct ClusterContext {
    /// The cluster, if it exists.
    pub cluster: Option<Arc<SparkCluster>>,
    /// Names of all clusters of the domain.
    pub known: Vec<String>,
}

impl ClusterContext {
    /// Looks up a cluster of the domain.
    pub fn resolve(view: &View<'_>, namespace: &str, name: &str) -> Self {
        let cluster = view.root::<SparkCluster>(Some(namespace), name);
        let known = if cluster.is_some() {
            Vec::new()
        } else {
            let all = view.roots_aside::<SparkCluster>(namespace);
            all.iter().filter_map(|cluster| cluster.metadata.name.clone()).collect()
        };
        Self { cluster, known }
    }

    /// What is wrong with a reference to the cluster. A driver that is yet to start
    /// (`is_start`) also waits until the cluster is ready.
    pub fn problems(&self, path: &str, reference: &ClusterRef, is_start: bool) -> Vec<Problem> {
        let Some(cluster) = &self.cluster else {
            let known =
                if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
            return vec![Problem::new(
                "ClusterNotFound",
                format!("{path}.name"),
                format!("there is no SparkCluster {} here; there are: {known}", reference.name),
            )];
        };
        let mut problems = Vec::new();
        let offer = least_worker_offer_mib(cluster);
        let wanted = reference
            .executor_memory
            .as_ref()
            .and_then(|memory| Some((memory, quantity::mebibytes(&memory.0)?)));
        if let Some((memory, mib)) = wanted.filter(|(_, mib)| *mib > offer) {
            problems.push(Problem::new(
                "ExecutorTooLarge",
                format!("{path}.executorMemory"),
                format!(
                    "{memory} ({mib}Mi) is more than the {offer}Mi that a worker of SparkCluster {} offers",
                    reference.name
                ),
            ));
        }
        let cores = cluster.spec.workers.iter().map(|pool| executors::cores(&pool.resources)).max();
        let wanted = reference.executor_cores.map(i64::from);
        if let (Some(wanted), Some(cores)) = (wanted, cores)
            && wanted > cores
        {
            problems.push(Problem::new(
                "ExecutorTooLarge",
                format!("{path}.executorCores"),
                format!(
                    "{wanted} is more than the {cores} cores of the largest worker of SparkCluster {}",
                    reference.name
                ),
            ));
        }
        if is_start && !is_ready(cluster) {
            problems.push(Problem::new(
                "ClusterNotReady",
                format!("{path}.name"),
                format!("waits for SparkCluster {} to be ready", reference.name),
            ));
        }
        problems
    }
}

/// Properties of a driver that runs on a cluster.
pub fn conf(cluster: &SparkCluster, reference: &ClusterRef) -> Conf {
    let namespace = cluster.metadata.namespace.as_deref().unwrap_or_default();
    let url = master_url(&reference.name, namespace);
    executors::cluster_conf(&url, reference, least_worker_offer_mib(cluster))
}

/// The key that a driver proves itself with to a cluster.
pub fn secret(cluster: &SparkCluster) -> SecretProperty {
    SecretProperty { property: "spark.authenticate.secret".to_owned(), secret: rpc_secret(cluster) }
}

fn is_ready(cluster: &SparkCluster) -> bool {
    let conditions = cluster.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|condition| condition.type_ == READY && condition.status == "True")
}
