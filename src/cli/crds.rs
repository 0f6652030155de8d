//! `polder crds`: the CustomResourceDefinitions, and their schemas for other tools.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::{api::crds, offline::json_schema};

/// Where the CRDs go.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write one file for each CRD into this folder instead of printing them all.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Crd)]
    format: Format,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// CustomResourceDefinitions, as YAML.
    Crd,
    /// JSON schemas, in files named as kubeconform asks for them; editors take them too.
    JsonSchema,
}

/// Why the CRDs could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// They do not serialise: a bug.
    #[error(transparent)]
    Yaml(#[from] serde_yaml::Error),
    /// They do not serialise: a bug.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let files = match arguments.format {
        Format::Crd => definitions()?,
        Format::JsonSchema => schemas()?,
    };
    let Some(directory) = &arguments.directory else {
        let mut output = io::stdout().lock();
        for (_, text) in files {
            output.write_all(text.as_bytes())?;
        }
        return Ok(());
    };
    fs::create_dir_all(directory)?;
    for (name, text) in files {
        fs::write(directory.join(name), text.trim_start_matches("---\n"))?;
    }
    Ok(())
}

fn definitions() -> Result<Vec<(String, String)>, Error> {
    let file = |crd: CustomResourceDefinition| {
        let yaml = serde_yaml::to_string(&crd)?;
        let name = crd.metadata.name.unwrap_or_default();
        Ok((format!("{name}.yaml"), format!("---\n{yaml}")))
    };
    crds::all().into_iter().map(file).collect()
}

fn schemas() -> Result<Vec<(String, String)>, Error> {
    let file =
        |(name, schema): (String, Value)| Ok((name, serde_json::to_string_pretty(&schema)? + "\n"));
    json_schema::all().into_iter().map(file).collect()
}
