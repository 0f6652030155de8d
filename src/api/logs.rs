//! What a domain's workloads log, and how long it is kept.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// Logs of a domain's workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.maxFileSize) || !isQuantity(string(self.maxFileSize)) || (quantity(string(self.maxFileSize)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self.maxFileSize)).compareTo(quantity('1Gi')) <= 0)")
        .message("maxFileSize: must be between 1Mi and 1Gi")
)]
pub struct LogsSpec {
    /// The least level that Spark processes log. Those that run take a new level within two
    /// minutes, without a restart, but for executor pods: they have that of their driver's start.
    /// Default: warnings, and what tells how the work goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// How Spark processes write a line. It changes like the level. Default: JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
    /// Size at which a file with the output of an executor on a SparkCluster is closed and the next
    /// one begun, 1Mi to 1Gi. A change restarts workers, one after the other. Default: 16Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<Quantity>,
    /// How many of those files are kept for each executor and stream; the oldest goes first. A
    /// change restarts workers, one after the other. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_files: Option<i32>,
    /// How long logs are kept where a shipper brings them, in days: `14d`. It is the label
    /// `polder.dev/log-retention` of the namespace, for the store to act on. Default: as the store
    /// does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    #[x_kube(
        validation = Rule::new("self.matches('^[1-9][0-9]{0,3}d$')")
            .message("must be a number of days, such as 14d: stores delete logs by the day")
    )]
    pub retention: Option<String>,
}

/// Levels of Log4j, least first.
/// Source: <https://logging.apache.org/log4j/2.x/manual/customloglevels.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// All there is, for hours of reading.
    Trace,
    /// What helps who knows Spark's source.
    Debug,
    /// Every step.
    Info,
    /// What may need attention.
    Warn,
    /// What failed.
    Error,
    /// Nothing.
    Off,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogFormat {
    /// One JSON object a line, with Spark's own fields (`ts`, `level`, `msg`, `exception`,
    /// `logger`) and `domain`, `kind` and `name` of the workload.
    /// Source: <https://spark.apache.org/docs/latest/configuration.html#structured-logging>
    #[default]
    #[serde(rename = "JSON")]
    Json,
    /// Time, level, class and message, for people.
    Text,
}

impl LogsSpec {
    /// Days for which logs are kept.
    pub fn retention_days(&self) -> Option<u32> {
        self.retention.as_deref()?.strip_suffix('d')?.parse().ok()
    }
}
