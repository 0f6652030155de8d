//! The pod of a Spark job: its driver.

use k8s_openapi::api::core::v1::{PodSpec, VolumeMount};

use super::{Context, Target, config::SQL_KEY};
use crate::{
    api::batch_job::{SparkJob, SparkMain},
    build::{
        labels::Map,
        pods,
        spark::{
            catalogs::SecretProperty, driver::Driver, executors::CONFIG_DIR, rotation::Watched,
            runtime,
        },
    },
    kinds::common::cluster,
};

/// Role of driver pods in labels.
pub(in super::super) const COMPONENT: &str = "driver";
/// Where the user's `ConfigMap` with the main file appears.
const MAIN_DIR: &str = "/etc/polder/main";
/// Spark's own program for files with SQL statements.
const SQL_CLASS: &str = "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver";

/// Labels that the pod needs beside its identity, and the pod.
pub(super) fn pod(context: Context<'_>, target: Target<'_>, spark: &SparkJob) -> (Map, PodSpec) {
    let resolved = context.resolved;
    let domain = resolved.domain.domain.as_deref();
    let driver = Driver {
        runtime: &resolved.runtime,
        config_map: target.config.to_owned(),
        resources: &spark.driver.resources,
        pool: domain
            .and_then(|domain| runtime::node_pool(domain, spark.driver.node_pool.as_deref())),
        priority_class: spark.driver.priority_class.as_deref(),
        makes_pods: spark.executors.is_some(),
        secrets: secrets(context),
        watched: Watched::default(),
        submit: submit(spark),
        scratch: Some(pods::empty_dir("scratch")),
    };
    let mut pod = driver.pod();
    if let Some(main) = &spark.main.config_map {
        let mount = VolumeMount { read_only: Some(true), ..pods::mount_at("main", MAIN_DIR) };
        for container in &mut pod.containers {
            container.volume_mounts.get_or_insert_default().push(mount.clone());
        }
        pod.volumes.get_or_insert_default().push(pods::config_map_volume("main", &main.name));
    }
    (driver.labels(), pod)
}

/// Properties from Secrets that the driver alone has.
pub(super) fn secrets(context: Context<'_>) -> Vec<SecretProperty> {
    let cluster = context.resolved.cluster.as_ref();
    let cluster = cluster.and_then(|context| context.cluster.as_deref());
    cluster.map(cluster::secret).into_iter().collect()
}

/// Whether Python runs beside the JVM.
pub(super) fn runs_python(main: &SparkMain) -> bool {
    let is_script = |key: &str| std::path::Path::new(key).extension().is_some_and(|e| e == "py");
    main.python.is_some() || main.config_map.as_ref().is_some_and(|main| is_script(&main.key))
}

/// Arguments of `spark-submit` after the properties.
fn submit(spark: &SparkJob) -> Vec<String> {
    let main = &spark.main;
    let sql = |file: &str| {
        ["--class", SQL_CLASS, "spark-internal", "-f", file].map(str::to_owned).to_vec()
    };
    let mut arguments = if let Some(file) = &main.python {
        vec![file.clone()]
    } else if let Some(jar) = &main.jar {
        vec!["--class".to_owned(), main.class.clone().unwrap_or_default(), jar.clone()]
    } else if let Some(map) = &main.config_map {
        let file = format!("{MAIN_DIR}/{}", map.key);
        if runs_python(main) { vec![file] } else { sql(&file) }
    } else {
        sql(&format!("{CONFIG_DIR}/{SQL_KEY}"))
    };
    arguments.extend(spark.args.iter().cloned());
    arguments
}
