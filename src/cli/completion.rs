//! `polder completion`: scripts that let a shell complete commands and flags. And the same for words
//! after `kubectl polder`, which kubectl asks a program for.

use std::ffi::OsString;

use clap::{Args, Command};
use clap_complete::{Shell, engine, generate};

use super::{clap, error::Error, show};

/// The program that kubectl asks how the words of the plugin may go on: this one, by another name.
/// Source: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_plugin/>
pub(super) const COMPLETER: &str = "kubectl_complete-polder";
/// What the shell is to do besides: nothing, or look for files by itself.
/// Source: <https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective>
const NO_FILES: u8 = 4;
const FILES: u8 = 0;

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// bash: `source <(polder completion bash)`; zsh: write it to a file `_polder` in a folder of
    /// $fpath; fish: `polder completion fish | source`. For `kubectl polder`, put a link to this
    /// program into PATH as `kubectl_complete-polder`.
    shell: Shell,
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut clap("polder"), "polder", &mut script);
    show::print(&String::from_utf8_lossy(&script))
}

/// What the last of these words may become, a line each, in the words of kubectl's shell scripts.
pub(super) fn for_kubectl(mut command: Command, words: Vec<OsString>) -> String {
    let last = words.len();
    let words = std::iter::once(OsString::from("polder")).chain(words).collect();
    let found = engine::complete(&mut command, words, last, None).unwrap_or_default();
    let shown = found.iter().filter(|candidate| !candidate.is_hide_set());
    let mut lines: Vec<String> = shown
        .map(|candidate| {
            let value = candidate.get_value().to_string_lossy();
            match candidate.get_help().map(ToString::to_string) {
                Some(help) => format!("{value}\t{}", help.lines().next().unwrap_or_default()),
                None => value.into_owned(),
            }
        })
        .collect();
    lines.push(format!(":{}\n", if lines.is_empty() { FILES } else { NO_FILES }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["stat"], &["status\tShow how a domain stands", ":4"])]
    #[case(&["why", "--kube"], &["--kubeconfig\tKubeconfig file", ":4"])]
    #[case(&["status", "-o", "j"], &["json", ":4"])]
    // A name of an object: there is nothing to offer.
    #[case(&["why", "lo"], &[":0"])]
    fn words_go_on_as_the_command_line_has_them(#[case] words: &[&str], #[case] expected: &[&str]) {
        let words = words.iter().map(OsString::from).collect();
        let text = for_kubectl(clap("polder"), words);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{text}");
        for (line, begin) in lines.iter().zip(expected) {
            assert!(line.starts_with(begin), "{line}");
        }
    }
}
