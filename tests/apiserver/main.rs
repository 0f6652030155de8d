//! The operator against a real control plane with simulated nodes, as the chart installs it: its
//! own service account, roles and arguments. Needs the cluster that `dev/test apiserver` starts.
//!
//! One operator serves all tests at once; each test has a domain of its own. Tests that stop or
//! replace the operator run alone ([`turn::alone`]).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod audit;
#[path = "../common/cluster.rs"]
mod cluster;
mod install;
mod manifests;
#[path = "../common/metrics.rs"]
mod metrics;
mod operator;
#[path = "../common/process.rs"]
mod process;
mod program;
mod receiver;
mod tenant;
mod turn;

mod access;
mod audit_receiver;
mod cli;
mod conflict;
mod convergence;
mod deletion;
mod demo;
mod diff;
mod drift;
mod gitops;
mod isolation;
mod jobs;
mod logs;
mod monitoring;
mod ownership;
mod policy;
mod problems;
mod quota;
mod restart;
mod rights;
mod secrets;
mod shards;
mod shipping;
mod suspend;
mod telemetry;
mod traces;
