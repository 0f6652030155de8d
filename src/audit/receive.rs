//! Requests of API servers.

use std::sync::{Arc, RwLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use sha2::{Digest, Sha256};
use tokio::{
    sync::Semaphore,
    time::{Duration, timeout},
};

use super::{
    directory::Directory,
    event,
    metrics::Metrics,
    route::Stream,
    writer::{Placed, Writer},
};

/// How long the body of a request may take to come in: the API server itself waits 30 s in all.
const BODY: Duration = Duration::from_secs(20);
/// After how many seconds to send again what could not be taken. The API server's client heeds it
/// up to ten times, besides its own retries.
const AGAIN: &str = "1";

/// A token that requests have to bear; it changes when its file does.
#[derive(Clone, Debug, Default)]
pub struct Token(Arc<RwLock<Option<[u8; 32]>>>);

impl Token {
    /// From now on, this one.
    pub fn set(&self, token: &str) {
        let digest = Sha256::digest(token.trim().as_bytes()).into();
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(digest);
    }

    /// Whether a request may come in. Digests are compared, so that how long it takes tells
    /// nothing about the token.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(wanted) = *self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner) else {
            return true;
        };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        <[u8; 32]>::from(Sha256::digest(given.trim().as_bytes())) == wanted
    }
}

/// What a request needs.
#[derive(Clone)]
pub struct Receiver {
    /// Who may send.
    pub token: Token,
    /// Which domain what belongs to.
    pub directory: Directory,
    /// Where it goes.
    pub writer: Writer,
    /// What is counted.
    pub metrics: Metrics,
    /// Largest body, in bytes.
    pub max_body: usize,
    /// Requests in hand at once: with `max_body` the bound of memory.
    pub in_hand: Arc<Semaphore>,
    /// Whether what belongs to no domain is kept.
    pub keep_cluster: bool,
}

/// Why a request was not taken. All but the first two are sent again by the API server, and so are
/// these.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("a valid bearer token is required")]
    Unauthorized,
    #[error(transparent)]
    Body(#[from] event::Error),
    #[error(
        "the body is larger than {0} bytes, or broke off; make the API server's \
         --audit-webhook-batch-max-size smaller, or --max-request-size larger"
    )]
    TooLarge(usize),
    #[error("the body did not come in in time")]
    Slow,
    #[error("namespaces and Domains are not known yet")]
    NotReady,
    #[error("cannot ask which domain an event belongs to: {0}")]
    Directory(#[from] Box<kube::Error>),
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NotReady | Self::Directory(_) | Self::Write(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, format!("{self}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, http::HeaderValue::from_static(AGAIN));
        }
        response
    }
}

/// Serves `POST /audit`.
pub fn router(receiver: Receiver) -> Router {
    Router::new().route("/audit", post(receive)).with_state(receiver)
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> Response {
    let result = receiver.take(request).await;
    let code = result.as_ref().map_or_else(Refusal::status, |()| StatusCode::OK);
    receiver.metrics.request(code.as_u16());
    match result {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => {
            tracing::warn!(code = code.as_u16(), reason = %refusal, "refused a request");
            refusal.into_response()
        }
    }
}

impl Receiver {
    /// Takes events: they are on disk when this returns.
    async fn take(&self, request: Request) -> Result<(), Refusal> {
        if !self.token.admits(request.headers()) {
            return Err(Refusal::Unauthorized);
        }
        if !self.directory.is_synced() {
            return Err(Refusal::NotReady);
        }
        let _turn = self.in_hand.acquire().await.map_err(|_| Refusal::NotReady)?;
        let body = self.body(request.into_body()).await?;
        let mut placed = Vec::new();
        for event in event::events(&body)? {
            let stream = self.directory.place(&event.head).await.map_err(Box::new)?;
            let is_kept = self.keep_cluster || stream != Stream::Cluster;
            self.metrics.event(is_kept.then_some(&stream));
            if is_kept {
                placed.push(Placed { stream, line: event.line.into_owned() });
            }
        }
        drop(body);
        Ok(self.writer.write(placed).await?)
    }

    async fn body(&self, body: Body) -> Result<axum::body::Bytes, Refusal> {
        let whole = timeout(BODY, to_bytes(body, self.max_body)).await;
        whole.map_err(|_| Refusal::Slow)?.map_err(|_| Refusal::TooLarge(self.max_body))
    }
}
