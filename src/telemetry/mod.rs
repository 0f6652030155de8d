//! What the operator tells about itself: metrics, health, logs.

pub mod logs;
pub mod metrics;
pub mod server;

pub use logs::{Format, init as init_logs};
pub use metrics::Metrics;
pub use server::{Health, serve};
