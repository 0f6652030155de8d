//! `polder operator`: the operator.

use std::{io, net::SocketAddr, time::Duration};

use clap::{Args, FromArgMatches};
use kube::Config;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::version;
use crate::{
    build::spark::SparkImages,
    engine::{EngineError, LeaseOptions, Options, client_of},
    kinds::domain::{ApiServer, OperatorIdentity, Prometheus},
    operator::{Installation, engine},
    telemetry::{
        self, AdminAddress, Domains, Format, Health, LogLevel, Metrics, Served, Traces, traces,
    },
};

/// How the operator runs. The Helm chart sets all of it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Least severe level to log: error, warn, info, debug or trace, or a filter such as
    /// `info,polder=debug`.
    #[arg(long, env = "POLDER_LOG_LEVEL", default_value = "info")]
    log_level: String,
    /// How log lines look: human or json.
    #[arg(long, env = "POLDER_LOG_FORMAT", default_value = "human")]
    log_format: Format,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http_address: SocketAddr,
    /// Where /loglevel is served, on the loopback interface only: whoever reaches it may change the
    /// log level. Default: nowhere.
    #[arg(long)]
    admin_address: Option<AdminAddress>,
    /// Send traces of reconciles to this OpenTelemetry collector, by OTLP over HTTP, such as
    /// http://otel-collector.monitoring:4318. Default: nowhere.
    #[arg(long)]
    otlp_endpoint: Option<String>,
    /// Write only while holding a lease, so that several replicas can run.
    #[arg(long)]
    leader_election: bool,
    /// Namespace of the lease.
    #[arg(long, env = "POD_NAMESPACE", default_value = "polder-system")]
    lease_namespace: String,
    /// Name of the lease.
    #[arg(long, default_value = "polder")]
    lease_name: String,
    /// Seconds that a silent holder of a lease is believed to live. It is renewed every third of that.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u16).range(3..=300))]
    lease_duration: u16,
    /// Divide the domains into this many shards, with a lease each, so that as many operators work
    /// at once. All operators of a release must be given the same number; those with another stand
    /// by until the last of the first has gone.
    #[arg(long, default_value_t = 1, requires = "leader_election",
        value_parser = clap::value_parser!(u16).range(1..=64))]
    shards: u16,
    /// Name of this replica in the lease. Default: one that no other process has.
    #[arg(long, env = "POD_NAME")]
    identity: Option<String>,
    /// Prefix of the names of the ClusterRoles that the chart made.
    #[arg(long, default_value = "polder")]
    release_name: String,
    /// Namespace the operator runs in.
    #[arg(long, env = "POD_NAMESPACE", default_value = "polder-system")]
    operator_namespace: String,
    /// Service account the operator runs as.
    #[arg(long, default_value = "polder")]
    operator_service_account: String,
    /// Range of addresses of the API server, for network policies of drivers; may be given several
    /// times. Default: anywhere.
    #[arg(long)]
    api_server_cidr: Vec<String>,
    /// Port of the API server, for network policies of drivers; may be given several times.
    #[arg(long, default_values_t = [443, 6443])]
    api_server_port: Vec<i32>,
    /// Namespace whose service accounts may be members of any domain; may be given several times.
    /// Default: none, only those of the domain's own namespace.
    #[arg(long)]
    member_account_namespace: Vec<String>,
    /// Namespace of Argo CD, where the Applications of domains are made.
    #[arg(long, default_value = "argocd")]
    argocd_namespace: String,
    /// Namespace of Prometheus, which network policies of domains with `spec.monitoring` let in.
    #[arg(long, default_value = "monitoring")]
    prometheus_namespace: String,
    /// Label of PodMonitors, as KEY=VALUE: what Prometheus selects them by; may be given several times.
    #[arg(long, value_parser = label)]
    pod_monitor_label: Vec<(String, String)>,
    /// Spark version of workloads that name none.
    #[arg(long, default_value = "")]
    spark_default_version: String,
    /// Image of a Spark version, as VERSION=IMAGE; may be given several times.
    #[arg(long, value_parser = version_and_image)]
    spark_image: Vec<(String, String)>,
    /// Reconciles of each kind at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    max_concurrent_reconciles: u16,
    /// Leave out the metrics of single domains (`polder_domain_*`): about 25 series each.
    #[arg(long)]
    no_domain_metrics: bool,
    /// Writes to the API server at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    writes_in_flight: u16,
}

