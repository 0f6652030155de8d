//! `polder reference`: the pages of the reference that are made from the code.

use std::{fs, io, path::PathBuf};

use clap::Args;

use crate::telemetry;

/// Where the pages go.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder to write them into.
    #[arg(long)]
    directory: PathBuf,
}

/// Why the pages could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A bug.
    #[error("BUG: the metrics do not fit together: {0}")]
    Metrics(#[from] prometheus::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    write(arguments, "metrics.md", &telemetry::metrics_reference()?)
}

fn write(arguments: &Arguments, name: &str, text: &str) -> Result<(), Error> {
    let path = arguments.directory.join(name);
    fs::write(&path, text).map_err(|source| Error::Write { path, source })
}
