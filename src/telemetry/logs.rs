//! Logs: one line per event, for people or as JSON.

use std::{io, str::FromStr};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

use super::Traces;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One readable line.
    #[default]
    Human,
    /// One JSON object, with the fields of the enclosing reconcile beside its own.
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

/// The level of a running process, to be looked at and changed.
#[derive(Clone)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// The filter in force.
    pub fn get(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }

    /// Changes it. Until the process ends: the next one starts with what it is told.
    pub fn set(&self, filter: &str) -> Result<(), Error> {
        self.0.reload(parse(filter)?).map_err(|error| Error::Installed(Box::new(error)))
    }
}

fn parse(filter: &str) -> Result<EnvFilter, Error> {
    EnvFilter::try_new(filter).map_err(|source| Error::Filter { filter: filter.to_owned(), source })
}

/// Sends logs to standard error, panics too. `filter` is a level or an env-filter directive.
pub fn init(filter: &str, format: Format) -> Result<LogLevel, Error> {
    init_with_traces(filter, format, None)
}

/// The same, and sends traces too.
pub fn init_with_traces(
    filter: &str,
    format: Format,
    traces: Option<&Traces>,
) -> Result<LogLevel, Error> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let lines = match format {
        Format::Human => fmt::layer().with_writer(io::stderr).boxed(),
        Format::Json => json_subscriber::layer()
            .with_writer(io::stderr)
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .flatten_span_list_on_top_level(true)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer))
        .try_init()
        .map_err(|error| Error::Installed(Box::new(error)))?;
    // A plain text among JSON lines helps nobody, and does not say whose reconcile it was.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok(LogLevel(handle))
}
