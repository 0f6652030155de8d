//! The four kinds as users write them: group `polder.dev`, version `v1alpha1`.
//!
//! Types only. Schema, CEL rules and printer columns live with the type; what they cannot see is
//! checked by the kinds at reconcile.

pub mod batch_job;
pub mod catalog;
pub mod common;
pub mod conditions;
pub mod crds;
pub mod domain;
pub mod gitops;
pub mod logs;
pub mod monitoring;
pub mod properties;
pub mod quantity;
pub mod quota;
pub mod secrets;
pub mod spark_cluster;
pub mod spark_conf;
pub mod sql_endpoint;

pub use batch_job::{BatchJob, BatchJobSpec, BatchJobStatus};
pub use domain::{Domain, DomainSpec, DomainStatus};
pub use quantity::Quantity;
pub use spark_cluster::{SparkCluster, SparkClusterSpec, SparkClusterStatus};
pub use spark_conf::SparkConf;
pub use sql_endpoint::{SqlEndpoint, SqlEndpointSpec, SqlEndpointStatus};

/// The API group of all kinds.
pub const GROUP: &str = "polder.dev";
/// `apiVersion` of all kinds.
pub const API_VERSION: &str = "polder.dev/v1alpha1";
