//! All manifests together, as if they had been applied and every Domain and cluster were ready.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::conditions::READY,
    build::{labels, names},
    engine::{Child, Plan, Problem, Refused, Snapshot, SnapshotError},
    kinds::common::WAITING,
    operator::{self, Installation},
    telemetry::Metrics,
};

/// What stands for the image of a Spark version where the operator's catalogue is not known.
const SOME_IMAGE: &str = "image-of-the-operator/spark";

/// A cluster in which the manifests have been applied.
pub struct World {
    snapshot: Snapshot,
}

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Metrics are registered twice: a bug.
    #[error("BUG: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl World {
    /// An empty cluster with this installation of Polder.
    pub fn new(installation: Installation) -> Result<Self, Error> {
        Ok(Self { snapshot: operator::snapshot(Metrics::new()?, installation) })
    }

    /// Puts in a root as a user would write it, and what of its own others look at.
    pub fn apply(&mut self, root: &Value) -> Result<(), SnapshotError> {
        // A job that is ready has run; the others serve.
        let is_job = root.get("kind").is_some_and(|kind| kind == "BatchJob");
        self.snapshot.put(&if is_job { seen(root) } else { ready(root) })?;
        if root.get("kind").is_some_and(|kind| kind == "Domain") {
            for object in of_domain(root) {
                self.snapshot.put(&object)?;
            }
        }
        Ok(())
    }

    /// Puts in any object as the API server gives it out.
    pub fn put(&mut self, object: &Value) -> Result<(), SnapshotError> {
        self.snapshot.put(object)
    }

    /// What the root's kind would make of it.
    ///
    /// # Errors
    /// See [`Snapshot::plan`].
    pub fn plan(&self, root: &Value) -> Result<Plan, Refused> {
        self.plan_at(root, Timestamp::UNIX_EPOCH)
    }

    /// The same at a certain time.
    ///
    /// # Errors
    /// See [`Snapshot::plan`].
    pub fn plan_at(&self, root: &Value, now: Timestamp) -> Result<Plan, Refused> {
        self.snapshot.plan(&seen(root), now)
    }

    /// What was applied of a child of this root, if that is not what is wanted here.
    pub fn outdated(&self, root: &Value, child: &Child, live: &Value) -> Option<Value> {
        self.snapshot.outdated(root, child, live)
    }

    /// All that the root's kind finds wrong and that does not end by itself.
    pub fn problems(&self, root: &Value) -> Result<Vec<Problem>, SnapshotError> {
        match self.plan(root) {
            Ok(_) => Ok(Vec::new()),
            Err(Refused::Unreadable(error)) => Err(error),
            Err(Refused::Problems(mut problems)) => {
                problems.retain(|problem| !WAITING.contains(&problem.reason));
                Ok(problems)
            }
        }
    }

    /// The children of a root, in the order they are sent in.
    pub fn children(&self, root: &Value) -> Result<Vec<Child>, Refused> {
        let mut children = self.plan(root)?.children;
        children.sort_by_key(|child| (child.rank, child.resource.kind, child.key().name));
        Ok(children)
    }
}

/// The installation, with an image for every Spark version that is asked for if it knows none.
pub fn with_some_images<'a>(
    mut installation: Installation,
    roots: impl Iterator<Item = &'a Value>,
) -> Installation {
    let images = &mut installation.images;
    if images.images.is_empty() {
        if images.default_version.is_empty() {
            "default".clone_into(&mut images.default_version);
        }
        let versions = roots.filter_map(version).chain([images.default_version.clone()]);
        images.images = versions.map(|it| (it.clone(), format!("{SOME_IMAGE}:{it}"))).collect();
    }
    installation
}

/// With the images that workloads of a cluster have by now, in the place of those that stand for one.
pub fn with_images_of<'a>(
    mut installation: Installation,
    live: impl Iterator<Item = &'a Value>,
) -> Installation {
    let images = &mut installation.images;
    for root in live {
        let text = |pointer| root.pointer(pointer).and_then(Value::as_str);
        let is_own = ["/spec/image", "/spec/spark/image", "/spec/container"];
        let version = version(root).unwrap_or_else(|| images.default_version.clone());
        let known = images.images.get_mut(&version).filter(|it| it.starts_with(SOME_IMAGE));
        if let (Some(image), Some(known)) = (text("/status/image"), known)
            && is_own.iter().all(|pointer| root.pointer(pointer).is_none())
            && root.pointer("/status/observedGeneration") == root.pointer("/metadata/generation")
        {
            image.clone_into(known);
        }
    }
    installation
}

fn version(root: &Value) -> Option<String> {
    let version = root.pointer("/spec/version").or_else(|| root.pointer("/spec/spark/version"))?;
    version.as_str().map(str::to_owned)
}

/// As the API server gives it out.
fn seen(root: &Value) -> Value {
    let mut root = root.clone();
    let name = root.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let uid = format!("uid-of-{name}");
    if let Some(Value::Object(metadata)) = root.get_mut("metadata") {
        metadata.entry("uid").or_insert(json!(uid));
        metadata.entry("generation").or_insert(json!(1));
    }
    root
}

/// With every condition that others wait for.
fn ready(root: &Value) -> Value {
    let mut root = seen(root);
    let types = [READY, "NamespaceReady", "QuotaEnforced", "NetworkIsolated", "AccessGranted"];
    let conditions = types.map(|type_| {
        json!({"type": type_, "status": "True", "reason": "Ready", "message": "",
            "lastTransitionTime": "1970-01-01T00:00:00Z"})
    });
    if let Value::Object(fields) = &mut root {
        fields.insert(
            "status".to_owned(),
            json!({"observedGeneration": 1, "conditions": conditions}),
        );
    }
    root
}

/// What a domain's workloads look at: its namespace and its quota, in force and unused.
fn of_domain(domain: &Value) -> Vec<Value> {
    let text = |pointer: &str| domain.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or_default();
    let namespace = text("/spec/namespace/name").unwrap_or(name);
    let labels = HashMap::from([(labels::DOMAIN, name), (labels::MANAGED_BY, labels::POLDER)]);
    let mut objects = vec![json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels},
    })];
    if let Some(hard) = domain.pointer("/spec/quota/hard").filter(|hard| hard.is_object()) {
        objects.push(json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": names::quota(name), "namespace": namespace, "labels": labels},
            "spec": {"hard": hard}, "status": {"hard": hard},
        }));
    }
    objects
}
