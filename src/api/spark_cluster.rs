//! `SparkCluster`: a standing Spark standalone cluster with workers that keep shuffle data on
//! volumes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{OnSecretChange, PodVolume, Resources, SparkRuntime, Storage},
    domain::DeletionPolicy,
};

/// What a Spark cluster is to be.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "polder.dev",
    version = "v1alpha1",
    kind = "SparkCluster",
    namespaced,
    status = "SparkClusterStatus",
    derive = "PartialEq",
    shortname = "spc",
    category = "polder",
    doc = "A standing Spark standalone cluster: a master and pools of workers with shuffle volumes.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 45")
        .message("metadata.name: at most 45 lower case letters, digits and dashes, beginning with a letter: Services and pods carry it in their names"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Workers", type_ = "string", json_path = ".status.workers.summary"),
    printcolumn(name = "Master", type_ = "string", json_path = ".status.masterUrl"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
)]
#[serde(rename_all = "camelCase")]
pub struct SparkClusterSpec {
    /// Image, configuration, environment and mounts of master and workers.
    #[serde(flatten)]
    pub runtime: SparkRuntime,
    /// The master.
    pub master: MasterSpec,
    /// Pools of workers.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".to_owned()]),
        validation = Rule::new("self.all(p, oldSelf.all(o, o.name != p.name || (has(o.volumes) ? o.volumes : []) == (has(p.volumes) ? p.volumes : [])))")
            .message("the volumes of a pool cannot change; add a pool with the new volumes, then remove the old one")
    )]
    pub workers: Vec<WorkerPool>,
    /// What happens when a Secret in its variables or mounts changes. Default: Restart, the master
    /// first and the workers of a pool one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_secret_change: Option<OnSecretChange>,
    /// Stops master and workers; volumes stay. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// What deleting the cluster does to its volumes. Default: Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// The master of a cluster. Its recovery state is kept on a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MasterSpec {
    /// What its pod gets.
    pub resources: Resources,
    /// Volume for the recovery state.
    #[x_kube(
        validation = Rule::new("self == oldSelf").message("the master's storage cannot change; make a new cluster")
    )]
    pub storage: Storage,
    /// Node pool of the domain to run on. Default: any node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub node_pool: Option<String>,
    /// Priority class of its pods. Default: the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub priority_class: Option<String>,
}

/// Workers that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkerPool {
    /// Name, unique in the cluster.
    #[schemars(length(min = 1, max = 15), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// How many workers.
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,
    /// What each worker gets. Executors share it: cores are `cpuLimit` (or `cpu`) rounded up,
    /// memory is what is left after the worker's own needs.
    pub resources: Resources,
    /// Node pool of the domain to run on. Default: any node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub node_pool: Option<String>,
    /// Priority class of its pods. Default: the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub priority_class: Option<String>,
    /// Shuffle volumes of each worker. Default: the pod's ephemeral storage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub volumes: Vec<PodVolume>,
}

/// What a Spark cluster is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SparkClusterStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Address for drivers: `spark://...:7077`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_url: Option<String>,
    /// Address of the master's web pages, inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_url: Option<String>,
    /// Image in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkersStatus>,
    /// Secrets that were generated for the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generated_secrets: Vec<String>,
    /// Ready, Reconciling, Stalled, MasterReady, WorkersReady.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
}

/// Workers of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkersStatus {
    /// For people: `2/3`.
    pub summary: String,
    /// Wanted.
    pub desired: i32,
    /// Registered with the master and alive.
    pub ready: i32,
    /// Cores that ready workers offer.
    pub cores: i64,
    /// Memory that ready workers offer to executors, in MiB.
    pub memory_mib: i64,
    /// By pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolStatus>,
}

/// Workers of one pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    /// The pool.
    pub name: String,
    /// Wanted.
    pub desired: i32,
    /// Registered with the master and alive.
    pub ready: i32,
}
