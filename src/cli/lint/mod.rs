//! `polder lint`: what is wrong with manifests, before anybody applies them.

mod format;

pub(super) use format::told;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};

use super::{
    manifests::{self, Manifests},
    show::note,
};

/// What to check, and how to tell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: Manifests,
    /// How to tell what is wrong: for people, as JSON, as SARIF, or as annotations of GitHub.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How findings are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// A line each.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// Why manifests could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They cannot be taken in.
    #[error(transparent)]
    Manifests(#[from] manifests::Error),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let set = arguments.manifests.set()?;
    let outcome = set.lint();
    let text = match arguments.output {
        Output::Text => told(&outcome.findings),
        Output::Json => format::json(&outcome),
        Output::Sarif => format::sarif(&outcome),
        Output::Github => format::github(&outcome),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    if matches!(arguments.output, Output::Text | Output::Github) {
        note(&format::summary(&outcome));
    }
    Ok(if outcome.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
