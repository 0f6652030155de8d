//! `polder audit`: receives the API server's audit events and keeps them by domain.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use kube::Config;

use super::operator::{self, on_signal};
use crate::{
    audit::{self, Options, store::Limits, tls::Files},
    build::quantity,
    engine::client,
    telemetry::{self, Format},
};

/// How the receiver runs.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of the files: cluster/ and domains/NAME/.
    #[arg(long)]
    directory: PathBuf,
    /// Where the API server's audit webhook sends to, as https://HOST:PORT/audit.
    #[arg(long, default_value = "0.0.0.0:8443")]
    https_address: SocketAddr,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, default_value = "127.0.0.1:8081")]
    http_address: SocketAddr,
    /// Certificate chain, PEM; read again when it changes.
    #[arg(long)]
    tls_cert: PathBuf,
    /// Key of the certificate, PEM.
    #[arg(long)]
    tls_key: PathBuf,
    /// Certificates that the API server's client certificate must be signed by, PEM. Every
    /// certificate that they signed may write: use a CA of its own, not the cluster's.
    #[arg(long)]
    client_ca: Option<PathBuf>,
    /// File with a token of at least 16 characters that the API server must send.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// A file that is larger grows no more: 100Mi, 1Gi.
    #[arg(long, default_value = "100Mi", value_parser = size)]
    max_file_size: u64,
    /// A file that was begun longer ago grows no more: 1h, 1d.
    #[arg(long, default_value = "1d", value_parser = duration)]
    max_file_age: Duration,
    /// Files to keep of each domain.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    max_files: u16,
    /// Files whose last event is older are removed: 30d.
    #[arg(long, default_value = "30d", value_parser = duration)]
    retention: Duration,
    /// Largest request that is taken.
    #[arg(long, default_value = "16Mi", value_parser = size)]
    max_request_size: u64,
    /// What to do with events that belong to no domain.
    #[arg(long, default_value = "keep")]
    cluster_events: ClusterEvents,
    /// Least severe level to log, or a filter such as `info,polder=debug`.
    #[arg(long, env = "POLDER_LOG_LEVEL", default_value = "info")]
    log_level: String,
    /// How log lines look: human or json.
    #[arg(long, env = "POLDER_LOG_FORMAT", default_value = "human")]
    log_format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClusterEvents {
    /// Write them into cluster/.
    Keep,
    /// Leave them out.
    Drop,
}

/// Why the receiver could not run, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Logs, threads, signals or the way to the API server.
    #[error(transparent)]
    Start(#[from] operator::Error),
    /// The receiver.
    #[error(transparent)]
    Audit(#[from] audit::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    telemetry::init_logs(&arguments.log_level, arguments.log_format)
        .map_err(operator::Error::from)?;
    operator::threads()?.block_on(async {
        let shutdown = on_signal()?;
        let config =
            Config::infer().await.map_err(|error| operator::Error::Config(Box::new(error)))?;
        let client = client(config).map_err(operator::Error::from)?;
        Ok(audit::serve(client, arguments.options(), shutdown).await?)
    })
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            directory: self.directory.clone(),
            limits: Limits {
                file_size: self.max_file_size,
                file_age: self.max_file_age,
                files: usize::from(self.max_files),
                retention: self.retention,
            },
            https: self.https_address,
            http: self.http_address,
            tls: Files {
                certificate: self.tls_cert.clone(),
                key: self.tls_key.clone(),
                client_ca: self.client_ca.clone(),
            },
            token: self.token_file.clone(),
            max_body: usize::try_from(self.max_request_size).unwrap_or(usize::MAX),
            keep_cluster: self.cluster_events == ClusterEvents::Keep,
        }
    }
}

fn size(text: &str) -> Result<u64, String> {
    quantity::milli(text)
        .and_then(|milli| u64::try_from(milli / 1000).ok())
        .filter(|bytes| (1024..=1 << 40).contains(bytes))
        .ok_or_else(|| "must be a size from 1Ki to 1Ti, such as 100Mi".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let bad = || "must be a number of m, h or d from 1m to 3650d, such as 12h or 30d".to_owned();
    let seconds = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, unit)) => {
            let unit = match unit {
                "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => return Err(bad()),
            };
            number.parse::<u32>().ok().map(|number| u64::from(number) * unit)
        }
        None => None,
    };
    seconds
        .filter(|seconds| (60..=3650 * 86_400).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(bad)
}
