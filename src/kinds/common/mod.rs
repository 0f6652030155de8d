//! What the workload kinds share: their domain, their pods, room in the quota, the conditions.

pub mod cluster;
pub mod domain;
pub mod ownership;
pub mod pods;
pub mod policy;
pub mod problems;
pub mod quota;
pub mod summary;

pub use cluster::ClusterContext;
pub use domain::{DomainContext, Executors, WAITING};
pub use policy::{Policy, Usage};
pub use summary::{Readiness, triple};
