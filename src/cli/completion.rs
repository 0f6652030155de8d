//! `polder completion`: scripts by which a shell asks this program how a command line may go on. And
//! the same for words after `kubectl polder`, for which kubectl asks.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command};
use clap_complete::{CompleteEnv, Shell, engine, env::Shells};

use super::{clap, error::Error, is_called, show};

/// The program that kubectl asks how the words of the plugin may go on: this one, by another name.
/// Source: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_plugin/>
const COMPLETER: &str = "kubectl_complete-polder";
/// Says which shell asks.
const SHELL: &str = "POLDER_COMPLETE";
/// Where in the words the cursor is; shells that do not say end them there.
const CURSOR: &str = "_CLAP_COMPLETE_INDEX";
/// What the shell is not to do: put a space behind the word, look for files by itself.
/// Source: <https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective>
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// bash and zsh: `source <(polder completion SHELL)`, in zsh after compinit; fish: `polder
    /// completion fish | source`. For `kubectl polder`, put a link to this program into PATH as
    /// `kubectl_complete-polder`.
    shell: Shell,
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    // From PATH, unless it was not called from there.
    let program = std::env::args().next().filter(|program| program.contains('/'));
    let program = program.and_then(|program| std::path::absolute(program).ok());
    let program = program.map_or("polder".into(), |path| path.to_string_lossy().into_owned());
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&arguments.shell.to_string()) {
        let written = shell.write_registration(SHELL, "polder", "polder", &program, &mut script);
        written.map_err(Error::Print)?;
    }
    show::print(&String::from_utf8_lossy(&script))
}

/// If a shell or kubectl asks how a command line may go on, answers and ends this process.
pub(super) fn answer(program: &str) {
    if is_called(program, COMPLETER) {
        let words = std::env::args_os().skip(1).collect();
        let _ = show::print(&for_kubectl(words));
        std::process::exit(0);
    }
    CompleteEnv::with_factory(command).var(SHELL).complete();
}

/// The command line, where flags are offered only if nothing else can stand there.
fn command() -> Command {
    let mut command = clap("polder");
    command.build();
    command.mut_subcommands(|subcommand| {
        subcommand.mut_args(|arg| if arg.is_positional() { arg } else { arg.hide(true) })
    })
}

/// What the last of these words may become, a line each, in the words of kubectl's shell scripts.
fn for_kubectl(words: Vec<OsString>) -> String {
    let last = words.len();
    let words = std::iter::once(OsString::from("polder")).chain(words).collect();
    let folder = std::env::current_dir().ok();
    let found = engine::complete(&mut command(), words, last, folder.as_deref());
    let found = found.unwrap_or_default();
    let mut lines: Vec<String> = found
        .iter()
        .map(|candidate| {
            let value = candidate.get_value().to_string_lossy();
            match candidate.get_help().map(ToString::to_string) {
                Some(help) => format!("{value}\t{}", help.lines().next().unwrap_or_default()),
                None => value.into_owned(),
            }
        })
        .collect();
    let goes_on = |line: &String| line.ends_with(['/', '=']);
    let is_open = !lines.is_empty() && lines.iter().all(goes_on);
    lines.push(format!(":{}\n", if is_open { NO_FILES | NO_SPACE } else { NO_FILES }));
    lines.join("\n")
}

/// The subcommand that this process is asked to complete, with what is given to it so far.
pub(super) fn given() -> Option<ArgMatches> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let cursor = std::env::var(CURSOR).ok().and_then(|index| index.parse().ok());
    let words = match words.iter().position(|word| word == "--") {
        // As the scripts call it: PROGRAM -- WORDS.
        Some(index) => words.into_iter().skip(index + 1).collect(),
        // As kubectl does: PROGRAM WORDS without that of the program.
        None => words,
    };
    parse(words, cursor)
}

/// Reads what can be read of an unfinished command line, but for the word at the cursor.
fn parse(mut words: Vec<OsString>, cursor: Option<usize>) -> Option<ArgMatches> {
    let cursor = cursor.unwrap_or(words.len().saturating_sub(1));
    if cursor < words.len() {
        words.remove(cursor);
    }
    let parsed = clap("polder").ignore_errors(true).try_get_matches_from(joined(words));
    parsed.ok()?.remove_subcommand().map(|(_, given)| given)
}

/// bash makes three words of `--namespace=sales`.
fn joined(words: Vec<OsString>) -> Vec<OsString> {
    let is_sign = |word: &OsString| word == "=" || word == ":";
    let mut all: Vec<OsString> = Vec::new();
    let mut goes_on = false;
    for word in words {
        let sign = is_sign(&word);
        match all.last_mut().filter(|_| sign || goes_on) {
            Some(last) => last.push(word),
            None => all.push(word),
        }
        goes_on = sign;
    }
    all
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn of(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[rstest]
    #[case(&["stat"], &["status\tShow how a domain stands", ":4"])]
    #[case(&["why", "--kube"], &["--kubeconfig\tKubeconfig file", ":4"])]
    #[case(&["status", "-o", "j"], &["json", ":4"])]
    #[case(&["lint", "-f", "docs/how"], &["docs/how-to/", ":6"])]
    // A name of an object, of which there are none without a cluster.
    #[case(&["why", "lo"], &[":4"])]
    fn words_go_on_as_the_command_line_has_them(#[case] words: &[&str], #[case] expected: &[&str]) {
        let text = for_kubectl(of(words));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{text}");
        for (line, begin) in lines.iter().zip(expected) {
            assert!(line.starts_with(begin), "{line}");
        }
    }

    #[rstest]
    #[case::at_the_end(&["polder", "why", "-n", "sales", "lo"], None, Some("sales"))]
    #[case::of_the_flag_itself(&["polder", "why", "-n", "sa"], None, None)]
    #[case::before_it(&["polder", "why", "lo", "-n", "sales"], Some(2), Some("sales"))]
    #[case::behind_all(&["polder", "why", "-nsales"], Some(3), Some("sales"))]
    #[case::as_bash_splits_it(&["polder", "why", "--namespace", "=", "sales", ""], Some(5), Some("sales"))]
    fn what_stands_before_and_behind_the_cursor_counts(
        #[case] words: &[&str],
        #[case] cursor: Option<usize>,
        #[case] namespace: Option<&str>,
    ) {
        let given = parse(of(words), cursor).unwrap();
        assert_eq!(given.get_one::<String>("namespace").map(String::as_str), namespace);
    }
}
