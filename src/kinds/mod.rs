//! The kinds: what each root is to become, as pure functions.

pub mod batch_job;
pub mod common;
pub mod domain;
pub mod spark_cluster;
pub mod sql_endpoint;
