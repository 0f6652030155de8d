//! What the process knows of the cluster: one store per type, who owns what, and who must be woken
//! when something changes.

mod deps;
mod intern;
mod state;
mod store;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;

use std::{
    any::TypeId,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use deps::Deps;
pub(crate) use deps::{Dep, RootId};
use intern::Interner;
use state::{State, Writing};
pub(crate) use store::Stored;
use store::{Change, TypeStore, group_of};

use super::{
    decode::Incoming,
    queue::Queue,
    resource::{ObjectKey, ResourceType, Served},
};
use crate::telemetry::Metrics;

/// How soon a root is woken by what it looked at aside. Such things change with every pod of a
/// domain, and many look at them: a pass for each change would be the square of the fleet.
const ASIDE: Duration = Duration::from_secs(1);

/// The stores, shared by watches and reconciles.
pub(crate) struct World {
    state: Mutex<State>,
    types: HashMap<ResourceType, usize>,
    roots: HashMap<TypeId, usize>,
    /// One per controller.
    pub queues: Vec<Arc<Queue>>,
    metrics: Metrics,
    /// Changes when types may have come to the cluster.
    definitions: watch::Sender<u64>,
}

/// Who looks, if it is a root, and the dependency that it becomes.
pub(crate) type Looker<'a> = Option<(&'a RootId, Dep)>;

/// A type as the world has to know it.
pub(crate) struct TypeEntry {
    pub resource: ResourceType,
    pub selector: Option<&'static str>,
    /// For a root type: its Rust type, and the position of its controller.
    pub root: Option<(TypeId, usize)>,
}

impl World {
    pub(crate) fn new(entries: &[TypeEntry], queues: Vec<Arc<Queue>>, metrics: Metrics) -> Self {
        let stores = entries
            .iter()
            .map(|e| TypeStore::new(e.resource, e.root.map(|(_, c)| c), e.selector))
            .collect();
        Self {
            types: entries.iter().enumerate().map(|(i, e)| (e.resource, i)).collect(),
            roots: entries.iter().enumerate().filter_map(|(i, e)| Some((e.root?.0, i))).collect(),
            state: Mutex::new(State {
                stores,
                deps: Deps::default(),
                uids: HashMap::new(),
                writing: HashMap::new(),
                labels: Interner::default(),
                texts: Interner::default(),
            }),
            queues,
            metrics,
            definitions: watch::Sender::new(0),
        }
    }

    /// Tells when a CustomResourceDefinition is made or changes; `None` if they are not watched.
    pub(crate) fn definitions(&self) -> Option<watch::Receiver<u64>> {
        let index = self.index(&ResourceType::DEFINITION)?;
        let is_served = self.served(index, None) == Served::Yes;
        is_served.then(|| self.definitions.subscribe())
    }

    /// Position of a type; `None` if no watch was registered for it.
    pub(crate) fn index(&self, resource: &ResourceType) -> Option<usize> {
        self.types.get(resource).copied()
    }

    /// Position of a root type.
    pub(crate) fn root_index(&self, id: TypeId) -> Option<usize> {
        self.roots.get(&id).copied()
    }

    /// Some type was defined, or its definition changed.
    pub(crate) fn note_definition(&self) {
        self.definitions.send_modify(|count| *count += 1);
    }

    /// A panic never happens while the lock is held with the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object from a list: what the list is worth is known at its end.
    pub(crate) fn put_listed(&self, index: usize, incoming: Incoming) {
        self.put(index, incoming);
    }

    /// An object from a watch, whose events come in order.
    pub(crate) fn put_watched(&self, index: usize, incoming: Incoming) {
        let version = incoming.version;
        if incoming.record.key.resource == ResourceType::DEFINITION {
            self.note_definition();
        }
        self.put(index, incoming);
        if version != u64::MAX {
            self.bookmark(index, version);
        }
    }

    fn put(&self, index: usize, incoming: Incoming) {
        let mut state = self.lock();
        let (path, version) = (incoming.path.clone(), incoming.version);
        let change = state.put(index, incoming);
        if let Some(change) = change {
            let writing = state.writing.get_mut(&Dep::object(index, &path)).map(|writing| {
                writing.events.push(version);
                writing.by.clone()
            });
            self.spread(&state, index, &change, writing.as_ref());
        }
    }

    /// A deletion seen by a watch.
    pub(crate) fn remove(&self, index: usize, path: &str, version: u64) {
        let mut state = self.lock();
        let Some(store) = state.stores.get_mut(index) else { return };
        store.seen = store.seen.max(version);
        if let Some(change) = store.remove(index, path, version) {
            state.forget_uid(&change);
            self.spread(&state, index, &change, None);
        }
    }

