//! `polder status`: how a domain stands, or all of them.

mod report;
#[cfg(test)]
mod tests;
mod text;

use std::process::ExitCode;

use clap::Args;
use futures::try_join;
use kube::api::ListParams;

use super::{
    cluster::{AnyDomain, Cluster, Connection, Object, RootKind, waiting},
    error::Error,
    show::Output,
};
pub(super) use report::State;
use report::{Report, Workload};

/// Which domain.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    domain: AnyDomain,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// Shows, and ends with 1 if something is not as it should be.
pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.connection.connect().await?;
    let reports = Box::pin(async {
        match arguments.domain.name() {
            Some(name) => Ok(vec![one(&cluster, &arguments.domain, name).await?]),
            None => all(&cluster).await,
        }
    });
    let reports = waiting("reading domains and their workloads", reports).await?;
    match (arguments.domain.name(), reports.first()) {
        (Some(_), Some(report)) => arguments.output.print(report, |style| text::one(report, style)),
        _ => arguments.output.print(&reports, |style| text::all(&reports, style)),
    }?;
    let is_well = reports.iter().all(|report| report.problems.is_empty());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn one(cluster: &Cluster, domain: &AnyDomain, name: &str) -> Result<Report, Error> {
    let domain = match domain.find(cluster).await {
        // Members of a domain may see its workloads and not the Domain.
        Err(Error::Forbidden(_)) => None,
        found => found?,
    };
    let namespace = domain
        .as_ref()
        .and_then(|domain| domain.status_text("/namespace"))
        .unwrap_or(name)
        .to_owned();
    let workloads = workloads(cluster, Some(&namespace)).await?;
    Ok(match domain {
        Some(domain) => Report::new(&domain, workloads),
        None => Report::of_member(name, workloads),
    })
}

async fn all(cluster: &Cluster) -> Result<Vec<Report>, Error> {
    let domains = cluster.list::<Object>(RootKind::Domain.resource(), None, ListParams::default());
    let both = try_join!(domains, workloads(cluster, None));
    let (domains, workloads) = both.map_err(|error| match error {
        Error::Forbidden(why) => Error::Usage(format!(
            "you may not see all domains; name yours: polder status DOMAIN ({why})"
        )),
        error => error,
    })?;
    Ok(report::of_all(&domains, workloads))
}

async fn workloads(cluster: &Cluster, namespace: Option<&str>) -> Result<Vec<Workload>, Error> {
    let list = async |kind: RootKind| {
        let list = cluster.list::<Object>(kind.resource(), namespace, ListParams::default());
        let objects = list.await?;
        Ok::<_, Error>(objects.iter().map(|object| Workload::new(kind, object)).collect())
    };
    let [clusters, endpoints, jobs] = RootKind::WORKLOADS;
    let lists: (Vec<_>, Vec<_>, Vec<_>) = try_join!(list(clusters), list(endpoints), list(jobs))?;
    Ok([lists.0, lists.1, lists.2].concat())
}
