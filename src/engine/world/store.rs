//! The objects of one type, updated in place: swapping in a new map at a relist would double the
//! memory.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use super::deps::Dep;
use crate::engine::{
    decode::{Incoming, Owned, RootPart},
    resource::{ResourceType, Served},
    view::Record,
};

pub(super) const APP: &str = "app.kubernetes.io/name";
pub(super) const INSTANCE: &str = "app.kubernetes.io/instance";

/// What is kept of an object.
#[derive(Clone)]
pub(crate) struct Stored {
    pub record: Arc<Record>,
    pub version: u64,
    /// Digest from the annotation.
    pub applied: Option<u128>,
    /// Fields recorded for our manager.
    pub fields: Option<Owned>,
    /// Digest that was applied although the answer does not cover it: not to be sent again while
    /// nothing changes.
    pub settled: Option<u128>,
    pub root: Option<Box<RootPart>>,
    epoch: u32,
}

impl Stored {
    fn same_content(&self, other: &Self) -> bool {
        self.applied == other.applied
            && self.fields == other.fields
            && same_record(&self.record, &other.record)
            && match (&self.root, &other.root) {
                (Some(a), Some(b)) => a.same_wish(b) && a.lean.status() == b.lean.status(),
                (None, None) => true,
                _ => false,
            }
    }
}

impl Stored {
    /// Whether the answer to a write of ours says what was not known and the write did not do:
    /// another wish of a root, or another state of a child.
    pub(super) fn lacks(&self, answer: &Incoming) -> bool {
        let differs = match (&self.root, &answer.root) {
            (Some(a), Some(b)) => a.generation != b.generation || a.annotations != b.annotations,
            _ => self.record.kept != answer.record.kept,
        };
        differs || self.record.deleting != answer.record.deleting
    }
}

fn same_record(a: &Record, b: &Record) -> bool {
    a.uid == b.uid
        && a.deleting == b.deleting
        && a.controller == b.controller
        && a.labels == b.labels
        && a.kept == b.kept
}

/// An object before and after a change.
pub(super) struct Change {
    pub old: Option<Stored>,
    pub new: Option<Stored>,
}

impl Change {
    /// Whether only what nobody else looks at has changed: some of a root's status.
    pub(super) fn is_private(&self) -> bool {
        let (Some(old), Some(new)) = (&self.old, &self.new) else { return false };
        match (&old.root, &new.root) {
            (Some(a), Some(b)) => a.same_to_others(b) && same_record(&old.record, &new.record),
            _ => false,
        }
    }
}

/// All objects of a type.
pub(super) struct TypeStore {
    pub resource: ResourceType,
    /// Position of the controller whose roots these are.
    pub controller: Option<usize>,
    /// Labels that the watch asks for.
    pub(super) selector: Vec<Term>,
    pub objects: BTreeMap<Arc<str>, Stored>,
    /// Whether the API server shows the type.
    pub served: Served,
    /// Newest resourceVersion that the watch has delivered.
    pub seen: u64,
    owned: HashMap<Arc<str>, Paths>,
    groups: HashMap<Dep, Paths>,
    epoch: u32,
}

impl TypeStore {
    pub(super) fn new(
        resource: ResourceType,
        controller: Option<usize>,
        selector: Option<&'static str>,
    ) -> Self {
        Self {
            resource,
            controller,
            selector: selector.map(terms).unwrap_or_default(),
            objects: BTreeMap::new(),
            served: Served::Yes,
            seen: 0,
            owned: HashMap::new(),
            groups: HashMap::new(),
            epoch: 0,
        }
    }

