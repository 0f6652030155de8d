//! The Helm chart, with Helm 3 and Helm 4, on a real control plane with simulated nodes of its own:
//! `dev/test chart` starts it. The operator of a release runs outside of the cluster, as its pods are
//! simulated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../apiserver/api.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod api;
#[path = "../common/cluster.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod cluster;
#[path = "../apiserver/manifests.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod manifests;
#[path = "../apiserver/operator.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod operator;
#[path = "../common/process.rs"]
mod process;

mod argocd;
mod helm;
mod lifecycle;
mod older;
mod refusals;
mod release;
mod render;
mod schemas;
