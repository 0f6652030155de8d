//! The domain's Spark configuration, without secrets: for people, notebooks and containers that
//! start Spark themselves. Polder's own workloads are given the same settings directly.

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{
    api::{Domain, common::SparkRuntime},
    build::spark::{Runtime, conf::render},
};

use super::super::{SPARK_CONFIG_MAP, SPARK_DEFAULTS, scope::Scope};

/// The ConfigMap with the domain's tuning and catalogs.
pub fn config(scope: &Scope<'_>, domain: &Domain) -> ConfigMap {
    let runtime = Runtime::new(domain, &SparkRuntime::default(), String::new());
    ConfigMap {
        metadata: scope.identity().meta(SPARK_CONFIG_MAP, "spark"),
        data: Some([(SPARK_DEFAULTS.to_owned(), render(&runtime.conf))].into()),
        ..ConfigMap::default()
    }
}
