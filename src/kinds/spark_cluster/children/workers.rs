//! A pool of workers, each with its shuffle volumes.

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{
            Container, EnvVar, Lifecycle, LifecycleHandler, PodSpec, Probe, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    config,
    daemon::{Set, claim, daemon_env, entry, exec_probe, http_probe, ports, script, set},
};
use crate::{
    api::spark_cluster::WorkerPool,
    build::{
        labels::Map,
        pods,
        spark::{executors, memory, runtime},
    },
    kinds::spark_cluster::{
        WORKER_UI_PORT, master_host, master_url, plan::Context, pool_name, worker_offer_mib,
        workers_name,
    },
};

/// Role of workers in labels.
pub(in super::super) const COMPONENT: &str = "worker";
/// Time for a worker to hand its shuffle data on.
const GRACE_SECONDS: i64 = 120;

pub(in super::super) fn stateful_set(
    context: &Context<'_>,
    pool: &WorkerPool,
    annotations: &Map,
) -> StatefulSet {
    let name = pool_name(context.cluster, &pool.name);
    set(
        context,
        Set {
            name: &name,
            service: &workers_name(context.cluster),
            component: COMPONENT,
            replicas: pool.replicas,
            claims: pool
                .volumes
                .iter()
                .map(|volume| claim(context, &volume.name, &volume.size, volume.class.as_ref()))
                .collect(),
            annotations,
            pod: pod(context, pool),
        },
    )
}

fn pod(context: &Context<'_>, pool: &WorkerPool) -> PodSpec {
    let runtime = &context.resolved.runtime;
    let domain = context.resolved.domain.domain.as_deref();
    let nodes = domain.and_then(|domain| runtime::node_pool(domain, pool.node_pool.as_deref()));
    let placement = pods::placement(nodes);
    let (mut volumes, mut mounts) = folders(context, pool);
    volumes.extend(runtime.pod_volumes());
    volumes.extend(context.watched.env.iter().map(|(volume, _)| volume.clone()));
    mounts.extend(runtime.mounts());
    mounts.extend(context.watched.env.iter().map(|(_, mount)| mount.clone()));
    PodSpec {
        affinity: placement.affinity,
        tolerations: Some(placement.tolerations),
        priority_class_name: pool.priority_class.clone(),
        topology_spread_constraints: Some(pods::spread(context.identity.label_selector(COMPONENT))),
        security_context: Some(pods::security(Some(pods::SPARK_UID))),
        service_account_name: Some(executors::ACCOUNT.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        containers: vec![container(context, pool, mounts)],
        volumes: Some(volumes),
        ..Default::default()
    }
}

/// The worker takes a free port for its RPC, another one at each start: a master that recovers
/// greets its old workers by host and port, and a new worker that hears that greeting takes itself
/// for registered, which it is not.
fn container(context: &Context<'_>, pool: &WorkerPool, mounts: Vec<VolumeMount>) -> Container {
    let runtime = &context.resolved.runtime;
    let namespace = context.identity.namespace;
    let mut env = daemon_env(context, memory::WORKER_HEAP_MIB);
    env.extend(worker_env(context, pool));
    let env = pods::merge_env(env, &runtime.env);
    let (command, args) = entry(
        context,
        [
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "$(WORKER_HOST)",
            "--webui-port",
            &WORKER_UI_PORT.to_string(),
            &master_url(context.cluster, namespace),
        ],
    );
    Container {
        name: COMPONENT.to_owned(),
        image: Some(runtime.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command,
        args,
        env: Some(env),
        working_dir: Some(executors::WORK_DIR.to_owned()),
        ports: Some(ports(&[("ui", WORKER_UI_PORT)])),
        resources: Some(pods::requirements(&pool.resources)),
        security_context: Some(pods::container_security(true)),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        startup_probe: Some(http_probe(IntOrString::Int(WORKER_UI_PORT), 2, 150)),
        liveness_probe: Some(Probe {
            period_seconds: Some(15),
            timeout_seconds: Some(10),
            failure_threshold: Some(4),
            ..exec_probe("worker-live.sh")
        }),
        readiness_probe: Some(exec_probe("worker-ready.sh")),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(script("worker-stop.sh")),
                ..Default::default()
            }),
            ..Default::default()
        }),
        volume_mounts: Some(mounts),
        ..Default::default()
    }
}

fn worker_env(context: &Context<'_>, pool: &WorkerPool) -> Vec<EnvVar> {
    let namespace = context.identity.namespace;
    let directories = local_directories(pool);
    vec![
        pods::env(
            "WORKER_HOST",
            format!("$(POD_NAME).{}.{namespace}.svc", workers_name(context.cluster)),
        ),
        pods::env("MASTER_HOST", master_host(context.cluster, namespace)),
        pods::env("SPARK_WORKER_CORES", executors::cores(&pool.resources).to_string()),
        pods::env("SPARK_WORKER_MEMORY", format!("{}m", worker_offer_mib(pool))),
        pods::env("SPARK_WORKER_DIR", executors::WORK_DIR),
        // Without spark.local.dir here the shuffle service forgets its state over a restart.
        pods::env("SPARK_WORKER_OPTS", format!("-Dspark.local.dir={directories}")),
        pods::env("SPARK_LOCAL_DIRS", directories),
    ]
}

/// Folders for shuffle files, one on each volume.
fn local_directories(pool: &WorkerPool) -> String {
    if pool.volumes.is_empty() {
        return "/data/scratch".to_owned();
    }
    let paths: Vec<String> =
        pool.volumes.iter().map(|volume| format!("/data/{}", volume.name)).collect();
    paths.join(",")
}

fn folders(context: &Context<'_>, pool: &WorkerPool) -> (Vec<Volume>, Vec<VolumeMount>) {
    let mut volumes = vec![
        pods::config_map_volume("config", &config::name(context.cluster)),
        pods::empty_dir("tmp"),
        pods::empty_dir("work"),
    ];
    let mut mounts = vec![
        pods::mount_at("config", config::DIR),
        pods::mount_at("tmp", "/tmp"),
        pods::mount_at("work", executors::WORK_DIR),
    ];
    if pool.volumes.is_empty() {
        volumes.push(pods::empty_dir("scratch"));
        mounts.push(pods::mount_at("scratch", "/data/scratch"));
    }
    mounts.extend(
        pool.volumes
            .iter()
            .map(|volume| pods::mount_at(&volume.name, &format!("/data/{}", volume.name))),
    );
    (volumes, mounts)
}
