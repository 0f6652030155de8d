//! Why a command has no answer, in words for the person who gave it.

use std::io;

/// What keeps a command from its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Threads are not to be had.
    #[error("cannot start threads: {0}")]
    Threads(#[source] io::Error),
    /// No cluster is known.
    #[error("no cluster is known: {0}; set KUBECONFIG, or give --kubeconfig or --context")]
    Kubeconfig(String),
    /// The kubeconfig asks for what is not there, such as a program that gets credentials.
    #[error(
        "the kubeconfig cannot be used: {0}; install the programs that it names, or give --context"
    )]
    Credentials(String),
    /// Nobody answers.
    #[error(
        "cannot reach the API server at {server}: {why}; is the cluster up, and is it the right context?"
    )]
    Unreachable {
        /// Where it should be.
        server: String,
        /// What happened.
        why: String,
    },
    /// The API server does not know who asks.
    #[error("the API server does not accept your credentials ({0}); log in again")]
    Unauthorized(String),
    /// Not for whoever asks.
    #[error(
        "not allowed: {0}; ask an Admin of the domain, or see what you may do: `kubectl auth can-i --list -n NAMESPACE`"
    )]
    Forbidden(String),
    /// The API server has no such type.
    #[error(
        "the cluster knows no {0}: Polder is not installed there, or in another version; install its chart, or give --context"
    )]
    NotInstalled(String),
    /// The API server has no such type, which is none of ours.
    #[error("the cluster knows no {0}")]
    NotServed(String),
    /// There is no such object.
    #[error("there is no {what}; {hint}")]
    NotFound {
        /// Kind, name and namespace.
        what: String,
        /// What may have been meant.
        hint: String,
    },
    /// Several objects have the name.
    #[error("{name} may be {}; say which", .candidates.join(" or "))]
    Ambiguous {
        /// As it was given.
        name: String,
        /// As it should be.
        candidates: Vec<String>,
    },
    /// The API server refused, or failed.
    #[error("the API server refused: {0}")]
    Refused(String),
    /// The command cannot be as it was given.
    #[error("{0}")]
    Usage(String),
    /// A program or a file of this machine.
    #[error("{what}: {source}")]
    Local {
        /// What failed.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    /// It does not serialise: a bug.
    #[error("cannot print: {0}")]
    Json(#[from] serde_json::Error),
    /// It does not serialise: a bug.
    #[error("cannot print: {0}")]
    Yaml(#[from] serde_yaml::Error),
}

impl Error {
    /// Whoever read the output has enough of it, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(super) fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Local { what, source }
    }
}

/// An error and what it comes from, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    one_line(&text)
}

/// What lies under an error, on one line.
pub(super) fn root(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    one_line(&root.to_string())
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
