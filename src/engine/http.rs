//! The one place where requests are made: counted, timed out, fenced, never silently repeated.

use std::{sync::Arc, time::Duration};

use futures::AsyncBufRead;
use http::{
    Method, Request, Response,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use kube::{Client, client::Body, core::Status};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tracing::{Instrument, field::Empty};

use super::{
    error::RequestError,
    fence::Fence,
    resource::ResourceType,
    target::{Target, collection},
};
use crate::telemetry::{Metrics, traces};

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

/// How often a request that the server refused for load is sent again at its bidding.
const BUSY_RETRIES: u32 = 3;
/// Longer waits than this are left to the object's backoff.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    metrics: Metrics,
    timeout: Duration,
    writes: Arc<Semaphore>,
    fence: Fence,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Object,
    Metadata,
}

impl Want {
    fn one(self) -> &'static str {
        match self {
            Self::Object => JSON,
            Self::Metadata => METADATA,
        }
    }

    fn list(self) -> &'static str {
        match self {
            Self::Object => JSON,
            Self::Metadata => METADATA_LIST,
        }
    }
}

impl Http {
    pub(crate) fn new(
        client: Client,
        metrics: Metrics,
        timeout: Duration,
        in_flight: usize,
        fence: Fence,
    ) -> Self {
        Self { client, metrics, timeout, writes: Arc::new(Semaphore::new(in_flight)), fence }
    }

    /// The same, writing only while another fence is open.
    pub(crate) fn behind(&self, fence: &Fence) -> Self {
        Self { fence: fence.clone(), ..self.clone() }
    }

    /// Server-side apply with force; `subresource` is empty or starts with a slash.
    pub(crate) async fn apply(
        &self,
        target: Target<'_>,
        subresource: &str,
        manager: &str,
        body: Vec<u8>,
        want: Want,
    ) -> Result<String, RequestError> {
        let url = format!("{}{subresource}?fieldManager={manager}&force=true", target.url());
        let verb = if subresource.is_empty() { "apply" } else { "apply_status" };
        self.write(verb, target.resource, &Method::PATCH, &url, APPLY, body, want).await
    }

    /// JSON merge patch.
    pub(crate) async fn merge(
        &self,
        target: Target<'_>,
        manager: &str,
        body: Vec<u8>,
    ) -> Result<String, RequestError> {
        let url = format!("{}?fieldManager={manager}", target.url());
        self.write("patch", target.resource, &Method::PATCH, &url, MERGE, body, Want::Object).await
    }

    /// POST.
    pub(crate) async fn create(
        &self,
        resource: &ResourceType,
        namespace: Option<&str>,
        manager: &str,
        body: Vec<u8>,
        want: Want,
    ) -> Result<String, RequestError> {
        let url = format!("{}?fieldManager={manager}", collection(resource, namespace));
        self.write("create", resource, &Method::POST, &url, JSON, body, want).await
    }

    /// PUT.
    pub(crate) async fn replace(
        &self,
        target: Target<'_>,
        body: Vec<u8>,
    ) -> Result<String, RequestError> {
        let (method, url) = (Method::PUT, target.url());
        self.write("update", target.resource, &method, &url, JSON, body, Want::Object).await
    }

    pub(crate) async fn delete(
        &self,
        target: Target<'_>,
        body: Vec<u8>,
    ) -> Result<String, RequestError> {
        let (method, url) = (Method::DELETE, target.url());
        self.write("delete", target.resource, &method, &url, JSON, body, Want::Metadata).await
    }

    pub(crate) async fn get(&self, target: Target<'_>, want: Want) -> Result<String, RequestError> {
        let request = build(&Method::GET, &target.url(), want.one(), None, Vec::new())?;
        self.send("get", target.resource, request).await
    }

    /// A page of a list, over all namespaces if none is given.
    pub(crate) async fn list(
        &self,
        resource: &ResourceType,
        namespace: Option<&str>,
        query: &str,
        want: Want,
    ) -> Result<String, RequestError> {
        let url = format!("{}?{query}", collection(resource, namespace));
        let request = build(&Method::GET, &url, want.list(), None, Vec::new())?;
        self.send("list", resource, request).await
    }

