//! What master and workers have in common: stateful sets, environment, probes.

use k8s_openapi::{
    api::{
        apps::v1::{
            StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
            StatefulSetUpdateStrategy,
        },
        core::v1::{
            ContainerPort, EnvVar, ExecAction, HTTPGetAction, PersistentVolumeClaim,
            PersistentVolumeClaimSpec, PodSpec, PodTemplateSpec, Probe, VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::{apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};

use super::config;
use crate::{
    api::{Quantity, domain::DeletionPolicy},
    build::{
        labels::{self, Map},
        pods,
    },
    kinds::{
        common::ownership,
        spark_cluster::{RPC_KEY, plan::Context, room},
    },
};

/// Label of pods and volumes with the name of their stateful set.
pub(in super::super) const SET: &str = "polder.dev/set";

/// A stateful set of daemons.
pub(super) struct Set<'a> {
    pub(super) name: &'a str,
    pub(super) service: &'a str,
    pub(super) component: &'a str,
    pub(super) replicas: i32,
    pub(super) claims: Vec<PersistentVolumeClaim>,
    pub(super) annotations: &'a Map,
    pub(super) pod: PodSpec,
}

pub(super) fn set(context: &Context<'_>, set: Set<'_>) -> StatefulSet {
    let when_deleted = match context.root.spec.deletion_policy.unwrap_or_default() {
        DeletionPolicy::Retain => "Retain",
        DeletionPolicy::Delete => "Delete",
    };
    let mut labels = context.identity.lasting_labels(set.component);
    labels.insert(SET.to_owned(), set.name.to_owned());
    let mut selector = context.identity.label_selector(set.component);
    if let Some(match_labels) = selector.match_labels.as_mut() {
        match_labels.insert(SET.to_owned(), set.name.to_owned());
    }
    let mut metadata = context.identity.meta(set.name, set.component);
    metadata.annotations = room::wake(context.root, context.resolved, set.name)
        .filter(|_| !context.suspended)
        .map(|found| [(labels::ROOM.to_owned(), found)].into());
    let before = context.resolved.templates.get(set.name);
    let set = StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            replicas: Some(if context.suspended { 0 } else { set.replicas }),
            service_name: Some(set.service.to_owned()),
            selector,
            pod_management_policy: Some("Parallel".to_owned()),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..Default::default()
            }),
            persistent_volume_claim_retention_policy: Some(
                StatefulSetPersistentVolumeClaimRetentionPolicy {
                    when_deleted: Some(when_deleted.to_owned()),
                    when_scaled: Some("Retain".to_owned()),
                },
            ),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: Some(set.annotations.clone()),
                    ..Default::default()
                }),
                spec: Some(set.pod),
            },
            volume_claim_templates: Some(set.claims),
            ..Default::default()
        }),
        ..Default::default()
    };
    ownership::own(set, context.identity.owner, before)
}

/// A claim template. The set's controller adds the labels of the set's selector.
pub(super) fn claim(
    context: &Context<'_>,
    name: &str,
    size: &Quantity,
    class: Option<&String>,
) -> PersistentVolumeClaim {
    let labels = [(labels::DOMAIN.to_owned(), context.identity.domain.to_owned())].into();
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels),
            ..Default::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: class.cloned(),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), size.into())].into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Command and arguments of a daemon: `spark-class`, by way of a script if it watches Secrets.
pub(super) fn entry<const N: usize>(
    context: &Context<'_>,
    arguments: [&str; N],
) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let program = "/opt/spark/bin/spark-class".to_owned();
    let arguments = arguments.map(str::to_owned);
    if context.watched.folders.is_empty() {
        return (Some(vec![program]), Some(arguments.into()));
    }
    let script = format!("{}/{}", config::DIR, config::START);
    let all = [program].into_iter().chain(arguments).collect();
    (Some(vec!["/bin/bash".to_owned(), script]), Some(all))
}

/// Environment of a daemon with a heap of so many MiB.
pub(super) fn daemon_env(context: &Context<'_>, heap_mib: i64) -> Vec<EnvVar> {
    vec![
        pods::field_env("POD_NAME", "metadata.name"),
        pods::env("SPARK_CONF_DIR", config::DIR),
        pods::env("SPARK_NO_DAEMONIZE", "true"),
        pods::env("SPARK_DAEMON_MEMORY", format!("{heap_mib}m")),
        pods::env("HOME", "/tmp"),
        pods::secret_env("_SPARK_AUTH_SECRET", &context.rpc_secret, RPC_KEY),
    ]
}

pub(super) fn http_probe(port: IntOrString, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/json/".to_owned()),
            port,
            ..Default::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(5),
        ..Default::default()
    }
}

pub(super) fn exec_probe(name: &str) -> Probe {
    Probe {
        exec: Some(script(name)),
        period_seconds: Some(5),
        timeout_seconds: Some(5),
        failure_threshold: Some(3),
        ..Default::default()
    }
}

/// Runs a script of the ConfigMap.
pub(super) fn script(name: &str) -> ExecAction {
    ExecAction { command: Some(vec!["/bin/bash".to_owned(), format!("{}/{name}", config::DIR)]) }
}

pub(super) fn ports(list: &[(&str, i32)]) -> Vec<ContainerPort> {
    list.iter()
        .map(|(name, port)| ContainerPort {
            name: Some((*name).to_owned()),
            container_port: *port,
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        })
        .collect()
}
