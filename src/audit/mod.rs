//! A receiver of the API server's audit webhook that keeps a log for each domain.
//!
//! ```text
//! API server -> tls -> receive -> event -> route -> writer -> store -> files, then 200
//! ```
//!
//! - [`event`]: what is read of an event; its text is kept as it came.
//! - [`route`]: which domain an event belongs to; a pure function of what is known.
//! - [`directory`]: keeps that known, from the API server.
//! - [`store`]: files of lines, made durable before anybody is told so.
//! - [`writer`]: the one thread that writes; many requests share a flush to disk.
//! - [`receive`]: requests, who may send them, and what they are answered.
//! - [`tls`]: connections, with certificates that are read again when they change.
//! - [`metrics`]: what it tells about itself.

pub mod directory;
pub mod event;
pub mod metrics;
pub mod receive;
pub mod route;
pub mod serve;
pub mod store;
pub mod tls;
pub mod writer;

pub use serve::{Error, Options, serve};
