//! The command line: one file per subcommand.

mod access;
mod audit;
mod check;
mod crds;
mod diff;
mod lint;
mod manifests;
mod operator;
mod plan;
mod reference;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code of a command that could not do its work; 1 is for what it found.
pub const COULD_NOT_RUN: u8 = 2;

/// Data domains with Spark in them, on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "polder", version, about, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator until it is told to stop.
    Operator(Box<operator::Arguments>),
    /// Show who can do what in a domain.
    Access(access::Arguments),
    /// Receive the API server's audit events and keep them by domain.
    Audit(Box<audit::Arguments>),
    /// Check that cluster and operator fit each other.
    Check(check::Arguments),
    /// Check manifests without a cluster: schemas, rules, and what the operator would say.
    Lint(lint::Arguments),
    /// Show the objects that manifests become, without a cluster.
    Plan(plan::Arguments),
    /// Show what applying manifests would change in a cluster, and which pods would restart.
    Diff(diff::Arguments),
    /// Print the CustomResourceDefinitions as YAML.
    Crds(crds::Arguments),
    /// Write the pages of the reference that the code knows best.
    #[command(hide = true)]
    Reference(reference::Arguments),
}

/// Why a command failed, in words for the person who gave it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operator could not run, or had to stop.
    #[error(transparent)]
    Operator(#[from] operator::Error),
    /// There is no answer about access, or not a whole one.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The audit receiver could not run, or had to stop.
    #[error(transparent)]
    Audit(#[from] audit::Error),
    /// The installation could not be checked.
    #[error(transparent)]
    Check(#[from] check::Error),
    /// Manifests could not be checked.
    #[error(transparent)]
    Lint(#[from] lint::Error),
    /// Manifests could not be planned.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// Manifests could not be compared with a cluster.
    #[error(transparent)]
    Diff(#[from] diff::Error),
    /// The CRDs could not be printed.
    #[error("cannot print the CRDs: {0}")]
    Crds(#[from] crds::Error),
    /// The reference could not be written.
    #[error(transparent)]
    Reference(#[from] reference::Error),
}

impl Arguments {
    /// Does what was asked for: 0 if all is well, 1 if something was found that is not.
    ///
    /// # Errors
    /// See [`enum@Error`]: nothing can be said.
    pub fn execute(self) -> Result<ExitCode, Error> {
        match self.command {
            Command::Operator(arguments) => operator::execute(*arguments)?,
            Command::Access(arguments) => access::execute(&arguments)?,
            Command::Audit(arguments) => audit::execute(&arguments)?,
            Command::Lint(arguments) => return Ok(lint::execute(&arguments)?),
            Command::Check(arguments) => return Ok(check::execute(&arguments)?),
            Command::Plan(arguments) => return Ok(plan::execute(&arguments)?),
            Command::Diff(arguments) => return Ok(diff::execute(&arguments)?),
            Command::Crds(arguments) => crds::execute(&arguments)?,
            Command::Reference(arguments) => reference::execute(&arguments)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
