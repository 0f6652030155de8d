//! Metrics of the receiver, with the prefix `polder_audit_`. No label names a domain.

use std::{io, time::Duration};

use prometheus::{
    Error, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder, core::Collector,
};

use super::{route::Stream, store::Committed};

/// The receiver's metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    events: IntCounterVec,
    written: IntCounter,
    duplicates: IntCounter,
    bytes: IntCounter,
    failures: IntCounter,
    removed: IntCounter,
    commit: Histogram,
    last: IntGauge,
}

impl Metrics {
    /// Metrics in a registry of their own.
    ///
    /// # Errors
    /// A bug: two of the same name.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new_custom(Some("polder_audit".to_owned()), None)?;
        let r = &registry;
        let counter = |name, help| register(r, IntCounter::new(name, help)?);
        Ok(Self {
            requests: register(
                r,
                IntCounterVec::new(
                    Opts::new("requests_total", "Requests of API servers by HTTP status."),
                    &["code"],
                )?,
            )?,
            events: register(
                r,
                IntCounterVec::new(
                    Opts::new(
                        "events_total",
                        "Events that came, by where they belong: domain, cluster, or dropped.",
                    ),
                    &["stream"],
                )?,
            )?,
            written: counter("written_total", "Events that are on disk.")?,
            duplicates: counter("duplicates_total", "Events that were sent again and left out.")?,
            bytes: counter("written_bytes_total", "Bytes that were written.")?,
            failures: counter("write_failures_total", "Batches that could not be written whole.")?,
            removed: counter("removed_files_total", "Files that retention removed.")?,
            commit: register(
                r,
                Histogram::with_opts(
                    HistogramOpts::new("commit_seconds", "Time to write and flush to disk.")
                        .buckets(vec![
                            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
                        ]),
                )?,
            )?,
            last: register(
                r,
                IntGauge::new("last_commit_timestamp_seconds", "When events were last written.")?,
            )?,
            registry,
        })
    }

    /// All of them as text.
    ///
    /// # Errors
    /// A bug.
    pub fn render(&self) -> Result<String, Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub(super) fn request(&self, code: u16) {
        self.requests.with_label_values(&[&code.to_string()]).inc();
    }

    pub(super) fn event(&self, stream: Option<&Stream>) {
        let stream = match stream {
            Some(Stream::Domain(_)) => "domain",
            Some(Stream::Cluster) => "cluster",
            None => "dropped",
        };
        self.events.with_label_values(&[stream]).inc();
    }

    pub(super) fn committed(&self, result: &io::Result<Committed>, took: Duration) {
        self.commit.observe(took.as_secs_f64());
        match result {
            Ok(done) => {
                self.written.inc_by(done.written as u64);
                self.duplicates.inc_by(done.duplicates as u64);
                self.bytes.inc_by(done.bytes);
                self.last.set(jiff::Timestamp::now().as_second());
            }
            Err(_) => self.failures.inc(),
        }
    }

    pub(super) fn removed(&self, files: usize) {
        self.removed.inc_by(files as u64);
    }
}

fn register<M: Collector + Clone + 'static>(registry: &Registry, metric: M) -> Result<M, Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
