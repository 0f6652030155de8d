//! The four kinds, and one of them as the API server has it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::{GROUP, conditions},
    engine::{Kind, ResourceType},
    kinds::{
        batch_job::BatchJobKind, domain::DomainKind, spark_cluster::SparkClusterKind,
        sql_endpoint::SqlEndpointKind,
    },
};

/// The four kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum RootKind {
    Domain,
    SparkCluster,
    SqlEndpoint,
    BatchJob,
}

impl RootKind {
    pub(in super::super) const ALL: [Self; 4] =
        [Self::Domain, Self::SparkCluster, Self::SqlEndpoint, Self::BatchJob];
    /// Those that live in a domain.
    pub(in super::super) const WORKLOADS: [Self; 3] =
        [Self::SparkCluster, Self::SqlEndpoint, Self::BatchJob];

    pub(in super::super) fn resource(self) -> ResourceType {
        let (kind, plural) = match self {
            Self::Domain => ("Domain", "domains"),
            Self::SparkCluster => ("SparkCluster", "sparkclusters"),
            Self::SqlEndpoint => ("SqlEndpoint", "sqlendpoints"),
            Self::BatchJob => ("BatchJob", "batchjobs"),
        };
        let namespaced = self != Self::Domain;
        ResourceType { group: GROUP, version: "v1alpha1", kind, plural, namespaced }
    }

    /// Value of the label `app.kubernetes.io/name` of its children.
    pub(in super::super) fn label(self) -> &'static str {
        match self {
            Self::Domain => DomainKind::NAME,
            Self::SparkCluster => SparkClusterKind::NAME,
            Self::SqlEndpoint => SqlEndpointKind::NAME,
            Self::BatchJob => BatchJobKind::NAME,
        }
    }

    pub(in super::super) fn short(self) -> &'static str {
        match self {
            Self::Domain => "dom",
            Self::SparkCluster => "spc",
            Self::SqlEndpoint => "sql",
            Self::BatchJob => "bjob",
        }
    }

    /// As people write it.
    pub(in super::super) fn word(self) -> String {
        self.resource().kind.to_lowercase()
    }

    /// As kubectl takes it: kind, plural or short name, with or without the group.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let word = word.strip_suffix(".polder.dev").unwrap_or(&word);
        Self::ALL.into_iter().find(|kind| {
            let resource = kind.resource();
            word == resource.plural || word == kind.short() || word == kind.word()
        })
    }
}

/// An object such as `bjob/load` with its namespace, if it is in one, as commands take it.
pub(in super::super) fn called(object: &str, namespace: &str) -> String {
    if namespace.is_empty() { object.to_owned() } else { format!("{object} -n {namespace}") }
}

/// One of ours, as the API server has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Object {
    pub(in super::super) metadata: ObjectMeta,
    #[serde(default)]
    pub(in super::super) spec: Value,
    #[serde(default)]
    pub(in super::super) status: Value,
}

impl Object {
    pub(in super::super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(in super::super) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// As commands take it: `bjob/load -n sales`.
    pub(in super::super) fn called(&self, kind: RootKind) -> String {
        called(&format!("{}/{}", kind.short(), self.name()), self.namespace())
    }

    pub(in super::super) fn conditions(&self) -> Vec<Condition> {
        let conditions = self.status.get("conditions").cloned().unwrap_or_default();
        serde_json::from_value(conditions).unwrap_or_default()
    }

    pub(in super::super) fn condition(&self, type_: &str) -> Option<Condition> {
        self.conditions().into_iter().find(|condition| condition.type_ == type_)
    }

    /// Whether its status speaks of its newest spec.
    pub(in super::super) fn is_current(&self) -> bool {
        self.status.get("observedGeneration").and_then(Value::as_i64) == self.metadata.generation
    }

    pub(in super::super) fn is_ready(&self) -> bool {
        self.is_true(conditions::READY)
    }

    /// Nothing happens until somebody acts.
    pub(in super::super) fn is_stalled(&self) -> bool {
        self.is_true(conditions::STALLED)
    }

    pub(in super::super) fn is_suspended(&self) -> bool {
        self.spec.get("suspend").and_then(Value::as_bool).unwrap_or(false)
    }

    fn is_true(&self, type_: &str) -> bool {
        self.is_current() && self.condition(type_).is_some_and(|it| it.status == "True")
    }

    /// A text in it, by JSON pointer into its status.
    pub(in super::super) fn status_text(&self, pointer: &str) -> Option<&str> {
        self.status.pointer(pointer).and_then(Value::as_str)
    }
}
