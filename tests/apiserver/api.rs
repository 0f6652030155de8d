//! Objects by kind and name, through plain requests.

use std::time::Duration;

use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    cluster::{self, Answer, request},
    process::run,
};

/// Kind, URL of its version, plural, whether it lives in a namespace.
const KINDS: &[(&str, &str, &str, bool)] = &[
    ("Domain", "/apis/polder.dev/v1alpha1", "domains", false),
    ("SparkCluster", "/apis/polder.dev/v1alpha1", "sparkclusters", true),
    ("SqlEndpoint", "/apis/polder.dev/v1alpha1", "sqlendpoints", true),
    ("BatchJob", "/apis/polder.dev/v1alpha1", "batchjobs", true),
    ("Namespace", "/api/v1", "namespaces", false),
    ("Node", "/api/v1", "nodes", false),
    ("PriorityClass", "/apis/scheduling.k8s.io/v1", "priorityclasses", false),
    ("ResourceQuota", "/api/v1", "resourcequotas", true),
    ("LimitRange", "/api/v1", "limitranges", true),
    ("ServiceAccount", "/api/v1", "serviceaccounts", true),
    ("ConfigMap", "/api/v1", "configmaps", true),
    ("Secret", "/api/v1", "secrets", true),
    ("Service", "/api/v1", "services", true),
    ("Pod", "/api/v1", "pods", true),
    ("PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims", true),
    ("StatefulSet", "/apis/apps/v1", "statefulsets", true),
    ("Job", "/apis/batch/v1", "jobs", true),
    ("CronJob", "/apis/batch/v1", "cronjobs", true),
    ("NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies", true),
    ("PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets", true),
    ("Role", "/apis/rbac.authorization.k8s.io/v1", "roles", true),
    ("Deployment", "/apis/apps/v1", "deployments", true),
    ("DaemonSet", "/apis/apps/v1", "daemonsets", true),
    ("ReplicaSet", "/apis/apps/v1", "replicasets", true),
    ("ReplicationController", "/api/v1", "replicationcontrollers", true),
    ("HorizontalPodAutoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers", true),
    ("Ingress", "/apis/networking.k8s.io/v1", "ingresses", true),
    ("RoleBinding", "/apis/rbac.authorization.k8s.io/v1", "rolebindings", true),
    ("ExternalSecret", "/apis/external-secrets.io/v1", "externalsecrets", true),
    ("ClusterSecretStore", "/apis/external-secrets.io/v1", "clustersecretstores", false),
    ("SecretProviderClass", "/apis/secrets-store.csi.x-k8s.io/v1", "secretproviderclasses", true),
    ("PodMonitor", "/apis/monitoring.coreos.com/v1", "podmonitors", true),
    ("ServiceMonitor", "/apis/monitoring.coreos.com/v1", "servicemonitors", true),
    ("PrometheusRule", "/apis/monitoring.coreos.com/v1", "prometheusrules", true),
    ("Application", "/apis/argoproj.io/v1alpha1", "applications", true),
    ("AppProject", "/apis/argoproj.io/v1alpha1", "appprojects", true),
    (
        "CustomResourceDefinition",
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        false,
    ),
    ("Event", "/apis/events.k8s.io/v1", "events", true),
];

/// Kinds of all children that live in a namespace.
pub const CHILDREN: &[&str] = &[
    "RoleBinding",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "ServiceAccount",
    "ConfigMap",
    "Service",
    "PodDisruptionBudget",
    "PersistentVolumeClaim",
    "StatefulSet",
    "Job",
    "CronJob",
];

/// Group of those who pass the admission policies: the chart's default.
pub const BREAK_GLASS: &str = "polder.dev:break-glass";

/// Requests as the administrator: Polder's own kinds under the admission policies, as users write
/// them; everything else past them, since these tests do to the operator's objects what the
/// policies would refuse.
pub struct Api {
    pub client: Client,
    past_policies: Client,
}

impl Api {
    pub async fn new() -> Self {
        let groups = ["system:masters", BREAK_GLASS];
        Self {
            client: cluster::client().await,
            past_policies: cluster::client_as("kubernetes-admin", &groups, &[]).await,
        }
    }

    /// A client that the policies let pass.
    pub fn past_policies(&self) -> &Client {
        &self.past_policies
    }

