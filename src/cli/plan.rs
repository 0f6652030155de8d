//! `polder plan`: what manifests become, before anybody applies them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    lint::told,
    manifests::{self, Manifests},
    show::note,
};
use crate::offline::plan::{self, Planned};

/// What to plan, and how to show it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: Manifests,
    /// How to show what is planned.
    #[arg(short, long, value_enum, default_value_t = Output::Yaml)]
    output: Output,
}

/// How plans are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// The children as YAML documents, under a comment with whose they are.
    Yaml,
    /// One JSON document: objects, and the children of each.
    Json,
}

/// Why nothing could be planned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifests cannot be taken in.
    #[error(transparent)]
    Manifests(#[from] manifests::Error),
    /// An object does not serialise: a bug.
    #[error(transparent)]
    Yaml(#[from] serde_yaml::Error),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let set = arguments.manifests.set()?;
    let (planned, findings) = plan::plan(&set);
    let text = match arguments.output {
        Output::Yaml => yaml(&planned)?,
        Output::Json => format!("{:#}\n", json!({"objects": planned})),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    if !findings.is_empty() {
        note(&told(&findings));
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn yaml(planned: &[Planned]) -> Result<String, serde_yaml::Error> {
    let documents = planned.iter().flat_map(|it| it.children.iter().map(move |child| (it, child)));
    documents
        .map(|(Planned { object, place, .. }, child)| {
            let child = serde_yaml::to_string(child)?;
            Ok(format!("---\n# {object} ({}:{})\n{child}", place.file, place.line))
        })
        .collect()
}
