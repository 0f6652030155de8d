//! Starts and stops the receiver.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use kube::Client;
use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    directory::Directory,
    metrics::Metrics,
    receive::{Receiver, Token, router},
    store::{self, Limits, Store},
    tls::{self, TlsListener},
    writer::Writer,
};

/// How often certificates and the token are read again.
const RELOAD: Duration = Duration::from_secs(30);
/// How often old files are looked for.
const SWEEP: Duration = Duration::from_mins(10);
/// How long requests in hand may take after the receiver was told to stop.
const FAREWELL: Duration = Duration::from_secs(25);
/// Requests in hand at once.
const IN_HAND: usize = 8;

/// How the receiver runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the files.
    pub directory: PathBuf,
    /// Bounds of the files.
    pub limits: Limits,
    /// Where API servers send to.
    pub https: SocketAddr,
    /// Where health and metrics are served.
    pub http: SocketAddr,
    /// Certificates.
    pub tls: tls::Files,
    /// File with the token that requests have to bear.
    pub token: Option<PathBuf>,
    /// Largest body of a request, in bytes.
    pub max_body: usize,
    /// Whether what belongs to no domain is kept.
    pub keep_cluster: bool,
}

/// Why the receiver could not run, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody could be told apart from anybody else.
    #[error("give --client-ca, --token-file or both: otherwise anybody could write into the log")]
    NoAuthentication,
    /// The folder cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The token cannot be read.
    #[error("{path}: {source}")]
    Token {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address or a thread is not to be had.
    #[error("{what}: {source}")]
    Io {
        /// What failed.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A bug.
    #[error("cannot register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Error {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Receives until it is told to stop; then finishes the requests in hand.
///
/// # Errors
/// See [`enum@Error`].
pub async fn serve(
    client: Client,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    if options.token.is_none() && options.tls.client_ca.is_none() {
        return Err(Error::NoAuthentication);
    }
    let metrics = Metrics::new()?;
    let (config, changes) = watch::channel(options.tls.load()?);
    let token = Token::default();
    read_token(&options, &token)?;
    let store = Store::open(&options.directory, options.limits.clone())?;
    let (writer, thread) =
        Writer::start(store, metrics.clone()).map_err(Error::io("cannot start threads"))?;
    let directory = Directory::new(client);
    let https = bind(options.https).await?;
    let http = bind(options.http).await?;
    tracing::info!(
        https = %options.https, http = %options.http, directory = %options.directory.display(),
        "audit receiver starts"
    );
    let receiver = Receiver {
        token: token.clone(),
        directory: directory.clone(),
        writer: writer.clone(),
        metrics: metrics.clone(),
        max_body: options.max_body,
        in_hand: Arc::new(Semaphore::new(IN_HAND)),
        keep_cluster: options.keep_cluster,
    };
    let events = axum::serve(TlsListener::new(https, changes), router(receiver))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let health = axum::serve(http, health_router(directory.clone(), metrics));
    tokio::select! {
        result = stop_in_time(events.into_future(), shutdown) => result?,
        result = health.into_future() => result.map_err(Error::io("cannot serve health"))?,
        () = directory.follow() => {}
        () = tend(&options, &writer, &config, &token) => {}
    }
    // The last ways to the writer are gone now: it ends after what it has in hand.
    drop(writer);
    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    tracing::info!("audit receiver ends");
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(Error::io(format!("cannot listen at {address}")))
}

async fn stop_in_time(
    events: impl Future<Output = io::Result<()>>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let deadline = async {
        shutdown.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        result = events => result.map_err(Error::io("cannot serve")),
        () = deadline => {
            tracing::warn!("requests in hand take too long: the API server sends them again");
            Ok(())
        }
    }
}

/// Reads certificates and token again, and removes old files, for as long as it is polled.
async fn tend(
    options: &Options,
    writer: &Writer,
    config: &watch::Sender<Arc<ServerConfig>>,
    token: &Token,
) {
    let (mut reload, mut sweep) = (interval(RELOAD), interval(SWEEP));
    reload.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = reload.tick() => {
                match options.tls.load() {
                    Ok(fresh) => { config.send_replace(fresh); }
                    Err(error) => tracing::error!(%error, "cannot read certificates again; the old ones stay"),
                }
                if let Err(error) = read_token(options, token) {
                    tracing::error!(%error, "cannot read the token again; the old one stays");
                }
            }
            _ = sweep.tick() => {
                // Never longer than a sweep takes to be queued: a disk that hangs must not stop reloads.
                let _ = timeout(RELOAD, writer.sweep()).await;
            }
        }
    }
}

fn read_token(options: &Options, token: &Token) -> Result<(), Error> {
    let Some(path) = &options.token else { return Ok(()) };
    let failed = |source| Error::Token { path: path.clone(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    if text.trim().len() < 16 {
        return Err(failed(io::Error::other("the token needs at least 16 characters")));
    }
    token.set(&text);
    Ok(())
}

fn health_router(directory: Directory, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(directory))
        .route("/metrics", get(render).with_state(metrics))
}

async fn ready(State(directory): State<Directory>) -> impl IntoResponse {
    if directory.is_synced() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "namespaces and Domains are not known yet\n")
    }
}

async fn render(State(metrics): State<Metrics>) -> impl IntoResponse {
    let content = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    match metrics.render() {
        Ok(text) => (StatusCode::OK, content, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, content, error.to_string()),
    }
}