    /// One request; `path` as [`path`] gives it, with what is to follow.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let is_users = method == "GET" || path.starts_with("/apis/polder.dev/");
        let client = if is_users { &self.client } else { &self.past_policies };
        request(client, method, path, body).await
    }

    /// An object; `None` if it is not there.
    pub async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        match self.send("GET", &path(kind, namespace, name), None).await {
            Ok(object) => Some(object),
            Err(refusal) if refusal.contains("not found") => None,
            Err(refusal) => panic!("get {kind} {namespace}/{name}: {refusal}"),
        }
    }

    /// Objects of a kind with these labels, without their managed fields.
    pub async fn list(&self, kind: &str, namespace: &str, selector: &str) -> Vec<Value> {
        let selector = selector.replace('=', "%3D").replace(',', "%2C").replace('/', "%2F");
        let path = format!("{}?labelSelector={selector}", path(kind, namespace, ""));
        let list = self.send("GET", &path, None).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Server-side apply, as a user would. Objects without a namespace get this one.
    pub async fn apply(&self, namespace: &str, yaml: &str) -> Vec<Value> {
        let mut applied = Vec::new();
        for mut object in documents(yaml) {
            let kind = object["kind"].as_str().unwrap().to_owned();
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            let given = object["metadata"]["namespace"].as_str();
            let namespace = given.unwrap_or(namespace).to_owned();
            if is_namespaced(&kind) {
                object["metadata"]["namespace"] = json!(namespace);
            }
            let path = format!("{}?fieldManager=user&force=true", path(&kind, &namespace, &name));
            let answer = self.send_when_domain_stands(&path, &object).await;
            applied.push(answer.unwrap_or_else(|refusal| panic!("{kind} {name}: {refusal}")));
        }
        applied
    }

    /// As those do who apply a whole folder again until it is accepted: a workload cannot be made
    /// before the operator has made the namespace, and one that was handed over takes none before it
    /// carries the domain's policy.
    async fn send_when_domain_stands(&self, path: &str, object: &Value) -> Answer {
        let accepted = cluster::eventually(Duration::from_mins(1), async || {
            let answer = self.send("PATCH", path, Some(object)).await;
            let is_early = answer.as_ref().is_err_and(|refusal| {
                let no_namespace =
                    refusal.contains("namespaces \"") && refusal.contains("not found");
                no_namespace || refusal.contains("is not on namespace")
            });
            (!is_early).then_some(answer)
        });
        accepted.await.unwrap_or_else(|| Err("the domain does not appear".to_owned()))
    }

    /// A JSON merge patch; `subresource` with its slash, or empty.
    pub async fn patch(&self, kind: &str, namespace: &str, name: &str, patch: Value) -> Value {
        let answer = self.send("PATCH", &path(kind, namespace, name), Some(&patch)).await;
        answer.unwrap_or_else(|refusal| panic!("patch {kind} {namespace}/{name}: {refusal}"))
    }

    /// Deletes an object, if it is there.
    pub async fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let answer = self.send("DELETE", &path(kind, namespace, name), None).await;
        if let Err(refusal) = answer {
            assert!(refusal.contains("not found"), "delete {kind} {namespace}/{name}: {refusal}");
        }
    }
}

/// The documents of a YAML text.
pub fn documents(yaml: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(yaml)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

/// The definition of a type of the Prometheus Operator, as its release has it.
pub fn prometheus_type(kind: &str) -> Value {
    let all = documents(&run("prometheus-crds", &[], ""));
    let found = all.into_iter().find(|it| it["spec"]["names"]["kind"] == kind);
    found.unwrap_or_else(|| panic!("the Prometheus Operator has no {kind}"))
}

/// URL of an object, or of the collection if the name is empty.
pub fn path(kind: &str, namespace: &str, name: &str) -> String {
    let (_, api, plural, namespaced) =
        KINDS.iter().find(|(known, ..)| *known == kind).unwrap_or_else(|| panic!("kind {kind}?"));
    let namespace = if *namespaced && !namespace.is_empty() {
        format!("/namespaces/{namespace}")
    } else {
        String::new()
    };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("{api}{namespace}/{plural}{name}")
}

fn is_namespaced(kind: &str) -> bool {
    KINDS.iter().any(|(known, .., namespaced)| *known == kind && *namespaced)
}

/// A condition of an object; null if it has none of that type.
pub fn condition(object: &Value, type_: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .and_then(|all| all.iter().find(|condition| condition["type"] == type_))
        .cloned()
        .unwrap_or_default()
}

/// Whether status speaks of the newest generation.
pub fn is_current(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// What an object is, without what the server and others note on it.
pub fn essence(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| matches!(field.as_str(), "name" | "labels" | "ownerReferences"));
    object.as_object_mut().unwrap().remove("status");
    object
}
