//! `Domain`: a namespace with its quota, network isolation, accounts, catalogs and access.
//!
//! The order of its children is the order of trust: the namespace, what lets the operator work in
//! it, what bounds it, what workloads need, and only then who may use it. Nobody but the operator
//! can start anything in the namespace before its bounds are in force.

mod blocked;
mod children;
mod finalize;
mod plan;
mod quotas;
mod resolve;
mod scope;
mod status;
mod text;
mod validate;
pub mod workloads;

#[cfg(test)]
mod tests;

pub use resolve::Resolved;

use std::sync::Arc;

use crate::{
    api::{Domain, DomainStatus, conditions},
    build::{labels::Map, spark::SparkImages},
    engine::{Finalize, Kind, Plan, Problem, Report, View},
};

/// Name of the ConfigMap with the domain's Spark configuration, key [`SPARK_DEFAULTS`].
pub const SPARK_CONFIG_MAP: &str = "polder-spark";
/// Key of [`SPARK_CONFIG_MAP`]: the domain's tuning and catalogs, in Spark's properties format.
pub const SPARK_DEFAULTS: &str = "spark-defaults.conf";

/// How the operator is installed: what a Domain has to know to let it work in the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorIdentity {
    /// Namespace the operator runs in. No Domain may take it.
    pub namespace: String,
    /// Its service account there.
    pub service_account: String,
    /// Prefix of the ClusterRoles that the chart ships: Helm's full name of the release.
    pub release_name: String,
    /// Where the API server is to be found, for network policies.
    pub api_server: ApiServer,
    /// Namespaces whose service accounts may be members of any domain; a domain's own always may.
    pub account_namespaces: Vec<String>,
    /// Namespace of Argo CD, where the Applications of domains are made.
    pub argocd_namespace: String,
    /// Who measures workloads.
    pub prometheus: Prometheus,
}

/// Who scrapes the workloads of domains that are monitored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// Its namespace, which network policies let in.
    pub namespace: String,
    /// Labels that it selects PodMonitors by.
    pub labels: Map,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self { namespace: "monitoring".to_owned(), labels: Map::new() }
    }
}

/// As the chart installs it, unless told otherwise.
impl Default for OperatorIdentity {
    fn default() -> Self {
        Self {
            namespace: "polder-system".to_owned(),
            service_account: "polder".to_owned(),
            release_name: "polder".to_owned(),
            api_server: ApiServer::default(),
            account_namespaces: Vec::new(),
            argocd_namespace: "argocd".to_owned(),
            prometheus: Prometheus::default(),
        }
    }
}

/// Where pods reach the API server.
///
/// Its addresses cannot be selected in a NetworkPolicy like pods, and most policy engines look at
/// the address behind the Service `kubernetes`. So without addresses given at installation, the
/// pods that need the API server may open connections to these ports anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiServer {
    /// Ranges of addresses. Empty: anywhere.
    pub cidrs: Vec<String>,
    /// TCP ports.
    pub ports: Vec<i32>,
}

impl Default for ApiServer {
    fn default() -> Self {
        Self { cidrs: Vec::new(), ports: vec![443, 6443] }
    }
}

/// The kind `Domain`.
#[derive(Clone, Debug)]
pub struct DomainKind {
    /// How the operator is installed.
    pub operator: OperatorIdentity,
    /// Which image serves which Spark version: these a domain always allows.
    pub images: Arc<SparkImages>,
}

impl Kind for DomainKind {
    type Root = Domain;
    type Resolved = Resolved;
    type Status = DomainStatus;

    const NAME: &'static str = "domain";
    const FINALIZER: Option<&'static str> = Some("polder.dev/domain");

    /// Its workloads live there.
    fn home(root: &Domain) -> Option<String> {
        Some(root.namespace_name())
    }

    /// Workloads look at its conditions, not at how many of them it counts.
    fn face(root: &Domain) -> Option<String> {
        root.status.as_ref().map(|status| conditions::flags(&status.conditions))
    }

    fn resolve(&self, root: &Domain, view: &View<'_>) -> Resolved {
        resolve::resolve(root, view, &self.images, &self.operator)
    }

    fn validate(&self, root: &Domain, resolved: &Resolved) -> Vec<Problem> {
        validate::validate(root, resolved, &self.operator)
    }

    fn plan(&self, root: &Domain, resolved: &Resolved) -> Plan {
        plan::plan(root, resolved, &self.operator)
    }

    fn status(&self, root: &Domain, resolved: &Resolved, report: &Report) -> DomainStatus {
        status::status(root, resolved, report)
    }

    fn finalize(&self, root: &Domain, resolved: &Resolved) -> Finalize {
        finalize::finalize(root, resolved)
    }
}