    /// The watch has seen everything up to here.
    pub(crate) fn bookmark(&self, index: usize, version: u64) {
        if let Some(store) = self.lock().stores.get_mut(index) {
            store.seen = store.seen.max(version);
        }
    }

    /// Whether the watch has come to this version.
    pub(crate) fn has_seen(&self, index: usize, version: u64) -> bool {
        self.lock().stores.get(index).is_some_and(|store| store.seen >= version)
    }

    pub(crate) fn begin_list(&self, index: usize) {
        if let Some(store) = self.lock().stores.get_mut(index) {
            store.begin_list();
        }
    }

    /// A list is complete: what it did not show is gone.
    pub(crate) fn end_list(&self, index: usize, version: u64) {
        let mut state = self.lock();
        let Some(store) = state.stores.get_mut(index) else { return };
        for change in store.end_list(index, version) {
            state.forget_uid(&change);
            self.spread(&state, index, &change, None);
        }
    }

    /// Whether a type is served, which becomes a dependency of the root.
    pub(crate) fn served(&self, index: usize, root: Option<&RootId>) -> Served {
        let mut state = self.lock();
        state.depend(root.map(|root| (root, Dep::served(index))));
        state.stores.get(index).map(|store| store.served).unwrap_or_default()
    }

    /// A type is served, or is not any more. True if that is news.
    pub(crate) fn set_served(&self, index: usize, served: Served) -> bool {
        let mut state = self.lock();
        let Some(store) = state.stores.get_mut(index) else { return false };
        if std::mem::replace(&mut store.served, served) == served {
            return false;
        }
        let gone = if served == Served::Yes { Vec::new() } else { store.clear(index) };
        for change in gone {
            state.forget_uid(&change);
            self.spread(&state, index, &change, None);
        }
        for root in state.deps.on(Dep::served(index)) {
            self.wake(root);
        }
        true
    }

    /// A root is about to write an object.
    pub(crate) fn begin_write(&self, index: usize, path: &str, by: &RootId) {
        let writing = Writing { by: by.clone(), events: Vec::new() };
        self.lock().writing.insert(Dep::object(index, path), writing);
    }

    /// The write failed, or nobody knows.
    pub(crate) fn abort_write(&self, index: usize, path: &str, by: &RootId) {
        let writing = self.lock().writing.remove(&Dep::object(index, path));
        if writing.is_some_and(|w| !w.events.is_empty()) {
            self.wake(by);
        }
    }

    /// The answer to a write. The writer itself is woken only if it holds, or something newer was
    /// seen of, what somebody else did.
    pub(crate) fn end_write(&self, index: usize, incoming: Incoming, by: &RootId) {
        let mut state = self.lock();
        let writing = state.writing.remove(&Dep::object(index, &incoming.path));
        let Some(store) = state.stores.get(index) else { return };
        let known = store.objects.get(incoming.path.as_str());
        let overtaken = match known {
            Some(known) => known.version > incoming.version,
            // Deleted before the answer came, or never to be seen by the watch.
            None => incoming.version <= store.seen || !store.selects(&incoming.record.labels),
        };
        // A change just before the write: its event was withheld from the writer, or will be too
        // old to be one.
        let preceded = writing.is_some_and(|w| w.events.iter().any(|v| *v != incoming.version))
            || known.is_some_and(|known| known.lacks(&incoming));
        if overtaken {
            drop(state);
            self.wake(by);
            return;
        }
        if let Some(change) = state.put(index, incoming) {
            self.spread(&state, index, &change, Some(by));
        }
        if preceded {
            self.wake(by);
        }
    }

    /// A delete was accepted: until the watch says so, it is at least going.
    pub(crate) fn mark_deleting(&self, index: usize, path: &str, uid: &str) {
        let mut state = self.lock();
        let stored = state.stores.get_mut(index).and_then(|s| s.objects.get_mut(path));
        if let Some(stored) = stored.filter(|stored| stored.record.uid == uid) {
            Arc::make_mut(&mut stored.record).deleting = true;
        }
    }

    /// Remembers that the answer to an apply does not cover what was sent.
    pub(crate) fn settle(&self, index: usize, path: &str, version: u64, digest: u128) {
        let mut state = self.lock();
        let stored = state.stores.get_mut(index).and_then(|s| s.objects.get_mut(path));
        if let Some(stored) = stored.filter(|stored| stored.version == version) {
            stored.settled = Some(digest);
        }
    }

    /// An object.
    pub(crate) fn get(&self, index: usize, path: &str) -> Option<Stored> {
        self.lock().stores.get(index)?.objects.get(path).cloned()
    }

    /// An object, which becomes a dependency of the root.
    pub(crate) fn look(&self, index: usize, path: &str, root: Option<&RootId>) -> Option<Stored> {
        self.look_by(index, path, root.map(|root| (root, Dep::object(index, path))))
    }

