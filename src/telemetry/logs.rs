//! Logs: one line per event, for people or as JSON.

use std::str::FromStr;

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One readable line.
    #[default]
    Human,
    /// One JSON object, with the fields of the enclosing reconcile.
    Json,
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "human" | "text" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            other => Err(Error::Format(other.to_owned())),
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a format.
    #[error("log format {0:?} is unknown: use human or json")]
    Format(String),
    /// Not a filter.
    #[error(
        "log level {filter:?} is not valid: use error, warn, info, debug, trace, or a filter such as info,polder=debug"
    )]
    Filter {
        /// What was asked for.
        filter: String,
        /// What the parser says.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// A subscriber is already installed.
    #[error("logging is already set up: {0}")]
    Installed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Sends logs to standard error. `filter` is a level or an env-filter directive.
pub fn init(filter: &str, format: Format) -> Result<(), Error> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| Error::Filter { filter: filter.to_owned(), source })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    match format {
        Format::Human => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    }
    .map_err(Error::Installed)
}
