//! Whether a domain's workloads are measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Metrics of a domain's workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoringSpec {
    /// Spark's processes serve metrics for Prometheus on the port of their web pages, Prometheus is
    /// let in, and where the cluster has the Prometheus Operator, a PodMonitor has them scraped. A
    /// change restarts services, one pod after the other. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
}
