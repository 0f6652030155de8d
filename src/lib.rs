//! Polder: a Kubernetes operator that gives every data team its own domain, with Spark in it.
//!
//! - [`api`]: the four kinds as users write them, and their CRDs.
//! - [`kinds`]: what each of them is to become: pure functions from root to children and status.
//! - [`build`]: pure builders that kinds share.
//! - [`engine`]: watches, stores, reconciles, applies, prunes, writes status; knows no kind.
//! - [`operator`]: which types are watched and which kinds are served.
//! - [`reasons`]: what every reason of a condition means, and what to do.
//! - [`access`]: who can do what in a domain, as RBAC says.
//! - [`audit`]: a receiver of the API server's audit events, which keeps a log for each domain.
//! - [`offline`]: the same without a cluster: manifests checked and planned.
//! - [`telemetry`]: metrics, health, logs.
//! - [`cli`]: the command line.

// They panic when nobody reads any more.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod access;
pub mod api;
pub mod audit;
pub mod build;
pub mod cli;
pub mod engine;
pub mod kinds;
pub mod offline;
pub mod operator;
pub mod reasons;
pub mod telemetry;
