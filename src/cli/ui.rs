//! `polder ui`: the Spark web pages of a cluster, an endpoint or a run, on this machine.

use std::process::ExitCode;

use clap::Args;

use super::{
    cluster::{Named, Object, RootKind, Scope, Workload, waiting},
    error::Error,
    forward::{Forward, running_pod},
    show::print,
};

/// Port of a driver's pages.
const DRIVER_UI: u16 = 4040;
/// Port of a master's pages.
const MASTER_UI: u16 = 8080;

/// Which workload.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    object: Named<Workload>,
    /// Port on this machine. Default: any that is free.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    #[command(flatten)]
    scope: Scope,
}

/// Serves until it is interrupted.
pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (forward, what) = waiting("finding the pod", async {
        let (kind, root) = arguments.object.find(&cluster).await?;
        let (role, port) = pages(kind, &root).map_err(Error::Usage)?;
        let pod = running_pod(&cluster, kind, &root, role).await?;
        let forward = Forward::open(&cluster, &pod, port, arguments.port).await?;
        Ok::<_, Error>((forward, format!("{} {}", kind.resource().kind, root.name())))
    })
    .await?;
    print(&format!("{what}: http://{}\nPress Ctrl-C to end.\n", forward.address()?))?;
    forward.serve().await?;
    Ok(ExitCode::SUCCESS)
}

/// Role of the pod that has the pages, and their port.
fn pages(kind: RootKind, root: &Object) -> Result<(&'static str, u16), String> {
    match kind {
        RootKind::SparkCluster => Ok(("master", MASTER_UI)),
        _ if root.spec.get("container").is_some() => {
            Err(format!("{} runs a container, which has no Spark UI", root.name()))
        }
        _ => Ok(("driver", DRIVER_UI)),
    }
}
