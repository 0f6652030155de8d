//! What users of the fleet apply, and many requests at once.

use futures::{StreamExt, stream};
use http::Request;
use kube::Client;
use serde_json::{Value, json};

use crate::error::Result;

/// Writes of the bench at once.
pub const IN_FLIGHT: usize = 16;
const API: &str = "/apis/polder.dev/v1alpha1";

/// Sends a request as it is; the body is JSON.
pub async fn send(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let content = match (method, path.contains("fieldManager=")) {
        ("PATCH", true) => "application/apply-patch+yaml",
        ("PATCH", false) => "application/merge-patch+json",
        _ => "application/json",
    };
    let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
    let request =
        Request::builder().method(method).uri(path).header("Content-Type", content).body(bytes)?;
    let text =
        client.request_text(request).await.map_err(|error| format!("{method} {path}: {error}"))?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Runs many requests, some at once; the first failure ends it.
pub async fn all<T>(
    requests: impl Iterator<Item = impl Future<Output = Result<T>>>,
) -> Result<Vec<T>> {
    let mut running = stream::iter(requests).buffer_unordered(IN_FLIGHT);
    let mut answers = Vec::new();
    while let Some(answer) = running.next().await {
        answers.push(answer?);
    }
    Ok(answers)
}

/// Name of a Domain, and of its namespace.
pub fn domain_name(prefix: &str, index: usize) -> String {
    format!("{prefix}-{index:05}")
}

/// A Domain with two members, a quota for all and one for a priority, a limit range, isolation.
pub fn domain(name: &str) -> Value {
    json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "Domain", "metadata": {"name": name},
        "spec": {
            "displayName": "A domain of the bench",
            "owner": {"team": "bench", "email": "bench@example.com"},
            "deletionPolicy": "Delete",
            "members": [
                {"role": "Admin", "subjects": [{"kind": "Group", "name": format!("{name}-leads")}]},
                {"role": "Engineer", "subjects": [{"kind": "Group", "name": format!("{name}-eng")}]},
            ],
            "quota": {
                "hard": {"requests.cpu": "4000", "limits.memory": "9000Gi", "pods": "5000"},
                "perPriority": [{"priorityClass": "system-node-critical", "hard": {"pods": "5"}}],
            },
            "limits": {
                "default": {"cpu": "1", "memory": "512Mi"},
                "defaultRequest": {"cpu": "20m", "memory": "64Mi"},
                "max": {"cpu": "16", "memory": "64Gi"},
            },
            "network": {"allowTo": [{"cidr": "10.20.0.0/16", "ports": [5432]}]},
        },
    })
}

/// A job that runs once, as one container: no executors, whose start is Spark's business.
pub fn batch_job(name: &str) -> Value {
    json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "BatchJob", "metadata": {"name": name},
        "spec": {"spark": {
            "main": {"sql": "SELECT 1"},
            "driver": {"resources": {"cpu": "20m", "memory": "1Gi"}},
            "executors": {"instances": 1, "resources": {"cpu": "20m", "memory": "1Gi"}},
        }},
    })
}

/// A job whose time never comes.
pub fn scheduled_job(name: &str) -> Value {
    let mut job = batch_job(name);
    job["spec"]["schedule"] = json!({"cron": "0 0 29 2 *", "timeZone": "Europe/Amsterdam"});
    job
}

/// A cluster with one worker.
pub fn spark_cluster(name: &str) -> Value {
    json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "SparkCluster", "metadata": {"name": name},
        "spec": {
            "master": {"resources": {"cpu": "20m", "memory": "1Gi"}, "storage": {"size": "1Gi", "class": "standard"}},
            "workers": [{"name": "shuffle", "replicas": 1, "resources": {"cpu": "20m", "memory": "2Gi"},
                "volumes": [{"name": "disk1", "size": "1Gi", "class": "standard"}]}],
        },
    })
}

/// An endpoint without executors of its own until somebody asks.
pub fn sql_endpoint(name: &str) -> Value {
    json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "SqlEndpoint", "metadata": {"name": name},
        "spec": {
            "driver": {"resources": {"cpu": "20m", "memory": "2Gi"}},
            "executors": {"min": 0, "max": 2, "resources": {"cpu": "20m", "memory": "2Gi"}},
        },
    })
}

/// URL of a root; `namespace` is empty for a Domain.
pub fn root_path(namespace: &str, plural: &str, name: &str) -> String {
    let place =
        if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("{API}{place}/{plural}{name}")
}

/// Creates a root.
pub async fn create(
    client: &Client,
    namespace: &str,
    plural: &str,
    object: &Value,
) -> Result<Value> {
    send(client, "POST", &root_path(namespace, plural, ""), Some(object)).await
}

/// Creates many Domains.
pub async fn create_domains(client: &Client, names: &[String]) -> Result<()> {
    let requests = names.iter().map(|name| {
        let object = domain(name);
        async move { create(client, "", "domains", &object).await }
    });
    all(requests).await.map(drop)
}
