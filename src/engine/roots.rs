//! The roots that this process works on, for whoever counts them.

use std::{any::TypeId, sync::Arc};

use serde::Deserialize;

use super::{context::Context, kind::Root, lean::Lean, resource::ObjectKey, view::Record};

/// All roots of the shards that this process works on. A standby has none, so that no two
/// processes tell of the same.
#[derive(Clone)]
pub struct Roots(Context);

/// A root as it was last seen.
pub struct Seen {
    record: Arc<Record>,
    lean: Lean,
}

impl Roots {
    pub(super) fn new(context: Context) -> Self {
        Self(context)
    }

    /// Those of a kind.
    pub fn of<R: Root>(&self) -> Vec<Seen> {
        let Some(index) = self.0.world.root_index(TypeId::of::<R>()) else { return Vec::new() };
        self.0.world.every(index, |stored| {
            let part = stored.root.as_ref().filter(|part| self.0.shards.is_ours(part.shard))?;
            Some(Seen { record: Arc::clone(&stored.record), lean: part.lean.clone() })
        })
    }
}

impl Seen {
    /// Type, namespace and name.
    pub fn key(&self) -> &ObjectKey {
        &self.record.key
    }

    /// Its status, or as much of it as `T` has; `None` if there is none.
    pub fn status<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.lean.status()?).ok()
    }
}
