//! What went wrong, in words for whoever runs the bench.

use std::fmt;

pub type Result<T> = std::result::Result<T, Failure>;

/// Why the bench ended early.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

macro_rules! from {
    ($($error:ty => $what:literal),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(format!(concat!($what, ": {}"), error))
            }
        })*
    };
}

from! {
    std::io::Error => "input or output",
    kube::Error => "the API server",
    kube::config::KubeconfigError => "the cluster's kubeconfig",
    polder::engine::EngineError => "the client",
    serde_json::Error => "JSON",
    serde_yaml::Error => "YAML",
    http::Error => "a request",
}