    /// Whether the watch would show an object with these labels.
    pub(super) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selector.iter().all(|(key, value)| {
            labels.get(*key).is_some_and(|own| value.is_none_or(|value| own == value))
        })
    }

    /// Takes in an object unless it is not newer than what is known.
    pub(super) fn put(&mut self, index: usize, incoming: Incoming) -> Option<Change> {
        let path: Arc<str> = match self.objects.get_mut(incoming.path.as_str()) {
            Some(known) if !newer(incoming.version, known.version) => {
                known.epoch = self.epoch;
                return None;
            }
            _ => Arc::from(incoming.path),
        };
        let mut new = Stored {
            record: Arc::new(incoming.record),
            version: incoming.version,
            applied: incoming.applied,
            fields: incoming.fields,
            settled: None,
            root: incoming.root.map(Box::new),
            epoch: self.epoch,
        };
        let old = self.objects.get(&path).cloned();
        if let Some(known) = &old {
            if known.fields == new.fields && known.applied == new.applied {
                new.settled = known.settled;
            }
            if known.same_content(&new) {
                new.record = Arc::clone(&known.record);
                self.objects.insert(path, new);
                return None;
            }
            self.unlink(index, &path, known);
        }
        self.link(index, &path, &new);
        self.objects.insert(path, new.clone());
        Some(Change { old, new: Some(new) })
    }

    /// Removes an object unless what is known is newer than the deletion.
    pub(super) fn remove(&mut self, index: usize, path: &str, version: u64) -> Option<Change> {
        if self.objects.get(path)?.version > version {
            return None;
        }
        let (path, old) = self.objects.remove_entry(path)?;
        self.unlink(index, &path, &old);
        Some(Change { old: Some(old), new: None })
    }

    /// Everything seen from now on belongs to a new list.
    pub(super) fn begin_list(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Removes what the list, complete as of `version`, did not show: deleted while nobody watched.
    pub(super) fn end_list(&mut self, index: usize, version: u64) -> Vec<Change> {
        self.seen = self.seen.max(version);
        let gone: Vec<Arc<str>> = self
            .objects
            .iter()
            .filter(|(_, stored)| stored.epoch != self.epoch && stored.version <= version)
            .map(|(path, _)| Arc::clone(path))
            .collect();
        gone.iter().filter_map(|path| self.remove(index, path, u64::MAX)).collect()
    }

    /// Removes everything: the type is not served any more.
    pub(super) fn clear(&mut self, index: usize) -> Vec<Change> {
        let all: Vec<Arc<str>> = self.objects.keys().map(Arc::clone).collect();
        all.iter().filter_map(|path| self.remove(index, path, u64::MAX)).collect()
    }

    /// Objects of a namespace, by name.
    pub(super) fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Stored> {
        let from = format!("{namespace}/");
        let to = format!("{namespace}0"); // the character after the slash
        let range = (Bound::Included(from.as_str()), Bound::Excluded(to.as_str()));
        self.objects.range::<str, _>(range).map(|(_, stored)| stored)
    }

    /// Objects of a labelled group.
    pub(super) fn in_group(&self, group: Dep) -> impl Iterator<Item = &Stored> {
        self.groups
            .get(&group)
            .into_iter()
            .flat_map(|paths| &paths.0)
            .filter_map(|path| self.objects.get(path))
    }

    /// Objects whose controller has this uid.
    pub(super) fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Stored> {
        self.owned
            .get(uid)
            .into_iter()
            .flat_map(|paths| &paths.0)
            .filter_map(|path| self.objects.get(path))
    }

    fn link(&mut self, index: usize, path: &Arc<str>, stored: &Stored) {
        if let Some(owner) = &stored.record.controller {
            self.owned.entry(owner.clone()).or_default().add(path);
        }
        if let Some(group) = group_of(index, &stored.record) {
            self.groups.entry(group).or_default().add(path);
        }
    }

    fn unlink(&mut self, index: usize, path: &Arc<str>, stored: &Stored) {
        if let Some(owner) = &stored.record.controller
            && let Some(paths) = self.owned.get_mut(owner)
            && paths.remove(path)
        {
            self.owned.remove(owner);
        }
        if let Some(group) = group_of(index, &stored.record)
            && let Some(paths) = self.groups.get_mut(&group)
            && paths.remove(path)
        {
            self.groups.remove(&group);
        }
    }
}

/// A few paths in order. Most owners and groups have one or two in each type, for which a tree's
/// node is ten times too large.
#[derive(Default)]
struct Paths(Vec<Arc<str>>);

impl Paths {
    fn add(&mut self, path: &Arc<str>) {
        if let Err(place) = self.0.binary_search(path) {
            if self.0.len() < 4 {
                self.0.reserve_exact(1);
            }
            self.0.insert(place, Arc::clone(path));
        }
    }

    /// Whether none is left.
    fn remove(&mut self, path: &Arc<str>) -> bool {
        if let Ok(place) = self.0.binary_search(path) {
            self.0.remove(place);
        }
        self.0.is_empty()
    }
}

/// The labelled group that an object belongs to.
pub(super) fn group_of(index: usize, record: &Record) -> Option<Dep> {
    let namespace = record.key.namespace.as_deref().unwrap_or_default();
    Some(Dep::group(index, namespace, record.labels.get(APP)?, record.labels.get(INSTANCE)?))
}

/// resourceVersions of a type are comparable numbers
/// (<https://github.com/kubernetes/enhancements/issues/5504>); one that is none is always new.
fn newer(version: u64, known: u64) -> bool {
    version > known || version == u64::MAX
}

/// A label that must be there, and the value it must have, if any.
pub(super) type Term = (&'static str, Option<&'static str>);

/// The terms `key` and `key=value` of a selector.
fn terms(selector: &'static str) -> Vec<Term> {
    selector
        .split(',')
        .filter(|term| !term.contains('!') && !term.contains(' '))
        .map(|term| match term.split_once('=') {
            Some((key, value)) => (key, Some(value.trim_start_matches('='))),
            None => (term, None),
        })
        .collect()
}
