//! The queue of one controller: each object once, dirty while in progress, and later.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::telemetry::Metrics;

/// Objects to be reconciled. No object is handed out twice at a time.
pub(crate) struct Queue {
    name: &'static str,
    state: Mutex<State>,
    changed: Notify,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Arc<str>>,
    objects: HashMap<Arc<str>, Slot>,
    later: BTreeMap<(Instant, u64), Arc<str>>,
    sequence: u64,
}

#[derive(Default)]
struct Slot {
    /// Waiting in `ready`, since then.
    queued: Option<Instant>,
    running: bool,
    /// Woken while running.
    dirty: bool,
    later: Option<(Instant, u64)>,
}

impl Slot {
    fn is_idle(&self) -> bool {
        self.queued.is_none() && !self.running && self.later.is_none()
    }
}

impl Queue {
    pub(crate) fn new(name: &'static str, metrics: Metrics) -> Self {
        Self { name, state: Mutex::default(), changed: Notify::new(), metrics }
    }

    /// Name of the controller.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reconcile this soon.
    pub(crate) fn add(&self, path: &Arc<str>) {
        let mut state = self.lock();
        if state.add(path) {
            self.metrics.queued(self.name);
            self.metrics.queue_depth(self.name, state.ready.len());
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Reconcile this within `delay`, once for all who ask meanwhile.
    pub(crate) fn add_within(&self, path: &Arc<str>, delay: Duration) {
        self.lock().schedule(path, Instant::now() + delay);
        self.changed.notify_one();
    }

    /// The object's pass is over; look again after `delay`, if any, unless woken before.
    pub(crate) fn done(&self, path: &Arc<str>, delay: Option<Duration>) {
        let mut state = self.lock();
        let Some(slot) = state.objects.get_mut(path) else { return };
        slot.running = false;
        if std::mem::take(&mut slot.dirty) {
            state.add(path);
        }
        if let Some(delay) = delay {
            state.schedule(path, Instant::now() + delay);
        }
        if state.objects.get(path).is_some_and(Slot::is_idle) {
            state.objects.remove(path);
        }
        self.metrics.queue_depth(self.name, state.ready.len());
        drop(state);
        self.changed.notify_one();
    }

    /// The next object; it is the caller's until [`done`](Self::done).
    pub(crate) async fn next(&self) -> Arc<str> {
        loop {
            let changed = self.changed.notified();
            let (taken, wake_at, more) = {
                let mut state = self.lock();
                state.promote(Instant::now());
                let taken = state.take();
                self.metrics.queue_depth(self.name, state.ready.len());
                let wake_at = state.later.keys().next().map(|(at, _)| *at);
                (taken, wake_at, !state.ready.is_empty())
            };
            if let Some((path, waited)) = taken {
                if more {
                    self.changed.notify_one();
                }
                self.metrics.waited(self.name, waited.as_secs_f64());
                return path;
            }
            match wake_at {
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Objects waiting now.
    #[cfg(test)]
    fn depth(&self) -> usize {
        self.lock().ready.len()
    }
}

impl State {
    /// Whether the object is newly in `ready`.
    fn add(&mut self, path: &Arc<str>) -> bool {
        let slot = self.objects.entry(Arc::clone(path)).or_default();
        if slot.running {
            slot.dirty = true;
            return false;
        }
        if slot.queued.is_some() {
            return false;
        }
        slot.queued = Some(Instant::now());
        if let Some(key) = slot.later.take() {
            self.later.remove(&key);
        }
        self.ready.push_back(Arc::clone(path));
        true
    }

    /// Looks at the object at this time, or earlier if it is to be anyway.
    fn schedule(&mut self, path: &Arc<str>, at: Instant) {
        let slot = self.objects.entry(Arc::clone(path)).or_default();
        if slot.queued.is_some() || slot.later.is_some_and(|(planned, _)| planned <= at) {
            return;
        }
        if let Some(key) = slot.later.take() {
            self.later.remove(&key);
        }
        self.sequence += 1;
        slot.later = Some((at, self.sequence));
        self.later.insert((at, self.sequence), Arc::clone(path));
    }

    /// Moves what is due to `ready`.
    fn promote(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            let path = entry.remove();
            if let Some(slot) = self.objects.get_mut(&path) {
                slot.later = None;
            }
            // Due while running: dirty.
            self.add(&path);
        }
    }

    fn take(&mut self) -> Option<(Arc<str>, Duration)> {
        let path = self.ready.pop_front()?;
        let slot = self.objects.entry(Arc::clone(&path)).or_default();
        let waited = slot.queued.take().map(|since| since.elapsed()).unwrap_or_default();
        slot.running = true;
        Some((path, waited))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
