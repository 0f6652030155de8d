//! A world of given objects: for tests of a kind's `resolve`, and for work without a cluster.

use std::{any::TypeId, fmt::Display, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    builder::Watch,
    context::manager,
    decode::{AnyRoot, DecodeRoot, Decoder},
    digest,
    driver::{Driver, Registered, decoder_of, resource_of},
    extract,
    kind::Root,
    plan::{Child, Plan, Problem},
    resource::{ResourceType, Served},
    send::desired,
    view::View,
    world::{TypeEntry, World},
};
use crate::telemetry::Metrics;

/// Why an object could not be put in.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Neither a registered root nor a watched type.
    #[error("{0} is neither a registered kind nor a watched type")]
    Unknown(String),
    /// Not readable as an object.
    #[error("the object cannot be read: {0}")]
    Unreadable(String),
}

/// Declares the types of a [`Snapshot`].
#[derive(Default)]
pub struct SnapshotBuilder {
    entries: Vec<TypeEntry>,
    decoders: Vec<Decoder>,
    drivers: Vec<Arc<dyn Driver>>,
}

impl SnapshotBuilder {
    /// Objects of this type may be put in, and are reduced as the watch would.
    #[must_use]
    pub fn watch(mut self, watch: Watch) -> Self {
        let Watch { resource, selector, keep } = watch;
        self.entries.push(TypeEntry { resource, selector, root: None });
        self.decoders.push(Decoder {
            resource,
            keep,
            managers: Arc::new([]),
            root: None,
            shards: 1,
        });
        self
    }

    /// Roots of this type may be put in.
    #[must_use]
    pub fn root<R: Root>(self) -> Self {
        let decoder = decoder_of::<R>(|_| None, |_| None);
        self.entry(resource_of::<R>(), TypeId::of::<R>(), decoder)
    }

    /// Roots of these kinds may be put in, judged and planned.
    #[must_use]
    pub fn kinds(self, kinds: impl IntoIterator<Item = Registered>) -> Self {
        kinds.into_iter().fold(self, |mut builder, Registered(driver)| {
            builder.drivers.push(Arc::clone(&driver));
            builder.entry(driver.resource(), driver.root_type(), driver.decoder())
        })
    }

    fn entry(mut self, resource: ResourceType, id: TypeId, decoder: Arc<DecodeRoot>) -> Self {
        // No queue is at this position: nobody is woken.
        self.entries.push(TypeEntry { resource, selector: None, root: Some((id, usize::MAX)) });
        let root = Some(decoder);
        self.decoders.push(Decoder {
            resource,
            keep: &[],
            managers: Arc::new([]),
            root,
            shards: 1,
        });
        self
    }

    /// The empty snapshot.
    pub fn build(self, metrics: Metrics) -> Snapshot {
        let world = World::new(&self.entries, Vec::new(), metrics);
        Snapshot { world, decoders: self.decoders, drivers: self.drivers, version: 0 }
    }
}

/// A world of given objects.
pub struct Snapshot {
    world: World,
    decoders: Vec<Decoder>,
    drivers: Vec<Arc<dyn Driver>>,
    version: u64,
}

