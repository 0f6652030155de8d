//! What bad input gets: objects of the four kinds, sent to a real API server with the CRDs of this
//! source tree. Needs the control plane that `dev/test apiserver` starts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod catalogs;
#[path = "../common/cluster.rs"]
mod cluster;
mod conf;
mod docs;
mod fields;
mod names;
mod send;
mod strict;
mod transitions;
