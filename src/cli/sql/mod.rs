//! `polder sql`: a SQL session with an endpoint.

mod client;

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{
    cluster::{Endpoint, Named, Scope, waiting},
    error::Error,
    forward::{Forward, running_pod},
    show::print,
};
use crate::api::SqlEndpointSpec;
use client::{Client, Found};

/// Port of HiveServer2.
const THRIFT: u16 = 10000;
/// Port of Spark Connect.
const CONNECT: u16 = 15002;

/// Which endpoint, and what to ask.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    endpoint: Named<Endpoint>,
    /// Run this and end, instead of opening a session.
    #[arg(short, long, value_name = "QUERY")]
    execute: Option<String>,
    /// With which client. Default: beeline if it is there, else PySpark's.
    #[arg(long, value_enum, default_value = "auto")]
    client: Choice,
    /// Python that has PySpark or pyspark-client.
    #[arg(long, env = "POLDER_PYTHON", default_value = "python3", value_name = "FILE")]
    python: String,
    /// Port on this machine. Default: any that is free.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    Auto,
    Beeline,
    Python,
    /// None: only show the address, for a client of your own.
    None,
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (forward, client) = waiting("finding the endpoint", async {
        let (kind, root) = arguments.endpoint.find(&cluster).await?;
        let spec: SqlEndpointSpec = serde_json::from_value(root.spec.clone())?;
        let found = Found::on_this_machine(&arguments.python);
        let client = choose(arguments.client, &arguments.python, &spec, found);
        let client = client.map_err(Error::Usage)?;
        let pod = running_pod(&cluster, kind, &root, "driver").await?;
        let port = match client {
            Some(Client::Beeline) => THRIFT,
            None if spec.serves_thrift() => THRIFT,
            Some(Client::Python) | None => CONNECT,
        };
        Ok::<_, Error>((Forward::open(&cluster, &pod, port, arguments.port).await?, client))
    })
    .await?;
    let address = forward.address()?;
    let Some(client) = client else {
        print(&format!(
            "jdbc:hive2://{address} or sc://{address}, as the endpoint serves it. Press Ctrl-C to end.\n"
        ))?;
        forward.serve().await?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = client.command(&address, arguments.execute.as_deref(), &arguments.python);
    // The client has the terminal, and Ctrl-C is its own.
    let session = tokio::task::spawn_blocking(move || command.status());
    let status = tokio::select! {
        status = session => status.map_err(|error| Error::Usage(error.to_string()))?,
        result = forward.serve() => return result.map(|()| ExitCode::SUCCESS),
    };
    let status = status.map_err(Error::local("cannot start the client"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The client to use; `None` for the user's own.
fn choose(
    wanted: Choice,
    python: &str,
    spec: &SqlEndpointSpec,
    found: Found,
) -> Result<Option<Client>, String> {
    let (thrift, connect) = (spec.serves_thrift(), spec.serves_connect());
    match wanted {
        Choice::None => Ok(None),
        Choice::Beeline if !thrift => {
            Err("the endpoint does not serve JDBC (spec.protocols.thrift); use --client python".to_owned())
        }
        Choice::Python if !connect => {
            Err("the endpoint does not serve Spark Connect (spec.protocols.connect); use --client beeline".to_owned())
        }
        Choice::Auto | Choice::Beeline if thrift && found.beeline => Ok(Some(Client::Beeline)),
        Choice::Auto | Choice::Python if connect && found.python => Ok(Some(Client::Python)),
        _ => Err(client::what_to_install(thrift, connect, python)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(Choice::Auto, true, true, Ok(Some(Client::Beeline)))]
    #[case(Choice::Auto, false, true, Ok(Some(Client::Python)))]
    #[case(Choice::Python, true, true, Ok(Some(Client::Python)))]
    #[case(Choice::None, false, false, Ok(None))]
    #[case(Choice::Auto, false, false, Err("pip install"))]
    #[case(Choice::Beeline, false, true, Err("beeline"))]
    fn the_client_that_is_there_is_used(
        #[case] client: Choice,
        #[case] beeline: bool,
        #[case] python: bool,
        #[case] expected: Result<Option<Client>, &str>,
    ) {
        let spec = serde_json::from_value(json!({
            "driver": {"resources": {"cpu": "1", "memory": "1Gi"}},
        }))
        .unwrap();
        match (choose(client, "python3", &spec, Found { beeline, python }), expected) {
            (Err(error), Err(says)) => assert!(error.contains(says), "{error}"),
            (chosen, expected) => assert_eq!(chosen.map_err(|_| ""), expected),
        }
    }
}
