//! Which manifests a command works on, and for which installation of Polder.

use std::path::PathBuf;

use clap::{Arg, Args};

use super::operator::version_and_image;
use crate::{
    build::spark::SparkImages,
    kinds::domain::OperatorIdentity,
    offline::{
        lint::{self, Set},
        manifest,
    },
    operator::Installation,
};

/// Manifests, and what the operator would know that they do not say.
#[derive(Debug, Args)]
#[command(arg(no_bare_path()))]
pub(super) struct Manifests {
    /// File, folder (with all folders below it), or - for standard input; may be given several
    /// times.
    #[arg(short, long, required = true, value_name = "PATH")]
    filename: Vec<PathBuf>,
    /// Namespace of workloads that name none. Default: that of the only Domain among the files.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Image of a Spark version, as the operator is given it; may be given
    /// several times. Default: every version is taken for known.
    #[arg(long, value_name = "VERSION=IMAGE", value_parser = version_and_image)]
    pub(super) spark_image: Vec<(String, String)>,
    /// Spark version of workloads that name none.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "VERSION")]
    spark_default_version: String,
    /// Namespace whose service accounts may be members of any domain, as the operator is given it;
    /// may be given several times.
    #[arg(long, value_name = "NAME")]
    member_account_namespace: Vec<String>,
}

/// Those who come from other checkers are told how paths are given.
fn no_bare_path() -> Arg {
    let refuse =
        |path: &str| Err::<String, _>(format!("files and folders are given with -f: -f {path}"));
    Arg::new("path").value_name("PATH").hide(true).value_parser(refuse)
}

/// Why manifests could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They cannot be read.
    #[error(transparent)]
    Read(#[from] manifest::Error),
    /// A bug.
    #[error(transparent)]
    Judge(#[from] lint::Error),
}

impl Manifests {
    /// Reads them all, those that are wrong too.
    pub(super) fn set(&self) -> Result<Set, Error> {
        let input = manifest::read(&self.filename)?;
        Ok(Set::new(input, self.namespace.as_deref(), self.installation())?)
    }

    pub(super) fn installation(&self) -> Installation {
        Installation {
            operator: OperatorIdentity {
                account_namespaces: self.member_account_namespace.clone(),
                ..OperatorIdentity::default()
            },
            images: SparkImages {
                default_version: self.spark_default_version.clone(),
                images: self.spark_image.iter().cloned().collect(),
            },
        }
    }
}
