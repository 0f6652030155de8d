//! The domain's Spark configuration, without secrets: for people, notebooks and containers that
//! start Spark themselves. Polder's own workloads are given the same settings directly.

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{
    api::{Domain, common::SparkRuntime, domain::ComputeSpec},
    build::spark::{Runtime, conf::render},
};

use super::super::{SPARK_CONFIG_MAP, SPARK_DEFAULTS, scope::Scope};

/// The ConfigMap with the domain's tuning and catalogs; none where it has neither.
pub fn config(scope: &Scope<'_>, domain: &Domain) -> Option<ConfigMap> {
    let is_tuned = |compute: &ComputeSpec| !compute.spark_conf.0.is_empty();
    if scope.spec.catalogs.is_empty() && !scope.spec.compute.as_ref().is_some_and(is_tuned) {
        return None;
    }
    let runtime = Runtime::new(domain, &SparkRuntime::default(), String::new());
    Some(ConfigMap {
        metadata: scope.identity().meta(SPARK_CONFIG_MAP, "spark"),
        data: Some([(SPARK_DEFAULTS.to_owned(), render(&runtime.conf))].into()),
        ..ConfigMap::default()
    })
}
