//! `polder completion`: scripts that let a shell complete commands and flags.

use clap::Args;
use clap_complete::{Shell, generate};

use super::{clap, error::Error, show};

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// bash: `source <(polder completion bash)`; zsh: write it to a file `_polder` in a folder of
    /// $fpath; fish: `polder completion fish | source`.
    shell: Shell,
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut clap("polder"), "polder", &mut script);
    show::print(&String::from_utf8_lossy(&script))
}
