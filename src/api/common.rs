//! Shapes that several kinds share.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Quantity, SparkConf};

/// What one pod gets. Requests and limits are always set on the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.cpuLimit) || quantity(string(self.cpuLimit)).compareTo(quantity(string(self.cpu))) >= 0")
        .message("cpuLimit must be at least cpu")
)]
pub struct Resources {
    /// Processor time that is reserved, in cores: `500m`, `2`.
    pub cpu: Quantity,
    /// Processor time that the pod may use at most. Default: the same as `cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<Quantity>,
    /// Memory, reserved and limit alike. For Spark processes the Java heap is computed from it;
    /// those need at least 1Gi.
    pub memory: Quantity,
}

/// A volume of each pod of a set, made for it from a storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodVolume {
    /// Name, unique in its list. It becomes part of the claim's name and of the mount path
    /// `/data/<name>`.
    #[schemars(length(min = 1, max = 15), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Size of each volume, such as `100Gi`.
    pub size: Quantity,
    /// Storage class. Default: the cluster's default class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class: Option<String>,
}

/// A single volume, made from a storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Size, such as `1Gi`.
    pub size: Quantity,
    /// Storage class. Default: the cluster's default class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class: Option<String>,
}

/// One key of a Secret in the domain's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// One key of a ConfigMap in the domain's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKey {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// An environment variable: a value, or a key of a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.value), has(self.secret), has(self.configMap)].filter(x, x).size() == 1")
        .message("set exactly one of value, secret and configMap")
)]
pub struct EnvVar {
    /// Name of the variable.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    #[x_kube(
        validation = Rule::new("!self.matches('^(POD_IP|POD_NAME|_SPARK_AUTH_SECRET|MASTER_HOST|WORKER_HOST|SPARK_(CONF_DIR|LOCAL_DIRS|NO_DAEMONIZE|DAEMON_MEMORY|WORKER_CORES|WORKER_MEMORY|WORKER_DIR|WORKER_OPTS))$')")
            .message("Polder sets this variable itself; remove it")
    )]
    pub name: String,
    /// A plain value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// From a Secret of this namespace. A secret that the Domain brings from Vault is none: mount it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKey>,
    /// From a ConfigMap of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ConfigMapKey>,
}

/// A Secret, ConfigMap or claim of the namespace, mounted as a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.secret), has(self.configMap), has(self.claim)].filter(x, x).size() == 1")
        .message("set exactly one of secret, configMap and claim")
)]
pub struct Mount {
    /// Where it appears, an absolute path. `/opt/spark`, `/etc/polder` and `/data` are taken.
    #[schemars(length(min = 2, max = 253), regex(pattern = r"^/[A-Za-z0-9._/-]+$"))]
    #[x_kube(
        validation = Rule::new("!self.matches('^/(opt/spark|etc/polder|run/polder|data|tmp)(/|$)') && !self.contains('..')")
            .message("/opt/spark, /etc/polder, /run/polder, /data and /tmp are Polder's own, and .. is not allowed; choose another path")
    )]
    pub path: String,
    /// Name of a Secret, or of a secret of the Domain (`spec.secrets`), mounted read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
    /// Name of a ConfigMap, mounted read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub config_map: Option<String>,
    /// Name of a PersistentVolumeClaim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub claim: Option<String>,
}

/// A SparkCluster of the same domain to run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRef {
    /// Name of the SparkCluster.
    #[schemars(length(min = 1, max = 45))]
    pub name: String,
    /// Cores of the cluster to use at most. Default: all that are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub cores: Option<i32>,
    /// Cores of each executor. Default: one executor takes all cores of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub executor_cores: Option<i32>,
    /// Heap of each executor, taken from its worker's memory. Default: all that the smallest
    /// worker offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor_memory: Option<Quantity>,
}

/// A named group of nodes that workloads may ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePool {
    /// Name, as workloads give it in `nodePool`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Labels that its nodes carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "string_map::<16, 63>")]
    pub selector: BTreeMap<String, String>,
    /// Tolerations for the taints of its nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub tolerations: Vec<Toleration>,
}

/// What the Spark processes of a workload share: image, configuration, environment, mounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SparkRuntime {
    /// Spark version, one of the operator's catalogue of images. Default: the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub version: Option<String>,
    /// Image to use instead of the catalogue's, with its registry:
    /// `registry.example.com/data/spark:4.1.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Extra Spark configuration. Keys that Polder sets itself are refused.
    #[serde(default, skip_serializing_if = "SparkConf::is_empty")]
    pub spark_conf: SparkConf,
    /// Environment variables of every Spark process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub env: Vec<EnvVar>,
    /// Secrets, ConfigMaps and claims mounted into every Spark process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".to_owned()]))]
    pub mounts: Vec<Mount>,
    /// Catalogs of the domain to offer. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 63)))]
    pub catalogs: Option<Vec<String>>,
}

/// What a service does when a Secret that it uses has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnSecretChange {
    /// Its processes start again with the new value, within about two minutes.
    #[default]
    Restart,
    /// Nothing: the new value is used from the next start on.
    Ignore,
}

/// Executors that Spark starts as pods of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutorPods {
    /// What each executor gets.
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
    /// Shuffle volumes of each executor. Default: the pod's ephemeral storage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub volumes: Vec<PodVolume>,
}

/// Schema of a bounded map of strings.
pub(super) fn string_map<const COUNT: u32, const LENGTH: u32>(
    _: &mut schemars::SchemaGenerator,
) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": COUNT,
        "additionalProperties": {"type": "string", "maxLength": LENGTH},
    })
}
