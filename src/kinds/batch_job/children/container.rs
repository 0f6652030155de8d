//! The pod of a job that is not Spark.

use k8s_openapi::api::core::v1::{Container, PodSecurityContext, PodSpec};

use super::Context;
use crate::{
    api::batch_job::ContainerJob,
    build::{
        pods,
        spark::{executors::ACCOUNT, runtime},
    },
};

/// Role of these pods in labels.
pub(in super::super) const COMPONENT: &str = "container";

/// The pod. It runs as the image's own user; volumes are writable for a group.
pub(super) fn pod(context: Context<'_>, job: &ContainerJob) -> PodSpec {
    let domain = context.resolved.domain.domain.as_deref();
    let pool = domain.and_then(|domain| runtime::node_pool(domain, job.node_pool.as_deref()));
    let placement = pods::placement(pool);
    let (mut volumes, mut mounts): (Vec<_>, Vec<_>) =
        pods::user_mounts(&job.mounts, domain).into_iter().unzip();
    volumes.push(pods::empty_dir("tmp"));
    mounts.push(pods::mount_at("tmp", "/tmp"));
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        affinity: placement.affinity,
        tolerations: Some(placement.tolerations),
        priority_class_name: job.priority_class.clone(),
        security_context: Some(PodSecurityContext {
            fs_group: Some(pods::SPARK_UID),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            ..pods::security(None)
        }),
        service_account_name: Some(ACCOUNT.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(60),
        containers: vec![Container {
            name: COMPONENT.to_owned(),
            image: Some(job.image.clone()),
            image_pull_policy: Some("IfNotPresent".to_owned()),
            command: list(&job.command),
            args: list(&job.args),
            env: Some(environment(job)),
            resources: Some(pods::requirements(&job.resources)),
            security_context: Some(pods::container_security(false)),
            termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
            volume_mounts: Some(mounts),
            ..Default::default()
        }],
        volumes: Some(volumes),
        ..Default::default()
    }
}

/// The user's variables, and a home that can be written.
fn environment(job: &ContainerJob) -> Vec<k8s_openapi::api::core::v1::EnvVar> {
    let mut all = pods::user_env(&job.env);
    if all.iter().all(|variable| variable.name != "HOME") {
        all.insert(0, pods::env("HOME", "/tmp"));
    }
    all
}