/// Why the operator could not run, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Logging could not be set up.
    #[error(transparent)]
    Logs(#[from] telemetry::logs::Error),
    /// Traces have nowhere to go.
    #[error(transparent)]
    Traces(#[from] traces::Error),
    /// Metrics could not be set up.
    #[error("cannot register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// No API server is known.
    #[error("cannot find the API server: {0}; run inside a cluster, or set KUBECONFIG")]
    Config(#[source] Box<kube::config::InferConfigError>),
    /// Signals, threads or the HTTP address are not to be had.
    #[error("{what}: {source}")]
    Io {
        /// What failed.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The API server cannot serve the operator.
    #[error("{0}")]
    TooOld(String),
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

pub(super) fn execute(arguments: Arguments) -> Result<(), Error> {
    let threads = threads()?;
    let name = arguments.name();
    let traces = arguments
        .otlp_endpoint
        .as_ref()
        .map(|endpoint| Traces::new(endpoint, &name, threads.handle()))
        .transpose()?;
    let level =
        telemetry::init_with_traces(&arguments.log_level, arguments.log_format, traces.as_ref())?;
    let result = threads.block_on(run(arguments, &name, level));
    if let Some(traces) = traces {
        traces.finish();
    }
    result
}

/// Threads for tasks.
pub(super) fn threads() -> Result<tokio::runtime::Runtime, Error> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(Error::io("cannot start threads"))
}

async fn run(arguments: Arguments, name: &str, level: LogLevel) -> Result<(), Error> {
    let shutdown = on_signal()?;
    let (metrics, health) = (Metrics::new()?, Health::new());
    let config = Config::infer().await.map_err(|error| Error::Config(Box::new(error)))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), api_server = %config.cluster_url, "polder starts");
    let options = arguments.options(name, metrics.clone(), health.clone());
    let client = client_of(name, config.clone())?;
    let engine = engine(client.clone(), options, arguments.installation())
        .lease_client(client_of(name, config)?)
        .build()?;
    let domains = (!arguments.no_domain_metrics).then(|| Domains::new(engine.roots()));
    let address = arguments.http_address;
    // Served to the very end: if it stopped when told to, so would the engine, with reconciles in
    // hand and the lease not released.
    let server =
        telemetry::serve(address, Served { metrics, domains, health }, std::future::pending());
    tokio::select! {
        result = async {
            let check = version::refuse_old(&client);
            shutdown.run_until_cancelled(check).await.unwrap_or(Ok(())).map_err(Error::TooOld)?;
            Ok(engine.run(shutdown).await?)
        } => result,
        result = administer(arguments.admin_address, level) => result,
        result = server => {
            result.map_err(Error::io(format!("cannot serve health and metrics at {address}")))
        }
    }
}

/// Serves administrators, if there is an address for it.
async fn administer(address: Option<AdminAddress>, level: LogLevel) -> Result<(), Error> {
    match address {
        Some(address) => telemetry::serve_admin(address, level)
            .await
            .map_err(Error::io(format!("cannot serve the log level at {address}"))),
        None => std::future::pending().await,
    }
}

/// Cancelled by SIGTERM or SIGINT.
pub(super) fn on_signal() -> Result<CancellationToken, Error> {
    let listen = |kind| signal(kind).map_err(Error::io("cannot listen for signals"));
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("told to stop: finishing what is in hand");
        cancelled.cancel();
    });
    Ok(token)
}

impl Arguments {
    /// One that no other process has.
    fn name(&self) -> String {
        self.identity.clone().unwrap_or_else(|| format!("polder-{:016x}", rand::random::<u64>()))
    }

    fn options(&self, name: &str, metrics: Metrics, health: Health) -> Options {
        let lease = LeaseOptions {
            duration: Duration::from_secs(self.lease_duration.into()),
            ..LeaseOptions::new(&self.lease_namespace, &self.lease_name, name)
        };
        Options {
            shards: usize::from(self.shards),
            leader_election: self.leader_election.then_some(lease),
            concurrency: usize::from(self.max_concurrent_reconciles),
            writes_in_flight: usize::from(self.writes_in_flight),
            ..Options::new(metrics, health)
        }
    }

    fn installation(&self) -> Installation {
        Installation {
            operator: OperatorIdentity {
                namespace: self.operator_namespace.clone(),
                service_account: self.operator_service_account.clone(),
                release_name: self.release_name.clone(),
                api_server: ApiServer {
                    cidrs: self.api_server_cidr.clone(),
                    ports: self.api_server_port.clone(),
                },
                account_namespaces: self.member_account_namespace.clone(),
                argocd_namespace: self.argocd_namespace.clone(),
                prometheus: Prometheus {
                    namespace: self.prometheus_namespace.clone(),
                    labels: self.pod_monitor_label.iter().cloned().collect(),
                },
            },
            images: SparkImages {
                default_version: self.spark_default_version.clone(),
                images: self.spark_image.iter().cloned().collect(),
            },
        }
    }
}

/// What an operator that was started with these arguments knows of its installation. It may be of
/// another version: arguments that this one does not know are passed over.
pub(super) fn installation_of(mut arguments: Vec<String>) -> Option<Installation> {
    let command = Arguments::augment_args(clap::Command::new("operator")).no_binary_name(true);
    let mut is_known = false;
    arguments.retain(|word| {
        if let Some(flag) = word.strip_prefix("--") {
            let name = flag.split('=').next();
            is_known = command.get_arguments().any(|it| it.get_long() == name);
        }
        is_known
    });
    let matches = command.try_get_matches_from(arguments).ok()?;
    Some(Arguments::from_arg_matches(&matches).ok()?.installation())
}

/// Reads `KEY=VALUE`.
fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE, such as release=kube-prometheus-stack".to_owned()),
    }
}

/// Reads `VERSION=IMAGE`.
pub(super) fn version_and_image(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((version, image)) if !version.is_empty() && !image.is_empty() => {
            Ok((version.to_owned(), image.to_owned()))
        }
        _ => {
            Err("must be VERSION=IMAGE, such as 4.1.4=registry.example.com/spark:4.1.4".to_owned())
        }
    }
}
