//! Who depends on what: each look-up of a root's resolve, found or not, and back.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// A root: position of its controller, and its path in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RootId {
    pub controller: usize,
    pub path: Arc<str>,
}

/// Something looked up, as a hash: a collision costs a wake-up too many, never one too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Dep(u64);

impl Dep {
    /// One object, there or not.
    pub(crate) fn object(index: usize, path: &str) -> Self {
        Self::of(&(0u8, index, path))
    }

    /// All objects of a type in a namespace.
    pub(crate) fn namespace(index: usize, namespace: &str) -> Self {
        Self::of(&(1u8, index, namespace))
    }

    /// All objects of a type in a namespace with these labels.
    pub(crate) fn group(index: usize, namespace: &str, app: &str, instance: &str) -> Self {
        Self::of(&(2u8, index, namespace, app, instance))
    }

    /// Whether a type is served.
    pub(crate) fn served(index: usize) -> Self {
        Self::of(&(3u8, index))
    }

    /// The same, looked at aside: a change of it has time.
    pub(crate) fn aside(self) -> Self {
        Self::of(&(4u8, self))
    }

    fn of(value: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The look-ups of all roots.
#[derive(Default)]
pub(super) struct Deps {
    of_root: HashMap<RootId, HashSet<Dep>>,
    /// Nearly always one root: a list of one is the smallest.
    on: HashMap<Dep, Vec<RootId>>,
}

impl Deps {
    pub(super) fn add(&mut self, root: &RootId, dep: Dep) {
        if self.of_root.entry(root.clone()).or_default().insert(dep) {
            match self.on.entry(dep) {
                Entry::Occupied(roots) => roots.into_mut().push(root.clone()),
                Entry::Vacant(place) => {
                    place.insert(vec![root.clone()]);
                }
            }
        }
    }

    /// Forgets what a root no longer looks up.
    pub(super) fn retain(&mut self, root: &RootId, current: &HashSet<Dep>) {
        let Some(deps) = self.of_root.get_mut(root) else { return };
        let gone: Vec<Dep> = deps.difference(current).copied().collect();
        for dep in gone {
            deps.remove(&dep);
            if let Some(roots) = self.on.get_mut(&dep) {
                roots.retain(|other| other != root);
                if roots.is_empty() {
                    self.on.remove(&dep);
                }
            }
        }
        if deps.is_empty() {
            self.of_root.remove(root);
        }
    }

    /// The roots that looked this up.
    pub(super) fn on(&self, dep: Dep) -> impl Iterator<Item = &RootId> {
        self.on.get(&dep).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependants_follow_the_last_resolve() {
        let root = RootId { controller: 0, path: "n/a".into() };
        let (x, y) = (Dep::object(1, "n/x"), Dep::namespace(1, "n"));
        let mut deps = Deps::default();
        deps.add(&root, x);
        deps.add(&root, y);
        assert_eq!(deps.on(x).count(), 1);
        deps.retain(&root, &HashSet::from([y]));
        assert_eq!(deps.on(x).count(), 0);
        assert_eq!(deps.on(y).count(), 1);
        deps.retain(&root, &HashSet::new());
        assert!(deps.of_root.is_empty() && deps.on.is_empty());
    }

    #[test]
    fn kinds_of_look_ups_differ() {
        assert_ne!(Dep::object(1, "n"), Dep::namespace(1, "n"));
        assert_ne!(Dep::object(1, "n"), Dep::object(2, "n"));
        assert_ne!(Dep::object(1, "n"), Dep::object(1, "n").aside());
    }
}
