//! Traces of reconciles, for who names a collector: OTLP over HTTP, sent behind the reconciles' back.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use http::{
    Request, Response, Uri,
    uri::{InvalidUri, PathAndQuery},
};
use kube::{Client, Config, client::Body};
use opentelemetry::{
    KeyValue,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// Spans of this target are for traces alone: without a collector they cost a comparison.
pub(crate) const TARGET: &str = "polder::trace";
/// A collector that does not answer by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there can be no traces.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address.
    #[error(
        "--otlp-endpoint {endpoint:?} is no address of a collector, such as \
         http://otel-collector.monitoring:4318: {reason}"
    )]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where spans go.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// To a collector, as `instance`. Requests run on `threads`.
    pub fn new(endpoint: &str, instance: &str, threads: &Handle) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Endpoint { endpoint: endpoint.to_owned(), reason };
        let collector = Collector::new(endpoint, threads).map_err(wrong)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let resource = Resource::builder()
            .with_service_name("polder")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
            .build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
        Ok(Self(provider.with_resource(resource).build()))
    }

    /// Turns spans of reconciles, and what is logged in them, into traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours =
            Targets::new().with_target("polder", Level::INFO).with_target(TARGET, Level::TRACE);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("polder"))
            .with_location(false)
            .with_threads(false)
            .with_filter(ours)
    }

    /// Sends what has not been sent yet.
    pub fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Notes the id of the trace in a span that has a field `traceID`, if there are traces.
pub(crate) fn note_id(span: &tracing::Span) {
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() {
        span.record("traceID", context.trace_id().to_string());
    }
}

/// Sends requests on the threads of the process: the exporter's own knows nothing of them.
struct Collector {
    client: Client,
    threads: Handle,
}

impl Collector {
    fn new(endpoint: &str, threads: &Handle) -> Result<Self, String> {
        let address: Uri = endpoint.parse().map_err(|error: InvalidUri| error.to_string())?;
        if !matches!(address.scheme_str(), Some("http" | "https")) {
            return Err("it must begin with http:// or https://".to_owned());
        }
        let mut base = address.into_parts();
        base.path_and_query = Some(PathAndQuery::from_static("/"));
        let base = Uri::from_parts(base).map_err(|error| error.to_string())?;
        let mut config = Config::new(base);
        config.default_retry = false;
        config.connect_timeout = Some(PATIENCE);
        let _guard = threads.enter();
        let client = Client::try_from(config).map_err(|error| error.to_string())?;
        Ok(Self { client, threads: threads.clone() })
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let answer = client.send(request.map(|body| Body::from(body.to_vec()))).await?;
            let (parts, body) = answer.into_parts();
            Ok::<_, kube::Error>(Response::from_parts(parts, body.collect_bytes().await?))
        };
        // Made there too: a timer of the exporter's thread would have no clock.
        let answer = self.threads.spawn(async { tokio::time::timeout(PATIENCE, exchange).await });
        Ok(answer.await???)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_endpoint_is_an_address_of_http() {
        for endpoint in ["", "collector", "collector:4317", "grpc://collector:4317", "http://a b"] {
            let error = Traces::new(endpoint, "a", &Handle::current()).err();
            let error = error.unwrap_or_else(|| panic!("{endpoint:?} is taken")).to_string();
            assert!(error.contains("http://otel-collector.monitoring:4318"), "{error}");
        }
    }
}
