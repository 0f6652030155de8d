//! `SqlEndpoint`: a SQL service that stays up.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    batch_job::{DriverSpec, Duration},
    common::{ClusterRef, ExecutorPods, OnSecretChange, SparkRuntime},
};

/// What a SQL endpoint is to be.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "polder.dev",
    version = "v1alpha1",
    kind = "SqlEndpoint",
    namespaced,
    status = "SqlEndpointStatus",
    derive = "PartialEq",
    shortname = "sql",
    category = "polder",
    doc = "A SQL service that stays up: one Spark driver that serves JDBC (Thrift) and Spark Connect.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 45")
        .message("metadata.name: at most 45 lower case letters, digits and dashes, beginning with a letter: Services and pods carry it in their names"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Jdbc", type_ = "string", json_path = ".status.jdbcUrl"),
    printcolumn(name = "Connect", type_ = "string", json_path = ".status.connectUrl"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
)]
#[x_kube(
    validation = Rule::new("[has(self.executors), has(self.clusterRef)].filter(x, x).size() == 1")
        .message("set exactly one of executors and clusterRef")
)]
#[serde(rename_all = "camelCase")]
pub struct SqlEndpointSpec {
    /// Image, configuration, environment and mounts of driver and executors.
    #[serde(flatten)]
    pub runtime: SparkRuntime,
    /// What clients can speak. Default: both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocols: Option<Protocols>,
    /// The driver, which holds all sessions.
    pub driver: DriverSpec,
    /// Executors as pods of their own, as many as there is work for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<EndpointExecutors>,
    /// Executors on a SparkCluster of this domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<ClusterRef>,
    /// What happens when a Secret in its variables, mounts or catalogs changes. Default: Restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_secret_change: Option<OnSecretChange>,
    /// Stops the service. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// What clients can speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.thrift) && has(self.thrift.enabled) && !self.thrift.enabled && has(self.connect) && has(self.connect.enabled) && !self.connect.enabled)")
        .message("enable at least one of thrift and connect")
)]
pub struct Protocols {
    /// HiveServer2: JDBC, ODBC, beeline, BI tools; port 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thrift: Option<Protocol>,
    /// Spark Connect: PySpark clients; port 15002.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Protocol>,
}

/// One protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    /// Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Executors of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.min <= self.max").message("min must be at most max"))]
pub struct EndpointExecutors {
    /// At least.
    #[schemars(range(min = 0, max = 10_000))]
    pub min: i32,
    /// At most.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: i32,
    /// How long an executor may idle before it goes, such as `5m`. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Duration>,
    /// What each executor is.
    #[serde(flatten)]
    pub pods: ExecutorPods,
}

/// What a SQL endpoint is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SqlEndpointStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Image in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Address for JDBC clients inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_url: Option<String>,
    /// Address for Spark Connect clients inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_url: Option<String>,
    /// Address of the driver's web pages, inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_url: Option<String>,
    /// Executor pods that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<i32>,
    /// Ready, Reconciling, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
}

impl SqlEndpointSpec {
    /// Whether JDBC is served.
    pub fn serves_thrift(&self) -> bool {
        enabled(self.protocols.as_ref().and_then(|protocols| protocols.thrift.as_ref()))
    }

    /// Whether Spark Connect is served.
    pub fn serves_connect(&self) -> bool {
        enabled(self.protocols.as_ref().and_then(|protocols| protocols.connect.as_ref()))
    }
}

fn enabled(protocol: Option<&Protocol>) -> bool {
    protocol.and_then(|protocol| protocol.enabled).unwrap_or(true)
}
