//! Bounds of a domain as a whole, and how much of them is used.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// A bound for all workloads of the domain together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.hard) || !has(self.storage) || self.storage.all(s, !((s.class + '.storageclass.storage.k8s.io/requests.storage') in self.hard) && !((s.class + '.storageclass.storage.k8s.io/persistentvolumeclaims') in self.hard))")
        .message("hard and storage both bound a storage class; remove <class>.storageclass.storage.k8s.io/... from hard"),
    validation = Rule::new("!has(self.hard) || !has(self.objects) || !((has(self.objects.batchJobs) && 'count/batchjobs.polder.dev' in self.hard) || (has(self.objects.sparkClusters) && 'count/sparkclusters.polder.dev' in self.hard) || (has(self.objects.sqlEndpoints) && 'count/sqlendpoints.polder.dev' in self.hard))")
        .message("hard and objects both bound the number of a kind; remove count/... from hard")
)]
pub struct QuotaSpec {
    /// Hard limits by resource, as in a ResourceQuota: `requests.cpu`, `limits.memory`, `pods`,
    /// `requests.storage`, `count/configmaps`.
    /// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/>
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub hard: BTreeMap<String, Quantity>,
    /// Volumes by storage class. What is not listed is not bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["class".to_owned()]))]
    pub storage: Vec<StorageQuota>,
    /// How many objects of Polder's kinds there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<ObjectQuota>,
    /// Bounds of pods with a priority class, beside those of all pods. Each is a quota of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["priorityClass".to_owned()]))]
    pub per_priority: Vec<PriorityQuota>,
}

/// A bound for the volumes of one storage class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.size) || has(self.claims)").message("set size, claims or both"))]
pub struct StorageQuota {
    /// Name of the storage class.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub class: String,
    /// Size of all volumes together, such as `2Ti`. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// How many volumes there may be. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub claims: Option<i64>,
}

/// A bound for the number of Polder's objects in the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectQuota {
    /// BatchJobs. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub batch_jobs: Option<i64>,
    /// SparkClusters. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub spark_clusters: Option<i64>,
    /// SqlEndpoints. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub sql_endpoints: Option<i64>,
}

/// A bound for the pods of one priority class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriorityQuota {
    /// Name of the priority class.
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub priority_class: String,
    /// Hard limits by resource: `pods`, `cpu`, `memory`, `requests.cpu`, `requests.memory`,
    /// `limits.cpu`, `limits.memory`.
    /// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#resource-quota-per-priorityclass>
    #[schemars(extend("minProperties" = 1, "maxProperties" = 7))]
    #[x_kube(
        validation = Rule::new("self.all(r, r in ['pods', 'cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])")
            .message("by priority class only pods, cpu, memory, requests.cpu, requests.memory, limits.cpu and limits.memory can be bounded")
    )]
    pub hard: BTreeMap<String, Quantity>,
}

/// Use and bounds of a domain's resources, as the quota controller counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaStatus {
    /// For people: the resource of which the largest part is used, such as `80% limits.memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Hard limits in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hard: BTreeMap<String, String>,
    /// What is used of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, String>,
    /// What is left of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub free: BTreeMap<String, String>,
    /// The same for pods with a priority class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_priority: Vec<PriorityQuotaStatus>,
}

/// Use and bounds of the resources of pods with one priority class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriorityQuotaStatus {
    /// The priority class.
    pub priority_class: String,
    /// Hard limits in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hard: BTreeMap<String, String>,
    /// What is used of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, String>,
    /// What is left of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub free: BTreeMap<String, String>,
}
