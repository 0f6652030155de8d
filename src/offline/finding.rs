//! What is wrong, and where.

use std::fmt;

use serde::Serialize;

/// Where a document stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file as it was named, or `-`.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Document in the file, from 1.
    pub document: usize,
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name {
    /// Its kind.
    pub kind: String,
    /// Its namespace; `None` for those of the cluster, or if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Of which object, if that much is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Name>,
    /// Which field, such as `spec.workers[0].nodePool`; empty if it is the document.
    pub field: String,
    /// Which rule, CamelCase and stable. What the operator finds has the reason that it has in
    /// conditions.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// What a person reads behind the place: the object, the field, and what to do.
    pub fn text(&self) -> String {
        let object = self.object.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let field = if self.field.is_empty() { String::new() } else { format!("{}: ", self.field) };
        format!("{object}{field}{}", self.message)
    }
}
