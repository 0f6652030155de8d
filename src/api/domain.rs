//! `Domain`: one data team's place in the cluster. Cluster-scoped; it becomes a namespace with
//! quota, access, network isolation and catalogs.

use std::collections::BTreeMap;

use k8s_openapi::{api::rbac::v1::Subject, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Quantity, SparkConf,
    catalog::Catalog,
    common::{NodePool, string_map},
    gitops::GitOps,
    logs::LogsSpec,
    monitoring::MonitoringSpec,
    quota::{QuotaSpec, QuotaStatus},
    secrets::DomainSecret,
};

/// What a domain is to be.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "polder.dev",
    version = "v1alpha1",
    kind = "Domain",
    status = "DomainStatus",
    derive = "PartialEq",
    shortname = "dom",
    category = "polder",
    doc = "A data domain: one team's namespace with its quota, access, network isolation and catalogs.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50")
        .message("metadata.name: at most 50 lower case letters, digits and dashes, beginning with a letter: it names the namespace"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Namespace", type_ = "string", json_path = ".status.namespace"),
    printcolumn(name = "Team", type_ = "string", json_path = ".status.owner.team"),
    printcolumn(name = "Workloads", type_ = "string", json_path = ".status.workloads.summary"),
    printcolumn(name = "Quota", type_ = "string", json_path = ".status.quota.summary"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
)]
#[x_kube(
    validation = Rule::new("has(self.__namespace__) && has(self.__namespace__.name) ? has(oldSelf.__namespace__) && has(oldSelf.__namespace__.name) && self.__namespace__.name == oldSelf.__namespace__.name : !(has(oldSelf.__namespace__) && has(oldSelf.__namespace__.name))")
        .message("namespace.name cannot be changed, added or removed: a domain's data cannot move between namespaces; make a new Domain")
)]
#[serde(rename_all = "camelCase")]
pub struct DomainSpec {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// Who answers for the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The namespace the domain lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceSpec>,
    /// Who may do what in the namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["role".to_owned()]))]
    pub members: Vec<Member>,
    /// What all workloads of the domain may use together. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSpec>,
    /// Defaults and bounds of single containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsSpec>,
    /// What workloads of this domain compute with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<ComputeSpec>,
    /// Catalogs that every Spark workload of the domain is offered, as `spark.sql.catalog.<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub catalogs: Vec<Catalog>,
    /// Secrets that are brought into the namespace from a store outside of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub secrets: Vec<DomainSecret>,
    /// Volumes that every Spark workload of the domain mounts, such as a warehouse kept on a
    /// shared file system. They are kept when the Domain is deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub volumes: Vec<SharedVolume>,
    /// Who may talk to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSpec>,
    /// What the workloads log, and how long it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<LogsSpec>,
    /// Whether the workloads are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<MonitoringSpec>,
    /// Who brings the workloads from Git. Default: nobody; whoever has access makes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitops: Option<GitOps>,
    /// Stops every workload of the domain and keeps all data. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Nothing new is let in: no workload can be made or changed, and no new run of a job without a
    /// schedule starts. What runs goes on, schedules too; deleting is always possible. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
    /// What deleting the Domain does to its namespace. Default: Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Who answers for a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The team. It becomes the label `polder.dev/team` of every object of the domain, where the
    /// text can be a label, else an annotation of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub team: Option<String>,
    /// Where to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub email: Option<String>,
    /// Who pays. It becomes the label `polder.dev/cost-center` like the team. Running pods keep
    /// the one they were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub cost_center: Option<String>,
}

