//! Metrics that Spark's processes serve for Prometheus, on the port of their web pages.
//!
//! Source: <https://spark.apache.org/docs/latest/monitoring.html#metrics>

use super::{Conf, conf::conf};

/// Name of the port with the web pages, of every process of ours.
pub const PORT: &str = "ui";
/// Where drivers and workers serve metrics. Without the slash at the end Spark redirects.
pub const OWN_PATH: &str = "/metrics/prometheus/";
/// Where drivers tell of their executors.
pub const EXECUTORS_PATH: &str = "/metrics/executors/prometheus/";
/// Where a master tells of itself.
pub const MASTER_PATH: &str = "/metrics/master/prometheus/";
/// Where a master tells of applications.
pub const APPLICATIONS_PATH: &str = "/metrics/applications/prometheus/";

/// Properties of processes that are measured. With Spark's own default for the namespace, each run
/// would have metrics of other names.
pub fn metrics_conf() -> Conf {
    let path = |path: &str| path.trim_end_matches('/').to_owned();
    conf([
        ("spark.metrics.namespace", "spark".to_owned()),
        ("spark.ui.prometheus.enabled", "true".to_owned()),
        (
            "spark.metrics.conf.*.sink.prometheusServlet.class",
            "org.apache.spark.metrics.sink.PrometheusServlet".to_owned(),
        ),
        ("spark.metrics.conf.*.sink.prometheusServlet.path", path(OWN_PATH)),
        ("spark.metrics.conf.master.sink.prometheusServlet.path", path(MASTER_PATH)),
        ("spark.metrics.conf.applications.sink.prometheusServlet.path", path(APPLICATIONS_PATH)),
        // Heap, collections, threads.
        (
            "spark.metrics.conf.*.source.jvm.class",
            "org.apache.spark.metrics.source.JvmSource".to_owned(),
        ),
    ])
}
