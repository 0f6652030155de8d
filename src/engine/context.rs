//! What watches and reconciles share.

use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    decode::Decoder,
    driver::Driver,
    events::Events,
    hold_off::HeldOff,
    http::Http,
    resource::{ObjectKey, ResourceType},
    shards::Shards,
    world::World,
};
use crate::telemetry::Metrics;

/// Everything a running engine consists of.
#[derive(Clone)]
pub(crate) struct Context(Arc<Parts>);

pub(crate) struct Parts {
    pub world: World,
    /// Reads; writes go through one behind the fence of a shard.
    pub http: Http,
    pub shards: Shards,
    /// By type.
    pub decoders: Vec<Decoder>,
    /// By type.
    pub selectors: Vec<Option<&'static str>>,
    /// Types that are looked for in one namespace only.
    pub within: HashMap<ResourceType, String>,
    /// How many types must be served; those after them are optional.
    pub mandatory: usize,
    pub controllers: Vec<Controller>,
    pub events: Events,
    pub metrics: Metrics,
    pub resync: Duration,
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The field manager of a kind.
pub(crate) fn manager(kind: &str) -> String {
    format!("polder/{kind}")
}

/// A kind, and what the process remembers of its roots.
pub(crate) struct Controller {
    pub driver: Arc<dyn Driver>,
    /// Position of the root type.
    pub index: usize,
    pub manager: String,
    memories: Mutex<HashMap<Arc<str>, Arc<Mutex<Memory>>>>,
}

impl Controller {
    pub(crate) fn new(driver: Arc<dyn Driver>, index: usize) -> Self {
        let manager = manager(driver.name());
        Self { driver, index, manager, memories: Mutex::default() }
    }

    /// What is remembered of a root.
    pub(crate) fn memory(&self, path: &Arc<str>) -> Arc<Mutex<Memory>> {
        Arc::clone(lock(&self.memories).entry(Arc::clone(path)).or_default())
    }

    /// Forgets everything: others may have worked on the roots meanwhile.
    pub(crate) fn forget_shard(&self, paths: &[Arc<str>]) {
        let mut memories = lock(&self.memories);
        for path in paths {
            memories.remove(path);
        }
    }

    pub(crate) fn forget(&self, path: &str) {
        lock(&self.memories).remove(path);
    }
}

/// What a root's passes remember of earlier ones. Lost at a restart, which costs some requests.
#[derive(Default)]
pub(crate) struct Memory {
    /// Failed passes in a row.
    pub failures: u32,
    /// Children that need not be tried again yet, by kind and path.
    pub held_off: HashMap<(&'static str, String), HeldOff>,
    /// Hash of a status as it was sent, and of the text that the server made of it.
    pub status: Option<(u64, u64)>,
    /// Secrets that were made, of which the status may not tell yet.
    pub generated: HashSet<ObjectKey>,
    /// When a status was last written.
    pub told: Option<Instant>,
    /// Since when there is a status that has not been written.
    pub untold: Option<Instant>,
}

/// A panic is caught per object and leaves nothing half done behind these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