/// The namespace of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSpec {
    /// Its name. Default: the Domain's. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    #[x_kube(
        validation = Rule::new("!self.startsWith('kube-') && self != 'default'")
            .message("kube-* and default belong to the cluster; choose another name")
    )]
    pub name: Option<String>,
    /// More labels for the namespace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "string_map::<32, 63>")]
    #[x_kube(
        validation = Rule::new("!self.exists(k, k.startsWith('polder.dev/') || k.startsWith('pod-security.kubernetes.io/') || k.contains('kubernetes.io/'))")
            .message("labels of polder.dev and kubernetes.io are not for users to set here")
    )]
    pub labels: BTreeMap<String, String>,
    /// More annotations for the namespace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "string_map::<32, 4096>")]
    #[x_kube(
        validation = Rule::new("!self.exists(k, k.startsWith('polder.dev/') || k.contains('kubernetes.io/'))")
            .message("annotations of polder.dev and kubernetes.io are not for users to set here")
    )]
    pub annotations: BTreeMap<String, String>,
    /// Pod Security level that is enforced. Default: restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_security: Option<PodSecurity>,
}

/// Pod Security levels: <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    /// Nothing that a data workload needs is missing here.
    #[default]
    Restricted,
    /// Known privilege escalations are refused.
    Baseline,
}

/// Members with one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// Who they are. Users and groups of Kubernetes itself (`system:*`) are refused; service accounts
    /// must be of the domain's own namespace, or of one that the operator was installed to trust.
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(
        validation = Rule::new("self.all(s, s.kind in ['User', 'Group', 'ServiceAccount'])")
            .message("kind must be User, Group or ServiceAccount"),
        validation = Rule::new("self.all(s, s.kind != 'ServiceAccount' || has(s.__namespace__))")
            .message("a ServiceAccount needs its namespace"),
        validation = Rule::new("self.all(s, size(s.name) >= 1 && size(s.name) <= 253)")
            .message("name must have 1 to 253 characters"),
        validation = Rule::new("self.all(s, !s.name.startsWith('system:'))")
            .message("users and groups that begin with system: are parts of the cluster, or everybody; name your own"),
        validation = Rule::new("self.all(s, s.kind != 'ServiceAccount' || !has(s.__namespace__) || !s.__namespace__.startsWith('kube-'))")
            .message("service accounts of kube-* namespaces are parts of the cluster and cannot be members; use one of the domain's namespace"),
        validation = Rule::new("self.all(s, s.kind == 'ServiceAccount' || !has(s.__namespace__))")
            .message("only a ServiceAccount has a namespace; leave it out")
    )]
    pub subjects: Vec<Subject>,
}

/// Roles that members of a domain can have; the chart ships a ClusterRole for each.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Role {
    /// Runs everything in the domain and manages its Secrets.
    Admin,
    /// Runs workloads.
    Engineer,
    /// Uses the SQL endpoints and sees what runs.
    Analyst,
    /// Sees everything but Secrets, changes nothing.
    Auditor,
}

/// Defaults and bounds of single containers, as in a LimitRange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsSpec {
    /// Limits of a container that names none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8))]
    pub default: BTreeMap<String, Quantity>,
    /// Requests of a container that names none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8))]
    pub default_request: BTreeMap<String, Quantity>,
    /// What a container may ask for at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8))]
    pub max: BTreeMap<String, Quantity>,
}

/// What workloads of a domain compute with, and what of it they may use.
///
/// A list that is left out or empty restricts nothing. What is restricted is checked when a workload
/// is made or its spec changes, and again by the operator, since a domain may change later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComputeSpec {
    /// Images that pods of the domain may run, with their registry: `registry.example.com/data/*`,
    /// `docker.io/apache/spark:4.*`. The whole name must match; `*` stands for any characters, also
    /// `/`, `:` and `@`, and cannot stand in the registry. The images of the operator's Spark
    /// versions are always allowed. Default: any image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(
            length(min = 3, max = 253),
            regex(
                pattern = r"^(localhost|[a-z0-9][a-z0-9-]*([.][a-z0-9][a-z0-9-]*)+|[a-z0-9][a-z0-9.-]*:[0-9]{1,5})(:[0-9]{1,5})?/[a-zA-Z0-9._:/@*-]+$"
            )
        )
    )]
    pub images: Vec<String>,
    /// Storage classes that volumes of the domain's workloads may have; then each volume must name
    /// one. Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))
    )]
    pub storage_classes: Vec<String>,
    /// Priority classes that workloads may ask for; asking for none is always allowed. Where the
    /// cluster has a default class, list that too: Kubernetes gives it to the pods that ask for
    /// none. Default: any but those of the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))
    )]
    pub priority_classes: Vec<String>,
    /// Most executors that one job or endpoint may ask for, and most workers of one cluster.
    /// Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub max_executors: Option<i32>,
    /// Groups of nodes that workloads can ask for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub node_pools: Vec<NodePool>,
    /// Spark configuration of every workload of the domain; a workload's own goes over it.
    #[serde(default, skip_serializing_if = "SparkConf::is_empty")]
    pub spark_conf: SparkConf,
}

