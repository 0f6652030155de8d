//! What a SparkCluster says of itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    MASTER_UI_PORT, Resolved, children, master_name, master_url, pool_name, room, rpc_secret,
    worker_offer_mib,
};
use crate::{
    api::{
        SparkCluster, SparkClusterStatus,
        conditions::condition,
        spark_cluster::{PoolStatus, WorkersStatus},
    },
    build::spark::executors,
    engine::Report,
    kinds::common::{
        Readiness,
        pods::{self, Trouble},
        quota::Shortfall,
        triple,
    },
};

pub(super) fn status(
    root: &SparkCluster,
    resolved: &Resolved,
    report: &Report,
) -> SparkClusterStatus {
    let name = root.metadata.name.as_deref().unwrap_or_default();
    let namespace = &resolved.domain.namespace;
    let generation = root.metadata.generation;
    let master_ready = ready(resolved, &master_name(name)) > 0;
    let workers = workers(root, resolved);
    let readiness = readiness(root, resolved, master_ready, &workers);
    let mut conditions = triple(report, generation, readiness);
    conditions.push(master_condition(master_ready, generation));
    conditions.push(workers_condition(&workers, generation));
    SparkClusterStatus {
        observed_generation: generation,
        master_url: Some(master_url(name, namespace)),
        ui_url: Some(format!(
            "http://{}.{namespace}.svc:{MASTER_UI_PORT}",
            children::services::ui_name(name)
        )),
        image: (!resolved.runtime.image.is_empty()).then(|| resolved.runtime.image.clone()),
        workers: Some(workers),
        generated_secrets: generated(root, report),
        conditions,
    }
}

/// Secrets that exist: made before, or just now.
fn generated(root: &SparkCluster, report: &Report) -> Vec<String> {
    let name = rpc_secret(root).name;
    let before = root.status.iter().flat_map(|status| &status.generated_secrets);
    let now = report.generated.iter().map(|key| &key.name);
    if before.chain(now).any(|known| *known == name) { vec![name] } else { Vec::new() }
}

fn ready(resolved: &Resolved, set: &str) -> i32 {
    resolved.sets.get(set).and_then(|status| status.ready_replicas).unwrap_or(0)
}

fn workers(root: &SparkCluster, resolved: &Resolved) -> WorkersStatus {
    let name = root.metadata.name.as_deref().unwrap_or_default();
    let suspended = resolved.suspended(root);
    let mut total = WorkersStatus::default();
    for pool in &root.spec.workers {
        let desired = if suspended { 0 } else { pool.replicas };
        let ready = ready(resolved, &pool_name(name, &pool.name));
        total.desired += desired;
        total.ready += ready;
        total.cores += executors::cores(&pool.resources) * i64::from(ready);
        total.memory_mib += worker_offer_mib(pool) * i64::from(ready);
        total.pools.push(PoolStatus { name: pool.name.clone(), desired, ready });
    }
    total.summary = format!("{}/{}", total.ready, total.desired);
    total
}

fn readiness(
    root: &SparkCluster,
    resolved: &Resolved,
    master_ready: bool,
    workers: &WorkersStatus,
) -> Readiness {
    if resolved.suspended(root) {
        let left = resolved.pods.iter().filter(|pod| pods::is_active(pod)).count();
        return if left == 0 {
            Readiness::suspended("suspended; volumes are kept")
        } else {
            Readiness::progressing("Suspending", format!("{left} pods still stop"))
        };
    }
    if master_ready && workers.ready >= workers.desired && !rolling(resolved) {
        return Readiness::ready(format!(
            "the master is alive and {} workers are registered",
            workers.ready
        ));
    }
    let troubles: Vec<Trouble> = resolved
        .pods
        .iter()
        .filter(|pod| !pod.deleting)
        .filter_map(|pod| pods::trouble(pod))
        .collect();
    if let Some(trouble) = troubles.iter().find(|trouble| trouble.needs_person) {
        return Readiness::failing(trouble.reason.clone(), trouble.message.clone());
    }
    if let Some(Shortfall { message, hopeless }) = room::shortfall(root, resolved) {
        let message = format!("does not fit into the quota of the domain: {message}");
        return if hopeless {
            Readiness::failing(
                "QuotaExceeded",
                format!("{message}; ask for less, or for more quota"),
            )
        } else {
            Readiness::progressing("QuotaExceeded", message)
        };
    }
    if let Some(trouble) = troubles.first() {
        return Readiness::progressing(trouble.reason.clone(), trouble.message.clone());
    }
    if !master_ready {
        return Readiness::progressing("MasterNotReady", "the master is not alive yet");
    }
    let message = format!("{} of {} workers are registered", workers.ready, workers.desired);
    Readiness::progressing(if rolling(resolved) { "Rolling" } else { "WorkersNotReady" }, message)
}

/// Pods are being replaced after a change of configuration.
fn rolling(resolved: &Resolved) -> bool {
    resolved.sets.values().any(|status| {
        status.update_revision != status.current_revision
            && status.updated_replicas.unwrap_or(0) < status.replicas
    })
}

fn master_condition(is_ready: bool, generation: Option<i64>) -> Condition {
    let (reason, message) = if is_ready {
        ("Alive", "the master is alive")
    } else {
        ("NotAlive", "the master does not answer, or still recovers")
    };
    condition("MasterReady", is_ready, reason, message, generation)
}

fn workers_condition(workers: &WorkersStatus, generation: Option<i64>) -> Condition {
    let all = workers.ready >= workers.desired;
    let message = format!("{} of {} workers are registered", workers.ready, workers.desired);
    let reason = if all { "Registered" } else { "NotRegistered" };
    condition("WorkersReady", all, reason, message, generation)
}
