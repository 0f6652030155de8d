//! Plans without a cluster: everything a root depends on is given, and Ready.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Resource;
use polder::{
    api::{BatchJob, Domain, SparkCluster, SqlEndpoint},
    build::{labels, spark::SparkImages},
    engine::{Child, Kind, Ownership, Snapshot, digest::normalise},
    kinds::{
        batch_job::BatchJobKind,
        domain::{ApiServer, DomainKind, OperatorIdentity},
        spark_cluster::SparkClusterKind,
        sql_endpoint::SqlEndpointKind,
    },
    operator::{OPTIONAL_WATCHES, WATCHES},
    telemetry::Metrics,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The documents of a YAML text.
pub fn documents(yaml: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(yaml)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

/// A cluster that holds these roots.
pub struct World {
    snapshot: Snapshot,
    images: Arc<SparkImages>,
}

impl World {
    pub fn new(roots: &[Value]) -> Self {
        let builder = WATCHES
            .iter()
            .chain(OPTIONAL_WATCHES)
            .fold(Snapshot::builder(), |builder, it| builder.watch(*it));
        let builder = builder
            .root::<Domain>()
            .root::<SparkCluster>()
            .root::<SqlEndpoint>()
            .root::<BatchJob>();
        let mut snapshot = builder.build(Metrics::new().unwrap());
        for root in roots {
            let object = if root["kind"] == "BatchJob" { seen(root) } else { ready(root) };
            snapshot.put(&object).unwrap();
            if root["kind"] == "Domain" {
                for object in domain_objects(root) {
                    snapshot.put(&object).unwrap();
                }
            }
        }
        let image = "registry.example.com/spark:4.1.4".to_owned();
        let images = SparkImages {
            default_version: "4.1.4".to_owned(),
            images: [("4.1.4".to_owned(), image)].into(),
        };
        Self { snapshot, images: Arc::new(images) }
    }

    /// Something else that is there.
    pub fn put(&mut self, object: &Value) {
        self.snapshot.put(object).unwrap();
    }

    /// The children of a root, in the order they are sent in.
    pub fn children(&self, root: &Value) -> Vec<Child> {
        let images = || Arc::clone(&self.images);
        let mut children = match root["kind"].as_str().unwrap() {
            "Domain" => self.plan(&DomainKind { operator: operator(), images: images() }, root),
            "SparkCluster" => self.plan(&SparkClusterKind { images: images() }, root),
            "SqlEndpoint" => self.plan(&SqlEndpointKind { images: images() }, root),
            "BatchJob" => self.plan(&BatchJobKind { images: images() }, root),
            other => panic!("{other}?"),
        };
        children.sort_by_key(|child| (child.rank, child.resource.kind, child.key().name));
        children
    }

    fn plan<K: Kind>(&self, kind: &K, root: &Value) -> Vec<Child> {
        let root: K::Root = serde_json::from_value(seen(root)).unwrap();
        let view = self.snapshot.view(Timestamp::UNIX_EPOCH);
        let resolved = kind.resolve(&root, &view);
        let problems = kind.validate(&root, &resolved);
        assert!(problems.is_empty(), "{:?}: {problems:#?}", root.meta().name);
        kind.plan(&root, &resolved).children
    }
}

fn operator() -> OperatorIdentity {
    OperatorIdentity {
        namespace: "polder-system".to_owned(),
        service_account: "polder".to_owned(),
        release_name: "polder".to_owned(),
        api_server: ApiServer::default(),
        account_namespaces: Vec::new(),
    }
}

/// As the API server gives it out.
fn seen(root: &Value) -> Value {
    let mut root = root.clone();
    let name = root["metadata"]["name"].as_str().unwrap();
    root["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    root["metadata"]["generation"] = json!(1);
    root
}

/// With every condition that others wait for.
fn ready(root: &Value) -> Value {
    let mut root = seen(root);
    let types = ["Ready", "NamespaceReady", "QuotaEnforced", "NetworkIsolated", "AccessGranted"];
    let conditions: Vec<Value> = types
        .iter()
        .map(|type_| {
            json!({"type": type_, "status": "True", "reason": "Ready", "message": "",
                "lastTransitionTime": "1970-01-01T00:00:00Z"})
        })
        .collect();
    root["status"] = json!({"observedGeneration": 1, "conditions": conditions});
    root
}

/// What a domain's workloads look at: its namespace and its quota, in force and unused.
fn domain_objects(domain: &Value) -> Vec<Value> {
    let name = domain["metadata"]["name"].as_str().unwrap();
    let namespace = domain["spec"]["namespace"]["name"].as_str().unwrap_or(name);
    let labels = json!({(labels::DOMAIN): name, (labels::MANAGED_BY): labels::POLDER});
    let hard = &domain["spec"]["quota"]["hard"];
    let mut objects = vec![json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels},
    })];
    if hard.is_object() {
        objects.push(json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": format!("{name}-quota"), "namespace": namespace, "labels": labels},
            "spec": {"hard": hard}, "status": {"hard": hard},
        }));
    }
    objects
}

/// A child as it is sent, but for the owner reference and the digest that the engine adds.
pub fn shown(child: &Child) -> Value {
    let ownership = match &child.ownership {
        Ownership::Controlled => "controlled".to_owned(),
        Ownership::Retained { consent: (key, value) } => format!("retained, {key}={value}"),
        Ownership::Generated { key, bytes, .. } => format!("generated, {bytes} bytes in {key}"),
    };
    json!({
        "rank": child.rank, "ownership": ownership, "object": normalise(child.object.clone()),
    })
}
