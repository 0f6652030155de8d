//! The master: one pod with its recovery state on a volume.

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{Container, PodSpec},
    },
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    config,
    daemon::{Set, claim, daemon_env, entry, exec_probe, http_probe, ports, set},
};
use crate::{
    build::{
        labels::Map,
        pods, quantity,
        spark::{executors, runtime},
    },
    kinds::spark_cluster::{MASTER_PORT, MASTER_UI_PORT, master_host, master_name, plan::Context},
};

/// Role of the master in labels.
pub(in super::super) const COMPONENT: &str = "master";
/// Name of the volume with the recovery state.
pub(in super::super) const RECOVERY: &str = "recovery";
/// What a JVM takes beside its heap, in MiB.
const OVERHEAD_MIB: i64 = 256;

pub(in super::super) fn stateful_set(context: &Context<'_>, annotations: &Map) -> StatefulSet {
    let spec = &context.root.spec.master;
    let name = master_name(context.cluster);
    set(
        context,
        Set {
            name: &name,
            service: &name,
            component: COMPONENT,
            replicas: 1,
            claims: vec![claim(context, RECOVERY, &spec.storage.size, spec.storage.class.as_ref())],
            annotations,
            pod: pod(context),
        },
    )
}

fn pod(context: &Context<'_>) -> PodSpec {
    let spec = &context.root.spec.master;
    let runtime = &context.resolved.runtime;
    let domain = context.resolved.domain.domain.as_deref();
    let pool = domain.and_then(|domain| runtime::node_pool(domain, spec.node_pool.as_deref()));
    let placement = pods::placement(pool);
    let heap = quantity::mebibytes(&spec.resources.memory.0)
        .map_or(OVERHEAD_MIB, |mib| (mib - OVERHEAD_MIB).max(128));
    let env = daemon_env(context, heap);
    let env = pods::merge_env(env, &runtime.env);
    let mut mounts = vec![
        pods::mount_at("config", config::DIR),
        pods::mount_at(RECOVERY, "/data/recovery"),
        pods::mount_at("tmp", "/tmp"),
        pods::mount_at("work", executors::WORK_DIR),
    ];
    mounts.extend(runtime.mounts());
    mounts.extend(context.watched.env.iter().map(|(_, mount)| mount.clone()));
    let mut volumes = vec![
        pods::config_map_volume("config", &config::name(context.cluster)),
        pods::empty_dir("tmp"),
        pods::empty_dir("work"),
    ];
    volumes.extend(runtime.pod_volumes());
    volumes.extend(context.watched.env.iter().map(|(volume, _)| volume.clone()));
    let (command, args) = entry(
        context,
        [
            "org.apache.spark.deploy.master.Master",
            "--host",
            &master_host(context.cluster, context.identity.namespace),
            "--port",
            &MASTER_PORT.to_string(),
            "--webui-port",
            &MASTER_UI_PORT.to_string(),
        ],
    );
    PodSpec {
        affinity: placement.affinity,
        tolerations: Some(placement.tolerations),
        priority_class_name: spec.priority_class.clone(),
        security_context: Some(pods::security(Some(pods::SPARK_UID))),
        service_account_name: Some(executors::ACCOUNT.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(30),
        containers: vec![Container {
            name: COMPONENT.to_owned(),
            image: Some(runtime.image.clone()),
            image_pull_policy: Some("IfNotPresent".to_owned()),
            command,
            args,
            env: Some(env),
            working_dir: Some(executors::WORK_DIR.to_owned()),
            ports: Some(ports(&[("rpc", MASTER_PORT), ("ui", MASTER_UI_PORT)])),
            resources: Some(pods::requirements(&spec.resources)),
            security_context: Some(pods::container_security(true)),
            termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
            startup_probe: Some(http_probe(IntOrString::Int(MASTER_UI_PORT), 2, 150)),
            liveness_probe: Some(http_probe(IntOrString::Int(MASTER_UI_PORT), 10, 6)),
            readiness_probe: Some(exec_probe("master-ready.sh")),
            volume_mounts: Some(mounts),
            ..Default::default()
        }],
        volumes: Some(volumes),
        ..Default::default()
    }
}
