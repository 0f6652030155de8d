//! Metrics of the process, named after controller-runtime's with the prefix `polder_`. Labels are
//! bounded: kinds, verbs, codes, results; never the name of an object.

use std::{sync::Arc, time::Duration};

use prometheus::{Error, HistogramVec, IntCounterVec, IntGaugeVec, Registry};

use super::{
    exposition::Exposition,
    table::{Row, Table},
};

/// Every name begins with it, and an underscore.
pub(super) const PREFIX: &str = "polder";

/// Seconds: a converged pass takes well under a millisecond, one with many writes seconds.
const BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The operator's metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    rows: Vec<Row>,
    reconcile_total: IntCounterVec,
    reconcile_errors: IntCounterVec,
    reconcile_panics: IntCounterVec,
    reconcile_timeouts: IntCounterVec,
    reconcile_seconds: HistogramVec,
    active_workers: IntGaugeVec,
    max_workers: IntGaugeVec,
    queue_depth: IntGaugeVec,
    queue_adds: IntCounterVec,
    queue_seconds: HistogramVec,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    watch_events: IntCounterVec,
    watch_restarts: IntCounterVec,
    objects: IntGaugeVec,
    roots: IntGaugeVec,
    uncovered: IntCounterVec,
    events: IntCounterVec,
    leader: IntGaugeVec,
    build: IntGaugeVec,
}

