//! `polder diff`: what applying manifests would change in a cluster, and which pods would restart.
//!
//! Both sides are planned by the operator's own code from what the cluster holds: once as it is, and
//! once with the manifests in it. So what the API server adds is in neither, and a change of a Domain
//! shows in all its workloads, also in those that are not among the files. What this version would
//! change without the files, since another one made it, is told apart from that.

mod compare;
mod live;
mod running;
mod text;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use self::{compare::compare, live::Live, running::Running};
use super::{
    cluster::{Connection, waiting},
    error,
    lint::told,
    manifests::{self, Manifests},
    show::note,
};
use crate::offline::{cel, manifest, world};

/// What to compare, and how to show it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: Manifests,
    /// How to show differences.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// How differences are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifests cannot be taken in.
    #[error(transparent)]
    Manifests(#[from] manifests::Error),
    /// A bug.
    #[error(transparent)]
    World(#[from] world::Error),
    /// A bug.
    #[error(transparent)]
    Rules(#[from] cel::Twice),
    /// There are mistakes in the manifests.
    #[error("the manifests are not right; mend them first:\n{0}")]
    Wrong(String),
    /// The cluster cannot be asked.
    #[error(transparent)]
    Cluster(#[from] error::Error),
    /// Without the Domain nothing is known of its workloads.
    #[error(
        "you may not read the Domain of namespace {0}, and it is not among the files: give its file too (-f)"
    )]
    NoDomain(String),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let set = arguments.manifests.set()?;
    if !set.findings.is_empty() {
        return Err(Error::Wrong(told(&set.findings)));
    }
    let homes: BTreeSet<&str> = set.manifests.iter().filter_map(|it| it.home()).collect();
    let homes: Vec<String> = homes.into_iter().map(str::to_owned).collect();
    let wanted: Vec<Value> = set.manifests.iter().map(manifest::Manifest::value).collect();
    let cluster = arguments.connection.connect().await?;
    let (live, running) = waiting("reading what the cluster holds", async {
        tokio::join!(Live::read(&cluster, &homes, &wanted), Running::find(&cluster))
    })
    .await;
    let live = live?;
    for unread in &live.unread {
        note(&format!("you may not list {unread}: what depends on it may be told wrong"));
    }
    if let Some(warning) = running.warning() {
        note(&warning);
    }
    let installation = running.installation(arguments.manifests.installation());
    let found = compare(installation, &live, &wanted)?;
    let shown = match arguments.output {
        Output::Text => text::text(&found),
        Output::Json => format!(
            "{:#}\n",
            json!({
                "versions": {"cluster": running.version, "here": running::HERE},
                "withoutFiles": found.without_files,
                "differences": found.by_files,
            })
        ),
    };
    io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(if found.by_files.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
