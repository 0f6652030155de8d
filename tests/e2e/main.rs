//! End to end on a real node with real Spark: what the quickstart computed, and what happens when
//! things break. Needs the cluster that `dev/test e2e` starts, with the quickstart applied.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cli;
mod cluster;
mod faults;
mod guide;
mod last;
mod logs;
mod monitoring;
mod quickstart;
mod records;
mod release;
mod secrets;
