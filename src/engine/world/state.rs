//! What is behind the world's lock.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Looker,
    deps::{Dep, Deps, RootId},
    intern::Interner,
    path_of,
    store::{Change, TypeStore, group_of},
};
use crate::engine::decode::Incoming;

pub(super) struct State {
    pub stores: Vec<TypeStore>,
    pub deps: Deps,
    /// Roots by uid.
    pub uids: HashMap<String, RootId>,
    /// Objects being written, by whom: the event of one's own write is no news.
    pub writing: HashMap<Dep, Writing>,
    pub labels: Interner<BTreeMap<String, String>>,
    pub texts: Interner<str>,
}

/// Whom a change concerns.
#[derive(Default)]
pub(super) struct Concerned {
    pub at_once: HashSet<RootId>,
    /// Those who looked at it aside; some of them may be in the other set too.
    pub soon: HashSet<RootId>,
}

pub(super) struct Writing {
    pub by: RootId,
    /// Versions of the events that came before the answer did.
    pub events: Vec<u64>,
}

impl State {
    pub(super) fn put(&mut self, index: usize, mut incoming: Incoming) -> Option<Change> {
        incoming.record.labels = self.labels.intern(Arc::clone(&incoming.record.labels));
        if let Some(owned) = &mut incoming.fields {
            owned.fields = self.texts.intern(Arc::clone(&owned.fields));
        }
        if let Some(uid) = &mut incoming.record.controller {
            *uid = self.texts.intern(Arc::clone(uid));
        }
        let store = self.stores.get_mut(index)?;
        let controller = store.controller;
        let change = store.put(index, incoming)?;
        if let (Some(controller), Some(new)) = (controller, &change.new) {
            let id = RootId { controller, path: path_of(&new.record.key).into() };
            if change.old.as_ref().is_none_or(|old| old.record.uid != new.record.uid) {
                self.forget_uid(&change);
                self.uids.insert(new.record.uid.clone(), id);
            }
        }
        Some(change)
    }

    pub(super) fn forget_uid(&mut self, change: &Change) {
        if let Some(old) = &change.old {
            self.uids.remove(&old.record.uid);
        }
    }

    pub(super) fn depend(&mut self, by: Looker<'_>) {
        if let Some((root, dep)) = by {
            self.deps.add(root, dep);
        }
    }

    /// Roots that own the object, looked at it, or are it.
    pub(super) fn concerned(&self, index: usize, change: &Change) -> Concerned {
        let mut concerned = Concerned::default();
        let roots = &mut concerned.at_once;
        for stored in [&change.old, &change.new].into_iter().flatten() {
            let record = &stored.record;
            let path = path_of(&record.key);
            let namespace = record.key.namespace.as_deref().unwrap_or_default();
            let deps = [
                Some(Dep::object(index, &path)),
                Some(Dep::namespace(index, namespace)),
                group_of(index, record),
            ];
            for dep in deps.into_iter().flatten().filter(|_| !change.is_private()) {
                roots.extend(self.deps.on(dep).cloned());
                concerned.soon.extend(self.deps.on(dep.aside()).cloned());
            }
            roots.extend(record.controller.as_deref().and_then(|uid| self.uids.get(uid)).cloned());
            if let Some(controller) = self.stores.get(index).and_then(|store| store.controller) {
                roots.insert(RootId { controller, path: path.into() });
            }
        }
        concerned
    }
}
