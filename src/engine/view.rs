//! What a kind may look at: the stores, through a view that remembers what was looked up.

use std::{
    any::TypeId,
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    kind::Root,
    resource::{ObjectKey, ResourceType, Served},
    world::{Dep, Looker, RootId, Stored, World, path_of},
};

/// A small record of a watched object.
#[derive(Clone, Debug)]
pub struct Record {
    /// Type, namespace and name.
    pub key: ObjectKey,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.labels`
    pub labels: Arc<BTreeMap<String, String>>,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// `metadata.creationTimestamp`
    pub created: Timestamp,
    /// uid of the controlling owner, if any.
    pub controller: Option<Arc<str>>,
    /// The parts of the object that its watch keeps (JSON pointers given at registration); null
    /// for metadata-only watches.
    pub kept: Kept,
}

/// The kept parts of an object, where the original had them. As text: a tree of values takes ten
/// times the memory, and there is one for every pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept(Option<Box<str>>);

impl Kept {
    /// From an object with these parts; null for none.
    pub fn new(value: &Value) -> Self {
        Self((!value.is_null()).then(|| value.to_string().into()))
    }

    /// The object with these parts; null for none.
    pub fn value(&self) -> Value {
        self.0.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// One part of it.
    pub fn pointer(&self, pointer: &str) -> Option<Value> {
        self.value().pointer_mut(pointer).map(Value::take)
    }
}

impl Record {
    /// A kept part as a type of k8s-openapi: `record.part::<StatefulSetStatus>("/status")`.
    /// `None` where it is absent or of another shape.
    pub fn part<T: serde::de::DeserializeOwned>(&self, pointer: &str) -> Option<T> {
        self.kept.pointer(pointer).and_then(|value| T::deserialize(value).ok())
    }
}

impl From<Value> for Kept {
    fn from(value: Value) -> Self {
        Self::new(&value)
    }
}

/// Read access to the stores for one pass over one root.
pub struct View<'a> {
    world: &'a World,
    root: Option<&'a RootId>,
    now: Timestamp,
    looked: RefCell<HashSet<Dep>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(world: &'a World, root: Option<&'a RootId>, now: Timestamp) -> Self {
        Self { world, root, now, looked: RefCell::default() }
    }

    /// What was looked up so far.
    pub(crate) fn into_deps(self) -> HashSet<Dep> {
        self.looked.into_inner()
    }

    /// The time of this pass.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A root of any registered kind. One that could not be decoded is not there.
    pub fn root<R: Root>(&self, namespace: Option<&str>, name: &str) -> Option<Arc<R>> {
        let index = self.root_index::<R>()?;
        let path = super::decode::path(namespace, name);
        let dep = self.note(Dep::object(index, &path));
        typed(self.world.look_by(index, &path, self.by(dep))?)
    }

    /// Roots of a kind in a namespace, looked at aside: a change of one of them wakes this root
    /// within a second, and many changes wake it once.
    pub fn roots_aside<R: Root>(&self, namespace: &str) -> Vec<Arc<R>> {
        let Some(index) = self.root_index::<R>() else { return Vec::new() };
        let dep = self.note(Dep::namespace(index, namespace).aside());
        let stored = self.world.in_namespace(index, namespace, self.by(dep));
        stored.into_iter().filter_map(typed).collect()
    }

    /// A watched object.
    pub fn object(&self, key: &ObjectKey) -> Option<Arc<Record>> {
        self.look(key, |dep| dep)
    }

    /// A watched object, looked at aside: a change of it wakes this root within a second, and
    /// many changes wake it once.
    pub fn object_aside(&self, key: &ObjectKey) -> Option<Arc<Record>> {
        self.look(key, Dep::aside)
    }

    fn look(&self, key: &ObjectKey, how: impl Fn(Dep) -> Dep) -> Option<Arc<Record>> {
        let index = self.index(&key.resource)?;
        let path = path_of(key);
        let dep = self.note(how(Dep::object(index, &path)));
        Some(self.world.look_by(index, &path, self.by(dep))?.record)
    }

    /// Watched objects of a type in a namespace that carry the labels
    /// `app.kubernetes.io/name` = `app` and `app.kubernetes.io/instance` = `instance`.
    pub fn labelled(
        &self,
        resource: ResourceType,
        namespace: &str,
        app: &str,
        instance: &str,
    ) -> Vec<Arc<Record>> {
        let Some(index) = self.index(&resource) else { return Vec::new() };
        let group = Dep::group(index, namespace, app, instance);
        self.note(group);
        records(self.world.in_group(index, group, self.root))
    }

    /// All watched objects of a type in a namespace.
    pub fn all_in(&self, resource: ResourceType, namespace: &str) -> Vec<Arc<Record>> {
        let Some(index) = self.index(&resource) else { return Vec::new() };
        let dep = self.note(Dep::namespace(index, namespace));
        records(self.world.in_namespace(index, namespace, self.by(dep)))
    }

    /// Whether the API server shows a type. Only one that is watched as optional can be absent.
    pub fn served(&self, resource: ResourceType) -> Served {
        let Some(index) = self.index(&resource) else { return Served::NotInstalled };
        self.note(Dep::served(index));
        self.world.served(index, self.root)
    }

    fn by(&self, dep: Dep) -> Looker<'_> {
        self.root.map(|root| (root, dep))
    }

    fn note(&self, dep: Dep) -> Dep {
        self.looked.borrow_mut().insert(dep);
        dep
    }

    fn index(&self, resource: &ResourceType) -> Option<usize> {
        let index = self.world.index(resource);
        if index.is_none() {
            tracing::error!(kind = resource.kind, "BUG: looked up a type that nobody watches");
        }
        index
    }

    fn root_index<R: Root>(&self) -> Option<usize> {
        let index = self.world.root_index(TypeId::of::<R>());
        if index.is_none() {
            tracing::error!(kind = %R::kind(&()), "BUG: looked up a root kind that is not registered");
        }
        index
    }
}

fn records(stored: Vec<Stored>) -> Vec<Arc<Record>> {
    stored.into_iter().map(|stored| stored.record).collect()
}

fn typed<R: Root>(stored: Stored) -> Option<Arc<R>> {
    stored.root?.object().ok()?.downcast().ok()
}
