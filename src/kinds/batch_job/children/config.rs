//! The configuration of a Spark job.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{Context, driver};
use crate::{
    api::batch_job::{Dependencies, SparkJob},
    build::{
        labels::Map,
        spark::{
            Conf,
            conf::{conf, render},
            driver as spark_driver,
            executors::{self, Count, TEMPLATE_KEY},
            logs,
            rotation::Watched,
            runtime,
        },
    },
    kinds::common::cluster,
};

/// Key of inline SQL statements.
pub(super) const SQL_KEY: &str = "main.sql";
/// Seconds after which an idle executor of a job goes, as in Spark itself.
/// Source: `spark.dynamicAllocation.executorIdleTimeout`
const IDLE_SECONDS: i64 = 60;

/// What the `ConfigMap` of a Spark job holds.
pub(in super::super) fn data(context: Context<'_>, spark: &SparkJob, app_name: &str) -> Map {
    // A run is not disturbed by a rotated Secret.
    let no_watch = Watched::default();
    let runtime = &context.resolved.runtime;
    let mut data = vec![
        ("spark.conf", render(&spark_conf(context, spark, app_name))),
        ("launch.sh", spark_driver::launch(runtime, &driver::secrets(context), &no_watch)),
        (logs::LOG4J2_KEY, logs::log4j2(&runtime.logs, context.identity)),
    ];
    if let Some(executors) = &spark.executors {
        let domain = context.resolved.domain.domain.as_deref();
        let pool = domain
            .and_then(|domain| runtime::node_pool(domain, executors.pods.node_pool.as_deref()));
        let priority_class = executors.pods.priority_class.as_deref();
        let template = executors::pod_template(context.identity, runtime, pool, priority_class);
        data.push((TEMPLATE_KEY, template));
    }
    if let Some(sql) = &spark.main.sql {
        data.push((SQL_KEY, sql.clone()));
    }
    data.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The `ConfigMap`.
pub(in super::super) fn config_map(context: Context<'_>, name: &str, data: Map) -> ConfigMap {
    ConfigMap {
        metadata: context.identity.meta(name, "config"),
        data: Some(data),
        ..Default::default()
    }
}

/// All properties; what Polder computes goes over what users set.
fn spark_conf(context: Context<'_>, spark: &SparkJob, app_name: &str) -> Conf {
    let runtime = &context.resolved.runtime;
    let with_python = driver::runs_python(&spark.main);
    let mut all = conf([("spark.app.name", app_name.to_owned())]);
    all.extend(runtime.conf.clone());
    if let Some(dependencies) = &spark.dependencies {
        add_dependencies(&mut all, dependencies);
    }
    all.extend(spark_driver::driver_conf(&spark.driver.resources, with_python));
    if let Some(executors) = &spark.executors {
        let count = match &executors.dynamic {
            Some(dynamic) => {
                Count::Dynamic { min: dynamic.min, max: dynamic.max, idle_seconds: IDLE_SECONDS }
            }
            None => Count::Fixed(executors.instances.unwrap_or(1)),
        };
        let identity = context.identity;
        all.extend(executors::pod_conf(identity, runtime, &executors.pods, count, with_python));
    }
    let cluster = context.resolved.cluster.as_ref().and_then(|context| context.cluster.as_deref());
    if let (Some(reference), Some(cluster)) = (&spark.cluster_ref, cluster) {
        all.extend(cluster::conf(cluster, reference));
    }
    all
}

/// Adds to what the user's own properties may list already.
fn add_dependencies(all: &mut Conf, dependencies: &Dependencies) {
    for (key, more) in [
        ("spark.jars", &dependencies.jars),
        ("spark.submit.pyFiles", &dependencies.py_files),
        ("spark.files", &dependencies.files),
    ] {
        if more.is_empty() {
            continue;
        }
        let more = more.join(",");
        all.entry(key.to_owned())
            .and_modify(|listed| *listed = format!("{listed},{more}"))
            .or_insert(more);
    }
}
