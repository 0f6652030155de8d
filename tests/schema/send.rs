//! Sending objects, and judging the answers.

use std::sync::LazyLock;

use kube::Client;
use polder::{engine::Problem, offline::schema::Schemas};
use serde_json::{Value, json};

use crate::cluster::{self, Answer, request};

/// Namespace of everything that lives in one here.
pub const NAMESPACE: &str = "schema-tests";

/// The kinds, each with the least that its schema lets in.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Domain,
    SparkCluster,
    SqlEndpoint,
    /// A BatchJob with a generic container.
    BatchJob,
    /// A BatchJob with a Spark application.
    SparkJob,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "Domain",
            Self::SparkCluster => "SparkCluster",
            Self::SqlEndpoint => "SqlEndpoint",
            Self::BatchJob | Self::SparkJob => "BatchJob",
        }
    }

    /// URL of the collection.
    pub fn path(self) -> String {
        let plural = format!("{}s", self.name().to_lowercase());
        match self {
            Self::Domain => format!("/apis/polder.dev/v1alpha1/{plural}"),
            _ => format!("/apis/polder.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}"),
        }
    }

    fn least(self) -> Value {
        let yaml = match self {
            Self::Domain => "{}",
            Self::SparkCluster => {
                "master: {resources: {cpu: 500m, memory: 1Gi}, storage: {size: 1Gi}}
workers: [{name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}}]"
            }
            Self::SqlEndpoint => {
                "driver: {resources: {cpu: 1, memory: 2Gi}}
executors: {min: 0, max: 2, resources: {cpu: 1, memory: 2Gi}}"
            }
            Self::BatchJob => {
                "container: {image: registry.example.com/dbt:1, resources: {cpu: 1, memory: 1Gi}}"
            }
            Self::SparkJob => {
                "spark:
  main: {sql: SELECT 1}
  driver: {resources: {cpu: 1, memory: 1Gi}}
  executors: {instances: 1, resources: {cpu: 1, memory: 1Gi}}"
            }
        };
        serde_yaml::from_str(yaml).unwrap()
    }

    /// An object with the least spec, changed by a merge patch in YAML.
    pub fn object(self, name: &str, patch: &str) -> Value {
        let mut spec = self.least();
        merge(&mut spec, serde_yaml::from_str(patch).unwrap());
        json!({
            "apiVersion": "polder.dev/v1alpha1",
            "kind": self.name(),
            "metadata": {"name": name},
            "spec": spec,
        })
    }
}

/// A JSON merge patch.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        if !patch.is_null() {
            *target = patch;
        }
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(&key);
        } else {
            merge(&mut target[&key], value);
        }
    }
}

/// A client of a cluster with the CRDs and the namespace.
pub async fn ready() -> Client {
    let client = cluster::client().await;
    cluster::install_crds(&client).await;
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let path = format!("/api/v1/namespaces/{NAMESPACE}?fieldManager=polder-tests");
    request(&client, "PATCH", &path, Some(&namespace)).await.unwrap();
    client
}

/// What the API server would make of a new object; `polder lint` must say the same.
pub async fn create(client: &Client, kind: Kind, object: &Value) -> Answer {
    let path = format!("{}?dryRun=All&fieldValidation=Strict", kind.path());
    let answer = request(client, "POST", &path, Some(object)).await;
    agree(&answer, kind, object);
    answer
}

/// Panics unless the offline check comes to the same verdict, for the same reasons.
#[track_caller]
fn agree(answer: &Answer, kind: Kind, object: &Value) {
    static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::new().unwrap());
    let problems = SCHEMAS.problems(kind.name(), object.as_object().unwrap());
    match answer {
        Ok(_) => assert!(problems.is_empty(), "let in, and found wrong offline: {problems:#?}"),
        Err(refusal) => {
            assert!(!problems.is_empty(), "found right offline, and refused: {refusal}");
            // Unknown fields are refused before anything else is looked at.
            let is_said = |problem: &Problem| match problem.reason {
                "RuleBroken" => refusal.contains(&problem.message),
                _ => refusal.contains(&problem.field),
            };
            let is_partial = problems.iter().any(|problem| problem.reason == "UnknownField");
            assert!(
                problems.iter().all(is_said) || (is_partial && problems.iter().any(is_said)),
                "refused: {refusal}\nfound offline: {problems:#?}"
            );
        }
    }
}

/// Panics unless the answer is a refusal that holds all of these texts; none: unless it is none.
#[track_caller]
pub fn judge(answer: &Answer, expected: &[&str]) {
    match (answer, expected) {
        (Ok(_), []) => {}
        (Err(refusal), []) => panic!("refused: {refusal}"),
        (Ok(object), _) => panic!("let in, and should not be: {object:#}"),
        (Err(refusal), texts) => {
            for text in texts {
                assert!(refusal.contains(text), "`{text}` is not in: {refusal}");
            }
        }
    }
}
