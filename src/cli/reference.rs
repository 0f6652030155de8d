//! `polder reference`: the pages of the reference that are made from the code.

use std::{fmt::Write, fs, io, path::PathBuf};

use clap::Args;

use super::clap;
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
    write(arguments, "metrics.md", &telemetry::metrics_reference()?)?;
    write(arguments, "cli.md", &page())
}

fn write(arguments: &Arguments, name: &str, text: &str) -> Result<(), Error> {
    let path = arguments.directory.join(name);
    fs::write(&path, text).map_err(|source| Error::Write { path, source })
}

fn page() -> String {
    let mut command = clap("polder").disable_help_subcommand(true);
    command.build();
    let mut text = "# Command line\n\n\
        <!-- Written by `make generate`. -->\n\n\
        `polder` and `kubectl polder` are the same program. Commands end with 0 if all is well, with 1 \
        if they found a problem, and with 2 if they could not run.\n"
        .to_owned();
    for subcommand in command.get_subcommands_mut().filter(|it| !it.is_hide_set()) {
        let name = subcommand.get_name().to_owned();
        let help = subcommand.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_command_has_a_section_with_its_usage() {
        let page = super::page();
        assert!(page.contains("\n## why\n\n```text\nExplain why"), "{page}");
        assert!(page.contains("Usage: polder sql [OPTIONS] <ENDPOINT>..."), "{page}");
        assert!(!page.contains("## reference"), "{page}");
    }
}
