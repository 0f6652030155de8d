//! Names in DNS, the master's web pages, and how many workers may go at once.

use k8s_openapi::{
    api::{
        core::v1::{Service, ServicePort, ServiceSpec},
        policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    },
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{master, workers};
use crate::{
    build::names,
    kinds::spark_cluster::{
        MASTER_PORT, MASTER_UI_PORT, WORKER_UI_PORT, master_name, plan::Context, workers_name,
    },
};

pub(in super::super) fn ui_name(cluster: &str) -> String {
    names::child(cluster, "ui", names::LABEL_LIMIT)
}

/// The master's stable name; also before it is ready, since it has to find itself.
pub(in super::super) fn master(context: &Context<'_>) -> Service {
    headless(
        context,
        &master_name(context.cluster),
        master::COMPONENT,
        &[("rpc", MASTER_PORT), ("ui", MASTER_UI_PORT)],
    )
}

/// The workers' stable names.
pub(in super::super) fn workers(context: &Context<'_>) -> Service {
    headless(context, &workers_name(context.cluster), workers::COMPONENT, &[("ui", WORKER_UI_PORT)])
}

/// The master's web pages.
pub(in super::super) fn ui(context: &Context<'_>) -> Service {
    Service {
        metadata: context.identity.meta(&ui_name(context.cluster), "ui"),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(context.identity.selector(master::COMPONENT)),
            ports: Some(ports(&[("ui", MASTER_UI_PORT)])),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// At most one worker goes at a time when nodes are drained.
pub(in super::super) fn budget(context: &Context<'_>) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: context.identity.meta(&workers_name(context.cluster), workers::COMPONENT),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(context.identity.label_selector(workers::COMPONENT)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn headless(
    context: &Context<'_>,
    name: &str,
    component: &str,
    port_list: &[(&str, i32)],
) -> Service {
    Service {
        metadata: context.identity.meta(name, component),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(context.identity.selector(component)),
            ports: Some(ports(port_list)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn ports(list: &[(&str, i32)]) -> Vec<ServicePort> {
    list.iter()
        .map(|(name, port)| ServicePort {
            name: Some((*name).to_owned()),
            port: *port,
            protocol: Some("TCP".to_owned()),
            target_port: Some(IntOrString::Int(*port)),
            ..Default::default()
        })
        .collect()
}