    /// The same, as one looks at it.
    pub(crate) fn look_by(&self, index: usize, path: &str, by: Looker<'_>) -> Option<Stored> {
        let mut state = self.lock();
        state.depend(by);
        state.stores.get(index)?.objects.get(path).cloned()
    }

    /// The objects of a namespace.
    pub(crate) fn in_namespace(&self, index: usize, ns: &str, by: Looker<'_>) -> Vec<Stored> {
        let mut state = self.lock();
        state.depend(by);
        state.stores.get(index).into_iter().flat_map(|s| s.in_namespace(ns)).cloned().collect()
    }

    /// The objects of a labelled group.
    pub(crate) fn in_group(&self, index: usize, group: Dep, root: Option<&RootId>) -> Vec<Stored> {
        let mut state = self.lock();
        state.depend(root.map(|root| (root, group)));
        state
            .stores
            .get(index)
            .into_iter()
            .flat_map(|store| store.in_group(group))
            .filter(|stored| group_of(index, &stored.record) == Some(group))
            .cloned()
            .collect()
    }

    /// Objects of types that are no roots whose controller is this root.
    pub(crate) fn owned_by(&self, uid: &str) -> Vec<Stored> {
        let state = self.lock();
        let children = state.stores.iter().filter(|store| store.controller.is_none());
        children.flat_map(|store| store.owned_by(uid)).cloned().collect()
    }

    /// Whether a root with this uid is known.
    pub(crate) fn is_root(&self, uid: &str) -> bool {
        self.lock().uids.contains_key(uid)
    }

    /// Forgets the dependencies that the last pass did not have.
    pub(crate) fn retain_deps(&self, root: &RootId, current: &HashSet<Dep>) {
        self.lock().deps.retain(root, current);
    }

    /// The labels, with their values, that a type's watch asks for.
    pub(crate) fn selector(&self, index: usize) -> Vec<(&'static str, &'static str)> {
        let state = self.lock();
        let terms = state.stores.get(index).into_iter().flat_map(|store| &store.selector);
        terms.filter_map(|(key, value)| Some((*key, (*value)?))).collect()
    }

    /// The shard of a root; `None` if it is not there.
    pub(crate) fn shard(&self, index: usize, path: &str) -> Option<usize> {
        let state = self.lock();
        state.stores.get(index)?.objects.get(path)?.root.as_ref().map(|part| part.shard)
    }

    /// The paths of all roots of a type that belong to a shard.
    pub(crate) fn of_shard(&self, index: usize, shard: usize) -> Vec<Arc<str>> {
        let state = self.lock();
        let objects = state.stores.get(index).into_iter().flat_map(|store| &store.objects);
        objects
            .filter(|(_, stored)| stored.root.as_ref().is_some_and(|part| part.shard == shard))
            .map(|(path, _)| Arc::clone(path))
            .collect()
    }

    /// What `pick` takes of each object of a type.
    pub(crate) fn every<T>(&self, index: usize, pick: impl Fn(&Stored) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        let objects = state.stores.get(index).into_iter().flat_map(|store| &store.objects);
        objects.filter_map(|(_, stored)| pick(stored)).collect()
    }

    /// Puts a root in its queue.
    pub(crate) fn wake(&self, root: &RootId) {
        if let Some(queue) = self.queues.get(root.controller) {
            queue.add(&root.path);
        }
    }

    /// Wakes whom a change concerns, and counts it.
    fn spread(&self, state: &State, index: usize, change: &Change, except: Option<&RootId>) {
        let concerned = state.concerned(index, change);
        for root in concerned.at_once.iter().filter(|root| except != Some(root)) {
            self.wake(root);
        }
        for root in concerned.soon.difference(&concerned.at_once) {
            if let Some(queue) = self.queues.get(root.controller) {
                queue.add_within(&root.path, ASIDE);
            }
        }
        let Some(store) = state.stores.get(index) else { return };
        self.metrics.objects(store.resource.kind, store.objects.len());
        if let Some(queue) = store.controller.and_then(|c| self.queues.get(c)) {
            for (side, step) in [(&change.old, -1), (&change.new, 1)] {
                if let Some(root) = side.as_ref().and_then(|stored| stored.root.as_ref()) {
                    let ready = root.ready.as_ref().map_or("None", |(status, _)| bounded(status));
                    self.metrics.ready(queue.name(), ready, step);
                }
            }
        }
    }
}

/// Path of a key inside its store.
pub(crate) fn path_of(key: &ObjectKey) -> String {
    super::decode::path(key.namespace.as_deref(), &key.name)
}

/// A condition's status as a metric label.
fn bounded(status: &str) -> &'static str {
    match status {
        "True" => "True",
        "False" => "False",
        _ => "Unknown",
    }
}
