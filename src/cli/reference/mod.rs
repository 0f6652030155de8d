//! `polder reference`: the pages of the reference that are made from the code.

mod api;
mod commands;
mod lint;
mod markdown;
mod rbac;
mod reasons;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{api::crds, telemetry};

/// Where the pages go, and what they are made of beside the code.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder to write them into.
    #[arg(long)]
    directory: PathBuf,

    /// The chart as Helm renders it, for the page of roles.
    #[arg(long)]
    chart: PathBuf,
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
    /// What Helm made of the chart cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A role in the chart is not understood.
    #[error("{path}: {source}")]
    Roles {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rbac::Error,
    },
    /// A bug.
    #[error("BUG: the metrics do not fit together: {0}")]
    Metrics(#[from] prometheus::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let path = || arguments.chart.clone();
    let chart = fs::read_to_string(&arguments.chart)
        .map_err(|source| Error::Read { path: path(), source })?;
    let roles = rbac::page(&chart).map_err(|source| Error::Roles { path: path(), source })?;
    let pages = [
        ("metrics.md", telemetry::metrics_reference()?),
        ("cli.md", commands::page()),
        ("lint.md", lint::page()),
        ("conditions.md", reasons::conditions()),
        ("events.md", reasons::events()),
        ("rbac.md", roles),
    ];
    let mut pages: Vec<(String, String)> = pages.map(|(name, text)| (name.to_owned(), text)).into();
    pages.extend(
        crds::all()
            .iter()
            .map(|crd| (format!("api/{}.md", crd.spec.names.kind.to_lowercase()), api::page(crd))),
    );
    pages.iter().try_for_each(|(name, text)| write(&arguments.directory.join(name), text))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, text))
        .map_err(|source| Error::Write { path: path.to_owned(), source })
}
