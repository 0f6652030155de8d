//! What the operator tells about itself: metrics, health, logs.

mod admin;
mod domains;
mod exposition;
pub mod logs;
pub mod metrics;
mod reference;
pub mod server;
mod table;
pub mod traces;

pub use admin::{AdminAddress, serve_admin};
pub use domains::{Domains, rows as domain_rows};
pub use exposition::Exposition;
pub use logs::{Format, LogLevel, init as init_logs, init_with_traces};
pub use metrics::Metrics;
pub use reference::metrics as metrics_reference;
pub use server::{Health, Served, serve};
pub use table::Row;
pub use traces::Traces;