/// A volume that all Spark pods of the domain mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharedVolume {
    /// Its name; the claim is called `<domain>-<name>`.
    #[schemars(length(min = 1, max = 15), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Size, such as `100Gi`. Can grow where the storage class allows it.
    pub size: Quantity,
    /// Storage class. Default: the cluster's default class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class: Option<String>,
    /// Where pods see it, an absolute path.
    #[schemars(length(min = 2, max = 253), regex(pattern = r"^/[A-Za-z0-9._/-]+$"))]
    #[x_kube(
        validation = Rule::new("!self.matches('^/(opt/spark|etc|run|data|tmp|usr|bin|lib|proc|sys|dev)(/|$)') && !self.contains('..')")
            .message("this path belongs to the image, and .. is not allowed; choose a path of your own such as /warehouse")
    )]
    pub path: String,
    /// Default: ReadWriteMany, which several nodes can mount at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<AccessMode>,
}

/// How many nodes can mount a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// Many nodes, reading and writing.
    #[default]
    ReadWriteMany,
    /// One node.
    ReadWriteOnce,
}

/// Who may talk to whom. Inside the domain everybody may; DNS is always open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSpec {
    /// Default: Strict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Who else may connect to pods of the domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub allow_from: Vec<NetworkPeer>,
    /// Where else pods of the domain may connect to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub allow_to: Vec<NetworkPeer>,
}

/// How closed a domain is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Isolation {
    /// Nothing in or out but what is listed.
    #[default]
    Strict,
    /// No network policies.
    None,
}

/// The other side of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.__namespace__), has(self.cidr)].filter(x, x).size() == 1")
        .message("set exactly one of namespace and cidr")
)]
pub struct NetworkPeer {
    /// All pods of a namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// A range of addresses, such as `10.20.0.0/16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = Rule::new("isCIDR(self)").message("must be a range of addresses such as 10.20.0.0/16")
    )]
    pub cidr: Option<String>,
    /// TCP ports. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(range(min = 1, max = 65535)))]
    pub ports: Vec<i32>,
}

/// What deleting a Domain does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Workloads stop; the namespace and every volume in it stay, unmanaged. The same Domain made
    /// again takes up where it was.
    #[default]
    Retain,
    /// The namespace and everything in it goes.
    Delete,
}

/// What a domain is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Who answers for the domain, and who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Use and bounds of resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaStatus>,
    /// Workloads of the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workloads: Option<WorkloadCounts>,
    /// Ready, Reconciling, Stalled, NamespaceReady, QuotaEnforced, AccessGranted,
    /// NetworkIsolated, CatalogsReady, SecretsReady; GitOpsReady and MonitoringReady where asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
}

/// Workloads of a domain, and how many of them are ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadCounts {
    /// For people: `5/6 ready`.
    pub summary: String,
    /// SparkClusters.
    pub spark_clusters: i64,
    /// SqlEndpoints.
    pub sql_endpoints: i64,
    /// BatchJobs.
    pub batch_jobs: i64,
}

impl DomainSpec {
    /// Whether the domain's workloads are measured.
    pub fn is_monitored(&self) -> bool {
        self.monitoring.as_ref().is_some_and(|monitoring| monitoring.enabled)
    }
}

impl Domain {
    /// Name of the domain's namespace.
    pub fn namespace_name(&self) -> String {
        self.spec
            .namespace
            .as_ref()
            .and_then(|namespace| namespace.name.clone())
            .or_else(|| self.metadata.name.clone())
            .unwrap_or_default()
    }
}
