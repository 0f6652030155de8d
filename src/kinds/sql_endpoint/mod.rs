//! `SqlEndpoint`: one driver that serves JDBC (Thrift) and Spark Connect.

mod children;
mod plan;
mod resolve;
mod room;
mod status;
mod validate;

use std::sync::Arc;

use crate::{
    api::{SqlEndpoint, SqlEndpointStatus, conditions},
    build::{names, spark::SparkImages},
    engine::{Kind, Plan, Problem, Report, View},
};

pub use resolve::Resolved;

/// Port of HiveServer2's Thrift protocol: JDBC, ODBC, beeline.
const THRIFT_PORT: i32 = 10000;
/// Port of Spark Connect.
const CONNECT_PORT: i32 = 15002;
/// Role of the driver in labels.
const COMPONENT: &str = "driver";

/// The kind.
pub struct SqlEndpointKind {
    /// Which image serves which Spark version.
    pub images: Arc<SparkImages>,
}

impl Kind for SqlEndpointKind {
    type Root = SqlEndpoint;
    type Resolved = Resolved;
    type Status = SqlEndpointStatus;

    const NAME: &'static str = "sql-endpoint";

    /// The domain counts what is ready.
    fn face(root: &SqlEndpoint) -> Option<String> {
        root.status.as_ref().map(|status| conditions::flags(&status.conditions))
    }

    fn resolve(&self, root: &SqlEndpoint, view: &View<'_>) -> Resolved {
        Resolved::new(root, view, &self.images)
    }

    fn validate(&self, root: &SqlEndpoint, resolved: &Resolved) -> Vec<Problem> {
        validate::problems(root, resolved, &self.images)
    }

    fn plan(&self, root: &SqlEndpoint, resolved: &Resolved) -> Plan {
        plan::plan(root, resolved)
    }

    fn status(
        &self,
        root: &SqlEndpoint,
        resolved: &Resolved,
        report: &Report,
    ) -> SqlEndpointStatus {
        status::status(root, resolved, report)
    }
}

/// Name of the endpoint's stateful set and service.
pub(in crate::kinds) fn service_name(endpoint: &str) -> String {
    names::child(endpoint, "sql", names::SET_LIMIT)
}

/// Name of the endpoint's ConfigMap.
fn config_name(endpoint: &str) -> String {
    names::child(endpoint, "sql-config", names::LABEL_LIMIT)
}
