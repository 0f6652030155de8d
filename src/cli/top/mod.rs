//! `polder top`: what domains reserve and use, and what that costs.

mod sums;
mod text;

use std::{process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::ListParams;
use tokio::time::timeout;

use super::{
    cluster::{AnyDomain, Cluster, Connection, Object, RootKind, waiting},
    error::Error,
    show::Output,
};
use crate::{
    build::types::{CLAIM, POD},
    engine::ResourceType,
};
use sums::{PodUsage, Prices, sum};

/// What metrics-server, if there is one, measures of pods.
const POD_METRICS: ResourceType = ResourceType {
    group: "metrics.k8s.io",
    version: "v1beta1",
    kind: "PodMetrics",
    plural: "pods",
    namespaced: true,
};

/// The rest of the answer waits no longer for what is measured.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to add up.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    domain: AnyDomain,
    /// Add up by whom.
    #[arg(long, value_enum, default_value = "domain")]
    by: By,
    /// Price of a core for an hour. Shows what the reserved cores cost.
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    price_cpu: f64,
    /// Price of a GiB of memory for an hour.
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    price_memory: f64,
    /// Price of a GiB of volumes for an hour.
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    price_storage: f64,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Domain,
    Team,
    CostCenter,
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.connection.connect().await?;
    let prices = Prices {
        cpu: arguments.price_cpu,
        memory: arguments.price_memory,
        storage: arguments.price_storage,
    };
    let lines = waiting("adding up pods and volumes", Box::pin(lines(&cluster, arguments))).await?;
    let answer = sum(&lines, arguments.by, prices);
    let unknown = lines.used.as_ref().err().map(String::as_str);
    let table = |style: &_| text::table(&answer, arguments.by, prices, unknown, style);
    arguments.output.print(&answer, table)?;
    Ok(ExitCode::SUCCESS)
}

async fn lines(cluster: &Cluster, arguments: &Arguments) -> Result<sums::Read, Error> {
    arguments.domain.find(cluster).await?;
    let which = arguments.domain.children();
    // A finished pod reserves nothing.
    let active = which.clone().fields("status.phase!=Succeeded,status.phase!=Failed");
    let domains = cluster.list::<Object>(RootKind::Domain.resource(), None, ListParams::default());
    let (domains, pods, claims, used) = tokio::join!(
        domains,
        cluster.list::<Pod>(POD, None, active),
        cluster.list::<PersistentVolumeClaim>(CLAIM, None, which.clone()),
        timeout(PATIENCE, cluster.list::<PodUsage>(POD_METRICS, None, which)),
    );
    let mut domains = domains?;
    if let Some(only) = arguments.domain.name() {
        domains.retain(|domain| domain.name() == only);
    }
    let used = match used {
        Ok(used) => used.map_err(|error| unknown(&error)),
        Err(_) => Err(silent(&format!("nothing within {} s", PATIENCE.as_secs()))),
    };
    Ok(sums::Read { domains, pods: pods?, claims: claims?, used })
}

/// Why it is not known what pods use.
fn unknown(error: &Error) -> String {
    match error {
        Error::NotServed(_) => "there is no metrics-server in this cluster".to_owned(),
        Error::Forbidden(_) => "you may not list pods of metrics.k8s.io".to_owned(),
        Error::Refused(why) => silent(why),
        error => error.to_string(),
    }
}

/// It is there, and what stands behind it is not.
fn silent(why: &str) -> String {
    format!("its API does not answer ({why}); see `kubectl get apiservice v1beta1.metrics.k8s.io`")
}
