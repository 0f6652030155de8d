//! The command line: one file per subcommand.
//!
//! Commands for people read through [`cluster`], with the rights of whoever asks, and print through
//! [`show`]. They end with 0, with 1 if they found a problem, and with 2 if they could not run.

mod access;
mod advice;
mod audit;
mod bundle;
mod check;
mod cluster;
mod completion;
mod crds;
mod diff;
mod error;
mod forward;
mod lint;
mod logs;
mod manifests;
mod operator;
mod plan;
mod reference;
mod run;
mod show;
mod sql;
mod state;
mod status;
mod suspend;
mod top;
mod tree;
mod ui;
mod version;
mod why;

use std::process::ExitCode;

use clap::{Command as Clap, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Exit code of a command that could not do its work; 1 is for what it found.
pub const COULD_NOT_RUN: u8 = 2;
/// Name of the binary as a plugin of kubectl.
const PLUGIN: &str = "kubectl-polder";

const AFTER_HELP: &str = concat!(
    "Exit codes: 0 all is well, 1 a problem was found, 2 the command could not run.\nDocumentation: ",
    env!("CARGO_PKG_REPOSITORY"),
    "/tree/main/docs"
);

/// Data domains with Spark in them, on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "polder", version, about, propagate_version = true, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how a domain stands, or all of them: quota, workloads, what is wrong and what to do.
    #[command(
        after_help = "Examples:\n  polder status            # all domains\n  polder status sales      # one: its quota, and what is wrong in it"
    )]
    Status(status::Arguments),
    /// Show what an object consists of, and how each part stands.
    #[command(after_help = "Examples:\n  polder tree domain/sales\n  polder tree etl -n sales")]
    Tree(tree::Arguments),
    /// Explain why an object is not ready: from its condition down to pod, event and log line.
    #[command(after_help = "Examples:\n  polder why load -n sales\n  polder why domain/sales")]
    Why(why::Arguments),
    /// Print what the pods of a workload print; of a BatchJob, those of its newest run.
    #[command(
        after_help = "Examples:\n  polder logs load -n sales --follow\n  polder logs spc/etl -n sales --role worker --tail 100"
    )]
    Logs(logs::Arguments),
    /// Start a run of a BatchJob, and wait for its end with --wait.
    #[command(after_help = "Examples:\n  polder run load -n sales --wait")]
    Run(run::Arguments),
    /// Stop the compute of an object (of a Domain, of all that is in it), and keep its data and addresses.
    #[command(
        after_help = "Examples:\n  polder suspend etl -n sales\n  polder suspend domain/sales"
    )]
    Suspend(suspend::Arguments),
    /// Let a suspended object go on.
    #[command(after_help = "Examples:\n  polder resume domain/sales")]
    Resume(suspend::Arguments),
    /// Open a SQL session with an endpoint, or run a query.
    #[command(
        after_help = "Examples:\n  polder sql bi -n sales\n  polder sql bi -n sales -e 'SHOW TABLES'\n  polder sql bi -n sales < report.sql"
    )]
    Sql(sql::Arguments),
    /// Bring the Spark web pages of a workload to this machine; of a BatchJob, those of the run that goes on.
    #[command(after_help = "Examples:\n  polder ui etl -n sales")]
    Ui(ui::Arguments),
    /// Show who can do what in a domain.
    #[command(after_help = "Examples:\n  polder access sales")]
    Access(access::Arguments),
    /// Check that cluster and operator fit each other.
    Check(check::Arguments),
    /// Check manifests without a cluster: schemas, rules, and what the operator would say.
    #[command(
        after_help = "Examples:\n  polder lint -f manifests/\n  kubectl kustomize overlays/prod | polder lint -f -"
    )]
    Lint(lint::Arguments),
    /// Show the objects that manifests become, without a cluster.
    #[command(after_help = "Examples:\n  polder plan -f manifests/")]
    Plan(plan::Arguments),
    /// Show what applying manifests would change in a cluster, and which pods would restart.
    #[command(after_help = "Examples:\n  polder diff -f manifests/")]
    Diff(diff::Arguments),
    /// Show what domains reserve and use, and what that costs.
    #[command(
        after_help = "Examples:\n  polder top --by team\n  polder top sales --price-cpu 0.04 --price-memory 0.005"
    )]
    Top(top::Arguments),
    /// Collect all that helps to find out what is wrong with domains and operator, and nothing that is secret.
    SupportBundle(bundle::Arguments),
    /// Print the completion script of a shell.
    Completion(completion::Arguments),
    /// Print the CustomResourceDefinitions as YAML.
    Crds(crds::Arguments),
    /// Run the operator until it is told to stop.
    Operator(Box<operator::Arguments>),
    /// Receive the API server's audit events and keep them by domain.
    Audit(Box<audit::Arguments>),
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
    /// A command for people could not do its work.
    #[error(transparent)]
    Command(#[from] error::Error),
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

/// The command line as it was called: the same binary is `polder`, and a plugin of kubectl.
fn clap(program: &str) -> Clap {
    let command = Arguments::command();
    let is_plugin = is_called(program, PLUGIN);
    if is_plugin { command.name(PLUGIN).bin_name("kubectl polder") } else { command }
}

/// Whether this program was called by a name.
fn is_called(program: &str, name: &str) -> bool {
    let file = std::path::Path::new(program).file_name().and_then(|name| name.to_str());
    file.is_some_and(|file| file.starts_with(name))
}

impl Arguments {
    /// Reads the arguments of this process; ends it if they cannot be read, or ask for help.
    pub fn read() -> Self {
        let program = std::env::args().next().unwrap_or_default();
        completion::answer(&program);
        let matches = clap(&program).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Does what was asked for: 0 if all is well, 1 if something was found that is not.
    ///
    /// # Errors
    /// See [`enum@Error`]: nothing can be said.
    pub fn execute(self) -> Result<ExitCode, Error> {
        match self.command {
            Command::Operator(arguments) => operator::execute(*arguments)?,
            Command::Audit(arguments) => audit::execute(&arguments)?,
            Command::Crds(arguments) => crds::execute(&arguments)?,
            Command::Reference(arguments) => reference::execute(&arguments)?,
            Command::Check(arguments) => return Ok(check::execute(&arguments)?),
            Command::Lint(arguments) => return Ok(lint::execute(&arguments)?),
            Command::Plan(arguments) => return Ok(plan::execute(&arguments)?),
            Command::Diff(arguments) => {
                return Ok(operator::threads()?.block_on(diff::execute(&arguments))?);
            }
            Command::Top(arguments) => return ask(top::execute(&arguments)),
            Command::SupportBundle(arguments) => return ask(bundle::execute(&arguments)),
            Command::Completion(arguments) => completion::execute(&arguments)?,
            Command::Access(arguments) => return ask(access::execute(&arguments)),
            Command::Tree(arguments) => return ask(tree::execute(&arguments)),
            Command::Why(arguments) => return ask(why::execute(&arguments)),
            Command::Logs(arguments) => return ask(logs::execute(&arguments)),
            Command::Run(arguments) => return ask(run::execute(&arguments)),
            Command::Suspend(arguments) => return ask(suspend::execute(&arguments, true)),
            Command::Resume(arguments) => return ask(suspend::execute(&arguments, false)),
            Command::Sql(arguments) => return ask(sql::execute(&arguments)),
            Command::Ui(arguments) => return ask(ui::execute(&arguments)),
            Command::Status(arguments) => return ask(status::execute(&arguments)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs a command that asks the API server.
fn ask(work: impl Future<Output = Result<ExitCode, error::Error>>) -> Result<ExitCode, Error> {
    match operator::threads()?.block_on(work) {
        Err(error) if error.is_broken_pipe() => Ok(ExitCode::SUCCESS),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_shows_the_name_it_was_called_by() {
        let help = |program| {
            let mut command = clap(program);
            let error =
                command.try_get_matches_from_mut([program, "status", "--help"]).unwrap_err();
            error.to_string()
        };
        assert!(help("/usr/bin/polder").contains("Usage: polder status"));
        let plugin = help("/usr/local/bin/kubectl-polder");
        assert!(plugin.contains("Usage: kubectl polder status"), "{plugin}");
    }
}
