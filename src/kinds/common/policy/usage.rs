//! What a workload asks for, with the fields where it does.

use crate::api::{
    SparkConf,
    batch_job::{BatchJobSpec, JobExecutors},
    common::{ExecutorPods, PodVolume, SparkRuntime},
    spark_cluster::SparkClusterSpec,
    sql_endpoint::SqlEndpointSpec,
};

/// What a workload asks for that a domain may restrict. Node pools are looked at where they are
/// resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Images that the workload names itself, by field.
    pub images: Vec<(String, String)>,
    /// Storage classes of its volumes, by field.
    pub classes: Vec<(String, Option<String>)>,
    /// Priority classes of its pods, by field.
    pub priority_classes: Vec<(String, String)>,
    /// Numbers of executors or workers, by field.
    pub counts: Vec<(String, i64)>,
    /// Spark properties, by field.
    pub confs: Vec<(String, SparkConf)>,
}

impl From<&BatchJobSpec> for Usage {
    fn from(spec: &BatchJobSpec) -> Self {
        let mut usage = Self::default();
        if let Some(spark) = &spec.spark {
            usage.runtime("spec.spark", &spark.runtime);
            usage.priority("spec.spark.driver", spark.driver.priority_class.as_ref());
            if let Some(executors) = &spark.executors {
                usage.executors("spec.spark.executors", &executors.pods);
                usage.counts.extend(count(executors));
            }
        }
        if let Some(container) = &spec.container {
            usage.images.push(("spec.container.image".to_owned(), container.image.clone()));
            usage.priority("spec.container", container.priority_class.as_ref());
        }
        usage
    }
}

impl From<&SparkClusterSpec> for Usage {
    fn from(spec: &SparkClusterSpec) -> Self {
        let mut usage = Self::default();
        usage.runtime("spec", &spec.runtime);
        usage.priority("spec.master", spec.master.priority_class.as_ref());
        usage
            .classes
            .push(("spec.master.storage.class".to_owned(), spec.master.storage.class.clone()));
        for pool in &spec.workers {
            let path = format!("spec.workers[{}]", pool.name);
            usage.priority(&path, pool.priority_class.as_ref());
            usage.volumes(&path, &pool.volumes);
        }
        let workers = spec.workers.iter().map(|pool| i64::from(pool.replicas)).sum();
        usage.counts.push(("spec.workers".to_owned(), workers));
        usage
    }
}

impl From<&SqlEndpointSpec> for Usage {
    fn from(spec: &SqlEndpointSpec) -> Self {
        let mut usage = Self::default();
        usage.runtime("spec", &spec.runtime);
        usage.priority("spec.driver", spec.driver.priority_class.as_ref());
        if let Some(executors) = &spec.executors {
            usage.executors("spec.executors", &executors.pods);
            usage.counts.push(("spec.executors.max".to_owned(), executors.max.into()));
        }
        usage
    }
}

impl Usage {
    fn runtime(&mut self, path: &str, runtime: &SparkRuntime) {
        let image = runtime.image.iter().map(|image| (format!("{path}.image"), image.clone()));
        self.images.extend(image);
        self.confs.push((format!("{path}.sparkConf"), runtime.spark_conf.clone()));
    }

    fn priority(&mut self, path: &str, class: Option<&String>) {
        let class = class.map(|class| (format!("{path}.priorityClass"), class.clone()));
        self.priority_classes.extend(class);
    }

    fn executors(&mut self, path: &str, executors: &ExecutorPods) {
        self.priority(path, executors.priority_class.as_ref());
        self.volumes(path, &executors.volumes);
    }

    fn volumes(&mut self, path: &str, volumes: &[PodVolume]) {
        let classes = volumes
            .iter()
            .map(|volume| (format!("{path}.volumes[{}].class", volume.name), volume.class.clone()));
        self.classes.extend(classes);
    }
}

fn count(executors: &JobExecutors) -> Option<(String, i64)> {
    let at = |field: &str, count: i32| (format!("spec.spark.executors.{field}"), count.into());
    executors
        .instances
        .map(|count| at("instances", count))
        .or_else(|| executors.dynamic.as_ref().map(|dynamic| at("dynamic.max", dynamic.max)))
}