impl Metrics {
    /// Metrics in a registry of their own.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn new() -> Result<Self, Error> {
        let t = &mut Table::new(PREFIX)?;
        let inner = Inner {
            reconcile_total: t.counter(
                "reconcile_total",
                "Reconciles per controller and result: success, requeue_after, error.",
                &["controller", "result"],
            )?,
            reconcile_errors: t.counter(
                "reconcile_errors_total",
                "Reconciles that end in a failed request or an internal error.",
                &["controller"],
            )?,
            reconcile_panics: t.counter(
                "reconcile_panics_total",
                "Reconciles that end in a panic: a bug in Polder.",
                &["controller"],
            )?,
            reconcile_timeouts: t.counter(
                "reconcile_timeouts_total",
                "Requests of reconciles that took longer than the request timeout.",
                &["controller"],
            )?,
            reconcile_seconds: t.histogram(
                "reconcile_time_seconds",
                "Duration of a reconcile.",
                &["controller"],
                BUCKETS,
            )?,
            active_workers: t.gauge(
                "active_workers",
                "Reconciles in progress.",
                &["controller"],
            )?,
            max_workers: t.gauge(
                "max_concurrent_reconciles",
                "Most reconciles that may run at once.",
                &["controller"],
            )?,
            queue_depth: t.gauge(
                "workqueue_depth",
                "Objects waiting to be reconciled now.",
                &["controller"],
            )?,
            queue_adds: t.counter(
                "workqueue_adds_total",
                "Objects put in the queue, duplicates not counted.",
                &["controller"],
            )?,
            queue_seconds: t.histogram(
                "workqueue_queue_duration_seconds",
                "Time from being put in the queue to the start of the reconcile.",
                &["controller"],
                BUCKETS,
            )?,
            requests: t.counter(
                "client_requests_total",
                "Requests to the API server; code is the HTTP status, timeout, or error.",
                &["verb", "kind", "code"],
            )?,
            request_seconds: t.histogram(
                "client_request_duration_seconds",
                "Time from sending a request to the end of its answer; of a watch, to its begin.",
                &["verb"],
                BUCKETS,
            )?,
            watch_events: t.counter(
                "watch_events_total",
                "Objects received from watches and lists.",
                &["kind"],
            )?,
            watch_restarts: t.counter(
                "watch_restarts_total",
                "Lists, first and repeated, and watches resumed, per reason.",
                &["kind", "reason"],
            )?,
            objects: t.gauge("store_objects", "Objects known per type.", &["kind"])?,
            roots: t.gauge(
                "resources",
                "Custom resources by the status of their Ready condition; None: not yet set.",
                &["controller", "ready"],
            )?,
            uncovered: t.counter(
                "uncovered_applies_total",
                "Applies whose answer does not show all that was sent: costs one apply a restart.",
                &["kind"],
            )?,
            events: t.counter(
                "events_total",
                "Kubernetes events by result: sent, failed, dropped by the rate limit.",
                &["result"],
            )?,
            leader: t.gauge(
                "leader_election_master_status",
                "1 while this process holds the lease.",
                &["name"],
            )?,
            build: t.gauge("build_info", "Always 1; the version is in its label.", &["version"])?,
            registry: t.registry.clone(),
            rows: std::mem::take(&mut t.rows),
        };
        inner.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self(Arc::new(inner)))
    }

    /// All of them in the classic text format.
    pub fn render(&self) -> Result<String, Error> {
        self.render_as(Exposition::Classic)
    }

    /// All of them as text, without what ends it.
    pub fn render_as(&self, how: Exposition) -> Result<String, Error> {
        how.write(&self.0.registry.gather())
    }

    /// What each of them is.
    pub fn rows(&self) -> &[Row] {
        &self.0.rows
    }

    /// A reconcile ended.
    pub(crate) fn reconciled(&self, controller: &str, result: &str, seconds: f64) {
        self.0.reconcile_total.with_label_values(&[controller, result]).inc();
        self.0.reconcile_seconds.with_label_values(&[controller]).observe(seconds);
        if result == "error" {
            self.0.reconcile_errors.with_label_values(&[controller]).inc();
        }
    }

    pub(crate) fn panicked(&self, controller: &str) {
        self.0.reconcile_panics.with_label_values(&[controller]).inc();
    }

    pub(crate) fn timed_out(&self, controller: &str) {
        self.0.reconcile_timeouts.with_label_values(&[controller]).inc();
    }

    pub(crate) fn workers(&self, controller: &str, max: usize) {
        self.0.max_workers.with_label_values(&[controller]).set(small(max));
        self.0.active_workers.with_label_values(&[controller]).set(0);
        for counter in
            [&self.0.reconcile_errors, &self.0.reconcile_panics, &self.0.reconcile_timeouts]
        {
            counter.with_label_values(&[controller]).inc_by(0);
        }
    }

    pub(crate) fn active(&self, controller: &str, change: i64) {
        self.0.active_workers.with_label_values(&[controller]).add(change);
    }

    pub(crate) fn queue_depth(&self, controller: &str, depth: usize) {
        self.0.queue_depth.with_label_values(&[controller]).set(small(depth));
    }

    pub(crate) fn queued(&self, controller: &str) {
        self.0.queue_adds.with_label_values(&[controller]).inc();
    }

    pub(crate) fn waited(&self, controller: &str, seconds: f64) {
        self.0.queue_seconds.with_label_values(&[controller]).observe(seconds);
    }

    pub(crate) fn request(&self, verb: &str, kind: &str, code: &str, took: Duration) {
        self.0.requests.with_label_values(&[verb, kind, code]).inc();
        self.0.request_seconds.with_label_values(&[verb]).observe(took.as_secs_f64());
    }

    pub(crate) fn watch_events(&self, kind: &str, count: u64) {
        self.0.watch_events.with_label_values(&[kind]).inc_by(count);
    }

    pub(crate) fn watch_restarted(&self, kind: &str, reason: &str) {
        self.0.watch_restarts.with_label_values(&[kind, reason]).inc();
    }

    pub(crate) fn objects(&self, kind: &str, count: usize) {
        self.0.objects.with_label_values(&[kind]).set(small(count));
    }

    pub(crate) fn ready(&self, controller: &str, ready: &str, change: i64) {
        self.0.roots.with_label_values(&[controller, ready]).add(change);
    }

    pub(crate) fn uncovered(&self, kind: &str) {
        self.0.uncovered.with_label_values(&[kind]).inc();
    }

    pub(crate) fn event(&self, result: &str) {
        self.0.events.with_label_values(&[result]).inc();
    }

    pub(crate) fn leader(&self, name: &str, leading: bool) {
        self.0.leader.with_label_values(&[name]).set(i64::from(leading));
    }

    /// How many requests were sent so far, by verb; for tests and the bench.
    pub fn requests_of(&self, verb: &str) -> u64 {
        self.0
            .registry
            .gather()
            .iter()
            .filter(|family| family.name() == "polder_client_requests_total")
            .flat_map(prometheus::proto::MetricFamily::get_metric)
            .filter(|metric| {
                metric.get_label().iter().any(|l| l.name() == "verb" && l.value() == verb)
            })
            .map(|metric| whole(metric.get_counter().get_value()))
            .sum()
    }
}

fn small(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Counters hold whole numbers that a `f64` shows exactly.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u64 {
    value as u64
}