impl Snapshot {
    /// Starts to declare types.
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder::default()
    }

    /// Takes a watched type for absent from the cluster.
    pub fn absent(&mut self, resource: ResourceType) {
        if let Some(index) = self.world.index(&resource) {
            self.world.set_served(index, Served::NotInstalled);
        }
    }

    /// Puts in an object, or another version of it.
    pub fn put(&mut self, object: &Value) -> Result<(), SnapshotError> {
        let (api_version, kind) = type_of(object);
        let found = self.decoders.iter().enumerate().find(|(_, decoder)| {
            decoder.resource.kind == kind && decoder.resource.api_version() == api_version
        });
        let Some((index, decoder)) = found else {
            return Err(unknown(object));
        };
        let mut incoming = decoder.decode(&object.to_string()).map_err(|e| unreadable(&e))?;
        if let Some(message) = incoming.root.as_ref().and_then(|root| root.broken.as_ref()) {
            return Err(unreadable(message));
        }
        self.version += 1;
        incoming.version = self.version;
        self.world.put_listed(index, incoming);
        Ok(())
    }

    /// What a root's kind says of it here: all that is wrong, or else the plan.
    ///
    /// # Errors
    /// The problems; or that the root is of no registered kind, or cannot be read.
    pub fn plan(&self, root: &Value, now: Timestamp) -> Result<Plan, Refused> {
        let (driver, object) = self.driver(root)?;
        let resolved = driver.resolve(&object, &self.view(now));
        let resolved = resolved.ok_or_else(|| unreadable(&"it is of another type"))?;
        let problems = driver.validate(&object, &resolved);
        if problems.is_empty() { Ok(driver.plan(&object, &resolved)) } else { Err(problems.into()) }
    }

    /// What the operator of a cluster last applied of a child of this root, if it is not what is
    /// wanted here: it is of another version, or has not come to it yet. `live` is the child as the
    /// API server has it.
    pub fn outdated(&self, root: &Value, child: &Child, live: &Value) -> Option<Value> {
        let (driver, _) = self.driver(root).ok()?;
        let text = |object: &Value, pointer: &str| {
            object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (uid, name) = (text(root, "/metadata/uid"), text(root, "/metadata/name"));
        let selector = self.world.selector(self.world.index(&child.resource)?);
        let wanted = desired(child, driver.resource(), &name, selector);
        let applied = digest::from_text(&text(live, "/metadata/annotations/polder.dev~1applied"));
        if applied == Some(digest::digest(&uid, &wanted)) {
            return None;
        }
        extract::applied(live, &manager(driver.name()))
    }

    fn driver(&self, root: &Value) -> Result<(&Arc<dyn Driver>, AnyRoot), SnapshotError> {
        let (api_version, kind) = type_of(root);
        let is_of = |driver: &&Arc<dyn Driver>| {
            let resource = driver.resource();
            resource.kind == kind && resource.api_version() == api_version
        };
        let driver = self.drivers.iter().find(is_of).ok_or_else(|| unknown(root))?;
        let decoded = driver.decoder()(&root.to_string()).map_err(|error| unreadable(&error))?;
        Ok((driver, decoded.object))
    }

    /// The view of a pass at this time.
    pub fn view(&self, now: Timestamp) -> View<'_> {
        View::new(&self.world, None, now)
    }
}

/// Why there is no plan.
#[derive(Debug)]
pub enum Refused {
    /// The root's kind says so.
    Problems(Vec<Problem>),
    /// It could not be asked.
    Unreadable(SnapshotError),
}

impl From<Vec<Problem>> for Refused {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

impl From<SnapshotError> for Refused {
    fn from(error: SnapshotError) -> Self {
        Self::Unreadable(error)
    }
}

fn type_of(object: &Value) -> (&str, &str) {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("apiVersion"), text("kind"))
}

fn unknown(object: &Value) -> SnapshotError {
    let (api_version, kind) = type_of(object);
    SnapshotError::Unknown(format!("{api_version} {kind}"))
}

fn unreadable(error: &dyn Display) -> SnapshotError {
    SnapshotError::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Pod};
    use serde_json::json;

    use super::*;
    use crate::engine::{ObjectKey, ResourceType};

    const PODS: ResourceType = ResourceType::namespaced::<Pod>();

    #[test]
    fn what_was_put_in_is_seen_as_a_kind_would() {
        let watch = Watch { resource: PODS, selector: None, keep: &["/status/phase"] };
        // Any typed object will do for a root.
        let builder = Snapshot::builder().watch(watch).root::<ConfigMap>();
        let mut snapshot = builder.build(Metrics::new().unwrap());
        let labels = json!({"app.kubernetes.io/name": "a", "app.kubernetes.io/instance": "i"});
        let pod = |phase: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase, "podIP": "::1"},
                "metadata": {"name": "p", "namespace": "n", "labels": labels}})
        };
        snapshot.put(&pod("Pending")).unwrap();
        snapshot.put(&pod("Running")).unwrap();
        let root = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": "r", "namespace": "n"}});
        snapshot.put(&root).unwrap();

        let view = snapshot.view(Timestamp::UNIX_EPOCH);
        let pod = view.object(&ObjectKey::namespaced(PODS, "n", "p")).unwrap();
        assert_eq!(pod.kept.value(), json!({"status": {"phase": "Running"}}));
        assert_eq!(view.labelled(PODS, "n", "a", "i").len(), 1);
        assert!(view.labelled(PODS, "n", "a", "other").is_empty());
        assert_eq!(view.all_in(PODS, "n").len(), 1);
        assert!(view.root::<ConfigMap>(Some("n"), "r").unwrap().data.is_some());
        assert_eq!(view.roots_aside::<ConfigMap>("n").len(), 1);
        assert!(view.root::<ConfigMap>(Some("m"), "r").is_none());
    }

    #[test]
    fn what_nobody_watches_is_refused() {
        let mut snapshot = Snapshot::builder().build(Metrics::new().unwrap());
        let error = snapshot.put(&json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
        assert_eq!(error.to_string(), "v1 Pod is neither a registered kind nor a watched type");
    }
}
