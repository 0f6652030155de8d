//! Health and metrics over HTTP.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use super::{Exposition, Metrics};

/// Whether the process is ready: every store has been filled. A standby is ready too.
#[derive(Clone, Default)]
pub struct Health(Arc<std::sync::atomic::AtomicBool>);

impl Health {
    /// Not ready yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every store has been filled.
    pub fn set_ready(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Whether [`set_ready`](Self::set_ready) was called.
    pub fn is_ready(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }
}

/// Serves `/healthz`, `/readyz` and `/metrics` until `shutdown` is done.
pub async fn serve(
    address: SocketAddr,
    metrics: Metrics,
    health: Health,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving health and metrics");
    axum::serve(listener, router(metrics, health)).with_graceful_shutdown(shutdown).await
}

fn router(metrics: Metrics, health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state((metrics, health))
}

async fn ready(State((_, health)): State<(Metrics, Health)>) -> impl IntoResponse {
    if health.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the stores are being filled\n")
    }
}

async fn render(
    State((metrics, _)): State<(Metrics, Health)>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let how = Exposition::accepted(accept);
    // With thousands of domains it takes long enough to keep others from their turn.
    let text = tokio::task::spawn_blocking(move || metrics.render_as(how)).await;
    match text.map_err(|error| error.to_string()).and_then(|text| text.map_err(|e| e.to_string())) {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, how.content_type())], text),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(CONTENT_TYPE, "text/plain; charset=utf-8")],
            error,
        ),
    }
}
