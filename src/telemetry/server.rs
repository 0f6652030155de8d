//! Health and metrics over HTTP.

use std::{convert::Infallible, future::Future, io, iter, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt, stream};
use tokio::{
    net::TcpListener,
    task::{block_in_place, yield_now},
};

use super::{Domains, Exposition, Metrics};

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

/// What is served.
#[derive(Clone)]
pub struct Served {
    /// Of the process itself.
    pub metrics: Metrics,
    /// Metrics of domains, unless they are left out.
    pub domains: Option<Domains>,
    /// Whether it is ready.
    pub health: Health,
}

/// Serves `/healthz`, `/readyz` and `/metrics` until `shutdown` is done.
pub async fn serve(
    address: SocketAddr,
    served: Served,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving health and metrics");
    axum::serve(listener, router(served)).with_graceful_shutdown(shutdown).await
}

fn router(served: Served) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(served)
}

async fn ready(State(Served { health, .. }): State<Served>) -> impl IntoResponse {
    if health.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the stores are being filled\n")
    }
}

async fn render(State(served): State<Served>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let how = Exposition::accepted(accept);
    let own = match served.metrics.render_as(how) {
        Ok(text) => text,
        Err(error) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    };
    // Thousands of domains take long enough to keep others from their turn: in what all of them are
    // looked at for, and between two blocks.
    let domains = served.domains.as_ref().map(|domains| block_in_place(|| domains.text()));
    let blocks = iter::once(own).chain(domains.into_iter().flatten()).chain([how.end().to_owned()]);
    let body = stream::iter(blocks).then(async |block| {
        yield_now().await;
        Ok::<_, Infallible>(block)
    });
    ([(CONTENT_TYPE, how.content_type())], Body::from_stream(body)).into_response()
}
