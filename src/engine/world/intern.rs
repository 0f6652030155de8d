//! One copy of each equal value: a thousand domains share a few dozen label sets and field lists.

use std::{collections::HashSet, hash::Hash, sync::Arc};

/// Values shared while somebody uses them.
pub(super) struct Interner<T: ?Sized> {
    values: HashSet<Arc<T>>,
    sweep_at: usize,
}

impl<T: ?Sized> Default for Interner<T> {
    fn default() -> Self {
        Self { values: HashSet::new(), sweep_at: 1024 }
    }
}

impl<T: ?Sized + Hash + Eq> Interner<T> {
    /// The shared copy of a value.
    pub(super) fn intern(&mut self, value: Arc<T>) -> Arc<T> {
        if let Some(shared) = self.values.get(&value) {
            return Arc::clone(shared);
        }
        if self.values.len() >= self.sweep_at {
            self.values.retain(|value| Arc::strong_count(value) > 1);
            self.sweep_at = (self.values.len() * 2).max(1024);
        }
        self.values.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_shared_and_unused_ones_forgotten() {
        let mut interner = Interner::<str>::default();
        let first = interner.intern("a".into());
        assert!(Arc::ptr_eq(&first, &interner.intern("a".into())));
        for i in 0..5000 {
            interner.intern(i.to_string().into());
        }
        assert!(interner.values.len() <= 1025);
        assert!(Arc::ptr_eq(&first, &interner.intern("a".into())));
    }
}
