//! `polder crds`: the CustomResourceDefinitions.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use crate::api::crds;

/// Where the CRDs go.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write one file for each CRD into this folder instead of printing them all.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// Why the CRDs could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// They do not serialise: a bug.
    #[error(transparent)]
    Yaml(#[from] serde_yaml::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    for crd in crds::all() {
        let yaml = serde_yaml::to_string(&crd)?;
        match (&arguments.directory, &crd.metadata.name) {
            (Some(directory), Some(name)) => {
                fs::create_dir_all(directory)?;
                fs::write(directory.join(format!("{name}.yaml")), yaml)?;
            }
            _ => write!(output, "---\n{yaml}")?,
        }
    }
    Ok(())
}
