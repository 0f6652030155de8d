//! The command line: one file per subcommand.

mod access;
mod audit;
mod check;
mod crds;
mod operator;
mod reference;

use clap::{Parser, Subcommand};

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
    /// Not all is well with the installation.
    #[error(transparent)]
    Check(#[from] check::Error),
    /// The CRDs could not be printed.
    #[error("cannot print the CRDs: {0}")]
    Crds(#[from] crds::Error),
    /// The reference could not be written.
    #[error(transparent)]
    Reference(#[from] reference::Error),
}

impl Arguments {
    /// Does what was asked for.
    ///
    /// # Errors
    /// See [`enum@Error`].
    pub fn execute(self) -> Result<(), Error> {
        match self.command {
            Command::Operator(arguments) => Ok(operator::execute(*arguments)?),
            Command::Access(arguments) => Ok(access::execute(&arguments)?),
            Command::Audit(arguments) => Ok(audit::execute(&arguments)?),
            Command::Check(arguments) => Ok(check::execute(&arguments)?),
            Command::Crds(arguments) => Ok(crds::execute(&arguments)?),
            Command::Reference(arguments) => Ok(reference::execute(&arguments)?),
        }
    }
}