    /// A watch, over all namespaces if none is given, as a stream of lines.
    pub(crate) async fn watch(
        &self,
        resource: &ResourceType,
        namespace: Option<&str>,
        query: &str,
        want: Want,
    ) -> Result<impl AsyncBufRead + use<>, RequestError> {
        let url = format!("{}?watch=true&{query}", collection(resource, namespace));
        let request = build(&Method::GET, &url, want.one(), None, Vec::new())?;
        let begin = Instant::now();
        let answer = timeout(self.timeout, self.client.request_stream(request)).await;
        let (code, result) = match answer {
            Err(_) => ("timeout".to_owned(), Err(RequestError::Timeout(self.timeout))),
            Ok(Ok(stream)) => ("200".to_owned(), Ok(stream)),
            Ok(Err(kube::Error::Api(status))) => {
                (status.code.to_string(), Err(RequestError::Api { status, retry_after: None }))
            }
            Ok(Err(error)) => ("error".to_owned(), Err(transport(&error))),
        };
        self.metrics.request("watch", resource.kind, &code, begin.elapsed());
        result
    }

    #[expect(clippy::too_many_arguments)]
    async fn write(
        &self,
        verb: &'static str,
        resource: &ResourceType,
        method: &Method,
        url: &str,
        content: &str,
        body: Vec<u8>,
        want: Want,
    ) -> Result<String, RequestError> {
        let permit = self.writes.acquire().await;
        let mut tries = 0;
        let result = loop {
            if !self.fence.is_open() {
                break Err(RequestError::Fenced);
            }
            let request = build(method, url, want.one(), Some(content), body.clone())?;
            // The next holder may begin soon after the fence closes: no write may still wait then.
            let result = tokio::select! {
                result = self.send(verb, resource, request) => result,
                () = self.fence.until_closed() => break Err(RequestError::Fenced),
            };
            let Err(error) = &result else { break result };
            match busy(error) {
                Some(pause) if tries < BUSY_RETRIES && pause <= BUSY_WAIT => sleep(pause).await,
                _ => break result,
            }
            tries += 1;
        };
        drop(permit);
        result
    }

    async fn send(
        &self,
        verb: &'static str,
        resource: &ResourceType,
        request: Request<Vec<u8>>,
    ) -> Result<String, RequestError> {
        let begin = Instant::now();
        let answer = timeout(self.timeout, async {
            let response = self.client.send(request.map(Body::from)).await?;
            let (parts, body) = response.into_parts();
            Ok::<_, kube::Error>((parts, body.collect_bytes().await?))
        });
        let span = tracing::trace_span!(target: traces::TARGET, "request", verb, kind = resource.kind, code = Empty);
        let (code, result) = match answer.instrument(span.clone()).await {
            Err(_) => ("timeout".to_owned(), Err(RequestError::Timeout(self.timeout))),
            Ok(Err(error)) => ("error".to_owned(), Err(transport(&error))),
            Ok(Ok((parts, body))) => {
                let text = String::from_utf8(body.to_vec())
                    .map_err(|error| RequestError::Answer(error.to_string()));
                let code = parts.status.as_u16().to_string();
                (code, text.and_then(|text| judge(&Response::from_parts(parts, ()), text)))
            }
        };
        span.record("code", &code);
        self.metrics.request(verb, resource.kind, &code, begin.elapsed());
        result
    }
}

fn build(
    method: &Method,
    url: &str,
    accept: &str,
    content: Option<&str>,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, RequestError> {
    let mut request = Request::builder().method(method).uri(url).header(ACCEPT, accept);
    if let Some(content) = content {
        request = request.header(CONTENT_TYPE, content);
    }
    request.body(body).map_err(|error| RequestError::Answer(format!("{url}: {error}")))
}

fn transport(error: &kube::Error) -> RequestError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    RequestError::Transport(text)
}

fn judge(response: &Response<()>, text: String) -> Result<String, RequestError> {
    let code = response.status();
    if code.is_success() {
        return Ok(text);
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let mut status =
        serde_json::from_str::<Status>(&text).unwrap_or_else(|_| Status::failure(text.trim(), ""));
    // The body may lack the code, and a proxy's body is no Status at all.
    status.code = code.as_u16();
    Err(RequestError::Api { status: status.boxed(), retry_after })
}

/// The server asks to come back: nothing was done, so any request may be sent again.
fn busy(error: &RequestError) -> Option<Duration> {
    match error {
        RequestError::Api { status, retry_after } if status.code == 429 => *retry_after,
        _ => None,
    }
}
