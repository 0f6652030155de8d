//! The engine against a real API server: needs `KUBECONFIG` (`dev/cluster up NAME --node simulated`).
//!
//! The tests share the control plane and run one after the other, each with an engine of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs
)]

mod apply;
mod counts;
mod events;
mod fleet;
mod harness;
mod lease;
mod roots;
mod shards;
mod variety;
mod widget;
