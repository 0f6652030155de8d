//! The page of commands, made of their own help.

use std::fmt::Write;

use super::markdown::MARK;
use crate::cli::clap;

pub(super) fn page() -> String {
    let mut command = clap("polder").disable_help_subcommand(true);
    command.build();
    let mut text = format!(
        "{MARK}\
        # Command line\n\n\
        `polder` and `kubectl polder` are the same program. Commands end with 0 if all is well, with 1 \
        if they found a problem, and with 2 if they could not run.\n"
    );
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
