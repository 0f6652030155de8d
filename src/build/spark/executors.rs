//! Executors: as pods that Spark makes, or on a SparkCluster.
//!
//! Source: <https://spark.apache.org/docs/latest/running-on-kubernetes.html>

use k8s_openapi::{
    api::core::v1::{Container, PodSpec, PodTemplateSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{
    Conf, Runtime,
    conf::conf,
    memory::{self, Split},
};
use crate::{
    api::common::{ClusterRef, ExecutorPods, NodePool, Resources},
    build::{
        labels::{self, Identity, Map},
        pods, quantity,
    },
};

/// Role of executor pods in labels.
pub const COMPONENT: &str = "executor";
/// Service account without rights, for everything but drivers that make pods.
pub const ACCOUNT: &str = "spark";
/// Service account of drivers that make executor pods.
pub const DRIVER_ACCOUNT: &str = "spark-driver";
/// Where the ConfigMap of a workload appears in its pods.
pub const CONFIG_DIR: &str = "/etc/polder/config";
/// Key of the pod template in that ConfigMap.
pub const TEMPLATE_KEY: &str = "executor-pod.json";

const CONTAINER: &str = "spark-kubernetes-executor";

/// How many executor pods.
#[derive(Clone, Copy, Debug)]
pub enum Count {
    /// So many.
    Fixed(i32),
    /// Between two numbers; an idle one goes after so many seconds.
    Dynamic {
        /// At least.
        min: i32,
        /// At most.
        max: i32,
        /// Seconds after which an idle executor goes.
        idle_seconds: i64,
    },
}

/// Properties for executors that Spark makes as pods.
pub fn pod_conf(
    identity: Identity<'_>,
    runtime: &Runtime,
    executors: &ExecutorPods,
    count: Count,
    with_python: bool,
) -> Conf {
    let resources = &executors.resources;
    let cpu_limit = resources.cpu_limit.as_ref().unwrap_or(&resources.cpu);
    let Split { heap_mib, overhead_mib } =
        memory::split(resources, with_python).unwrap_or(Split { heap_mib: 0, overhead_mib: 0 });
    let mut all = conf([
        ("spark.master", "k8s://https://kubernetes.default.svc".to_owned()),
        ("spark.kubernetes.namespace", identity.namespace.to_owned()),
        ("spark.kubernetes.container.image", runtime.image.clone()),
        ("spark.kubernetes.container.image.pullPolicy", "IfNotPresent".to_owned()),
        ("spark.kubernetes.executor.podTemplateFile", format!("{CONFIG_DIR}/{TEMPLATE_KEY}")),
        ("spark.kubernetes.executor.podTemplateContainerName", CONTAINER.to_owned()),
        ("spark.kubernetes.executor.request.cores", resources.cpu.0.clone()),
        ("spark.kubernetes.executor.limit.cores", cpu_limit.0.clone()),
        ("spark.kubernetes.executor.enablePollingWithResourceVersion", "true".to_owned()),
        ("spark.kubernetes.authenticate.executor.serviceAccountName", ACCOUNT.to_owned()),
        ("spark.executor.cores", cores(resources).to_string()),
        ("spark.executor.memory", format!("{heap_mib}m")),
        ("spark.executor.memoryOverhead", format!("{overhead_mib}m")),
    ]);
    all.extend(count_conf(count));
    let mut executor_labels = identity.lasting_labels(COMPONENT);
    executor_labels.insert(labels::MANAGED_BY.to_owned(), "spark".to_owned());
    let mut volume_labels = executor_labels.clone();
    volume_labels.extend(identity.owner.clone());
    all.extend(volume_conf(executors, &volume_labels));
    all.extend(
        executor_labels
            .into_iter()
            .map(|(key, value)| (format!("spark.kubernetes.executor.label.{key}"), value)),
    );
    all
}

fn count_conf(count: Count) -> Conf {
    match count {
        Count::Fixed(instances) => conf([("spark.executor.instances", instances.to_string())]),
        Count::Dynamic { min, max, idle_seconds } => conf([
            ("spark.dynamicAllocation.enabled", "true".to_owned()),
            ("spark.dynamicAllocation.shuffleTracking.enabled", "true".to_owned()),
            ("spark.dynamicAllocation.minExecutors", min.to_string()),
            ("spark.dynamicAllocation.maxExecutors", max.to_string()),
            ("spark.dynamicAllocation.executorIdleTimeout", format!("{idle_seconds}s")),
        ]),
    }
}

/// Shuffle volumes that Spark claims for each executor and hands to the next one. Spark labels
/// them since 4.0.
fn volume_conf(executors: &ExecutorPods, labels: &Map) -> Conf {
    let mut all = Conf::new();
    for (index, volume) in executors.volumes.iter().enumerate() {
        let prefix = format!(
            "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-{}",
            index + 1
        );
        all.insert(format!("{prefix}.mount.path"), format!("/data/{}", volume.name));
        all.insert(format!("{prefix}.mount.readOnly"), "false".to_owned());
        all.insert(format!("{prefix}.options.claimName"), "OnDemand".to_owned());
        all.insert(format!("{prefix}.options.sizeLimit"), volume.size.0.clone());
        if let Some(class) = &volume.class {
            all.insert(format!("{prefix}.options.storageClass"), class.clone());
        }
        all.extend(
            labels.iter().map(|(key, value)| (format!("{prefix}.label.{key}"), value.clone())),
        );
    }
    if !all.is_empty() {
        all.extend(conf([
            ("spark.kubernetes.driver.ownPersistentVolumeClaim", "true".to_owned()),
            ("spark.kubernetes.driver.reusePersistentVolumeClaim", "true".to_owned()),
            ("spark.kubernetes.driver.waitToReusePersistentVolumeClaim", "true".to_owned()),
            (
                "spark.shuffle.sort.io.plugin.class",
                "org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO".to_owned(),
            ),
        ]));
    }
    all
}

/// Properties for executors on a SparkCluster.
pub fn cluster_conf(master_url: &str, cluster: &ClusterRef, worker_offer_mib: i64) -> Conf {
    let heap_mib = cluster
        .executor_memory
        .as_ref()
        .and_then(|memory| quantity::mebibytes(&memory.0))
        .unwrap_or(worker_offer_mib);
    let mut all = conf([
        ("spark.master", master_url.to_owned()),
        ("spark.executor.memory", format!("{heap_mib}m")),
        ("spark.authenticate", "true".to_owned()),
        ("spark.network.crypto.enabled", "true".to_owned()),
        ("spark.shuffle.service.enabled", "true".to_owned()),
    ]);
    all.extend(cluster.cores.map(|cores| ("spark.cores.max".to_owned(), cores.to_string())));
    all.extend(
        cluster.executor_cores.map(|cores| ("spark.executor.cores".to_owned(), cores.to_string())),
    );
    all
}

/// The pod template of executors, as JSON. Labels of the domain's owner stand here, and not among
/// the properties, since Spark reads it for every executor anew.
pub fn pod_template(
    identity: Identity<'_>,
    runtime: &Runtime,
    pool: Option<&NodePool>,
    priority_class: Option<&str>,
) -> String {
    let placement = pods::placement(pool);
    let mut mounts = vec![pods::mount_at("tmp", "/tmp"), pods::mount_at("work", WORK_DIR)];
    mounts.extend(runtime.mounts());
    let mut volumes = vec![pods::empty_dir("tmp"), pods::empty_dir("work")];
    volumes.extend(runtime.pod_volumes());
    let template = PodTemplateSpec {
        metadata: (!identity.owner.is_empty())
            .then(|| ObjectMeta { labels: Some(identity.owner.clone()), ..Default::default() }),
        spec: Some(PodSpec {
            affinity: placement.affinity,
            tolerations: Some(placement.tolerations),
            priority_class_name: priority_class.map(str::to_owned),
            security_context: Some(pods::security(Some(pods::SPARK_UID))),
            service_account_name: Some(ACCOUNT.to_owned()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            containers: vec![Container {
                name: CONTAINER.to_owned(),
                image: Some(runtime.image.clone()),
                env: Some(runtime.env.clone()),
                working_dir: Some(WORK_DIR.to_owned()),
                security_context: Some(pods::container_security(true)),
                volume_mounts: Some(mounts),
                ..Default::default()
            }],
            volumes: Some(volumes),
            ..Default::default()
        }),
    };
    serde_json::to_string_pretty(&template).unwrap_or_default()
}

/// Working directory of Spark processes: Spark brings files there.
pub const WORK_DIR: &str = "/opt/spark/work-dir";

/// Task slots of a process: its processor limit in whole cores.
pub fn cores(resources: &Resources) -> i64 {
    let limit = resources.cpu_limit.as_ref().unwrap_or(&resources.cpu);
    quantity::whole_cores(&limit.0).unwrap_or(1)
}
