//! A domain, jobs and what the API server says of them, for tests.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{BatchJobKind, Resolved, jobs::Job};
use crate::{
    api::{BatchJob, Domain, SparkCluster},
    build::{labels, spark::SparkImages},
    engine::{Kind, ObjectKey, Record, ResourceType},
    kinds::common::{ClusterContext, DomainContext, Policy, quota::Quota},
};

pub(super) const NOW: i64 = 1_800_000_000;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

pub(super) fn kind() -> BatchJobKind {
    BatchJobKind { images: Arc::new(images()) }
}

fn images() -> SparkImages {
    SparkImages {
        default_version: "4.1.4".to_owned(),
        images: [("4.1.4".to_owned(), "localhost/polder-spark:4.1.4".to_owned())].into(),
    }
}

static DOMAIN: LazyLock<Arc<Domain>> = LazyLock::new(|| Arc::new(domain()));

fn domain() -> Domain {
    let conditions: Vec<Value> =
        ["NamespaceReady", "QuotaEnforced", "AccessGranted", "NetworkIsolated"]
            .into_iter()
            .map(|type_| {
                json!({"type": type_, "status": "True", "reason": "Ok", "message": "",
                   "lastTransitionTime": "2027-01-01T00:00:00Z"})
            })
            .collect();
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1",
        "kind": "Domain",
        "metadata": {"name": "sales", "uid": "domain-uid"},
        "spec": {
            "compute": {
                "nodePools": [{
                    "name": "io",
                    "selector": {"node.example.com/pool": "io"},
                    "tolerations": [{"key": "io", "operator": "Exists"}],
                }],
                "sparkConf": {"spark.sql.adaptive.enabled": "true"},
            },
            "catalogs": [{"name": "lake", "iceberg": {"jdbc": {
                "uri": "jdbc:postgresql://pg:5432/iceberg",
                "warehouse": "file:///warehouse",
                "userSecret": {"name": "lake", "key": "user"},
                "passwordSecret": {"name": "lake", "key": "password"},
            }}}],
            "volumes": [{"name": "warehouse", "size": "1Gi", "path": "/warehouse"}],
            "limits": {"max": {"cpu": "4", "memory": "16Gi"}},
        },
        "status": {"conditions": conditions},
    }))
    .unwrap()
}

pub(super) fn cluster(ready: bool) -> SparkCluster {
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1",
        "kind": "SparkCluster",
        "metadata": {"name": "etl", "namespace": "sales", "uid": "cluster-uid"},
        "spec": {
            "master": {"resources": {"cpu": "500m", "memory": "1Gi"}, "storage": {"size": "1Gi"}},
            "workers": [{"name": "shuffle", "replicas": 2,
                         "resources": {"cpu": "2", "memory": "4Gi"}}],
        },
        "status": {"conditions": [{
            "type": "Ready", "status": if ready { "True" } else { "False" }, "reason": "x",
            "message": "", "lastTransitionTime": "2027-01-01T00:00:00Z",
        }]},
    }))
    .unwrap()
}

/// A job called `load` with a spec.
pub(super) fn job(spec: &Value) -> BatchJob {
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1",
        "kind": "BatchJob",
        "metadata": {"name": "load", "namespace": "sales", "uid": "root-uid", "generation": 1},
        "spec": spec,
    }))
    .unwrap()
}

/// A spec that runs a container with an argument.
pub(super) fn container(argument: &str) -> Value {
    json!({"container": {
        "image": "registry.example.com/data/dbt:1.9",
        "command": ["dbt", argument],
        "resources": {"cpu": "500m", "memory": "512Mi"},
    }})
}

/// With more fields of the spec.
pub(super) fn with(mut spec: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    spec.as_object_mut().unwrap().extend(more);
    spec
}

/// What there is, beside the root.
#[derive(Clone, Default)]
pub(super) struct Around {
    pub(super) domain: Option<Arc<Domain>>,
    pub(super) clusters: Vec<SparkCluster>,
    pub(super) quota: Option<Value>,
    pub(super) cron: Option<Arc<Record>>,
    pub(super) jobs: Vec<Arc<Record>>,
    pub(super) pods: Vec<Arc<Record>>,
    pub(super) configs: Vec<Arc<Record>>,
    /// Seconds since [`NOW`].
    pub(super) clock: i64,
}

impl Around {
    pub(super) fn new() -> Self {
        Self { domain: Some(Arc::clone(&DOMAIN)), ..Self::default() }
    }

    /// What `resolve` gathers.
    pub(super) fn resolve(&self, root: &BatchJob) -> Resolved {
        let domain = DomainContext {
            policy: Policy::default(),
            domain: self.domain.clone(),
            namespace: "sales".to_owned(),
            namespace_deleting: false,
            owner: labels::Map::new(),
            quotas: self
                .quota
                .iter()
                .map(|quota| Quota {
                    priority_class: None,
                    status: serde_json::from_value(quota.clone()).unwrap(),
                })
                .collect(),
        };
        let spark = root.spec.spark.as_ref();
        let reference = spark.and_then(|spark| spark.cluster_ref.as_ref());
        let name_of = |cluster: &SparkCluster| cluster.metadata.name.clone().unwrap();
        Resolved {
            now: at(self.clock),
            runtime: spark
                .map(|spark| domain.runtime(&spark.runtime, &images()))
                .unwrap_or_default(),
            runtime_problems: spark
                .map(|spark| domain.runtime_problems("spec.spark", &spark.runtime, &images()))
                .unwrap_or_default(),
            cluster: reference.map(|reference| ClusterContext {
                cluster: self
                    .clusters
                    .iter()
                    .find(|cluster| name_of(cluster) == reference.name)
                    .cloned()
                    .map(Arc::new),
                known: self.clusters.iter().map(name_of).collect(),
            }),
            cron: self.cron.clone(),
            jobs: self.jobs.iter().cloned().map(Job::new).collect(),
            pods: self.pods.clone(),
            claims: Vec::new(),
            configs: self.configs.clone(),
            domain,
        }
    }
}

/// A record of an object with the labels of the job `load`.
pub(super) fn record(
    resource: ResourceType,
    name: &str,
    controller: &str,
    created: i64,
    kept: Value,
) -> Record {
    Record {
        key: ObjectKey::namespaced(resource, "sales", name),
        uid: format!("{name}-uid"),
        labels: Arc::new(identity("run")),
        deleting: false,
        created: at(created),
        controller: Some(controller.into()),
        kept: kept.into(),
    }
}

pub(super) fn identity(component: &str) -> BTreeMap<String, String> {
    labels::Identity {
        app: BatchJobKind::NAME,
        instance: "load",
        domain: "sales",
        namespace: "sales",
        owner: &labels::Map::new(),
    }
    .labels(component)
}
