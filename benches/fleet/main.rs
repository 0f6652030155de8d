//! `make bench`: how long, how many requests and how much memory a fleet costs, on a real etcd and
//! kube-apiserver with simulated nodes, next to the same children written raw in the same run.
//!
//! Everything is counted from three sides: the API server's audit log, the operator's metrics, and
//! /proc. What is printed is also written as JSON and drawn as SVG. See docs/how-to/bench.md.

#![allow(clippy::indexing_slicing, reason = "of JSON, where what is not there is null")]

mod arguments;
mod audit;
mod bed;
mod error;
mod floor;
mod load;
mod operator;
mod plot;
mod pods;
mod report;
mod rival;
mod scenario;
mod sight;
mod statistics;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{arguments::Arguments, error::Result};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(until_stopped(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nbench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Dropping the run stops what it started, and waits until that is gone.
async fn until_stopped(arguments: &Arguments) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = scenario::run(arguments) => result,
        _ = interrupt.recv() => Err("stopped; what was started is gone".into()),
        _ = terminate.recv() => Err("told to stop; what was started is gone".into()),
    }
}
