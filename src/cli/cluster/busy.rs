//! What becomes of a request for which the API server has no time.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, retry::RetryPolicy},
};
use tower::{
    BoxError,
    buffer::BufferLayer,
    retry::{Policy, RetryLayer},
};

use crate::engine::configured;

/// How often something is asked for again: as often as client-go does.
/// Source: <https://github.com/kubernetes/client-go/blob/v0.34.0/rest/request.go>
const RETRIES: u32 = 10;
/// Shortest time until then, and how long it is where the API server does not say.
const PAUSE: Duration = Duration::from_secs(1);
/// Requests that wait for the connection.
const QUEUE: usize = 1024;

/// A client that sends a request again when the API server is busy.
pub(super) fn patient(config: Config) -> Result<Client, kube::Error> {
    let policy = RetryPolicy::new(PAUSE, PAUSE, RETRIES, true)
        .map_err(|error| kube::Error::Service(error.into()))?;
    Ok(ClientBuilder::try_from(configured(config))?
        .with_layer(&BufferLayer::new(QUEUE))
        .with_layer(&RetryLayer::new(Busy(policy)))
        .build())
}

/// Sends a request again when the answer is 429, as kubectl does, after as long as the API server says.
/// It says so when it has too much to do, and for a moment after a type was defined; the request has not
/// been looked at then, so one that changes something is sent again too.
#[derive(Clone)]
struct Busy(RetryPolicy);

impl<B> Policy<Request<Body>, Response<B>, BoxError> for Busy {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        request: &mut Request<Body>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let is_busy =
            result.as_ref().is_ok_and(|answer| answer.status() == StatusCode::TOO_MANY_REQUESTS);
        if is_busy { self.0.retry(request, result) } else { None }
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Policy::<_, Response<B>, _>::clone_request(&mut self.0, request)
    }
}
