//! Which events came last.
//!
//! The API server sends a batch again when it got no answer. Events are recognised by their whole
//! text: an audit ID alone is chosen by whoever makes a request, who could then hide one request
//! behind another.
//! Source: <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>, `auditID`

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

/// Half of a SHA-256: two different events with the same one are not to be expected, ever.
pub type Key = [u8; 16];

/// The key of a line.
pub fn key(line: &str) -> Key {
    let mut key = Key::default();
    for (to, from) in key.iter_mut().zip(Sha256::digest(line.as_bytes())) {
        *to = from;
    }
    key
}

/// The last so many events.
#[derive(Debug)]
pub struct Window {
    size: usize,
    order: VecDeque<Key>,
    keys: HashSet<Key>,
}

impl Window {
    /// Remembers so many.
    pub fn new(size: usize) -> Self {
        Self { size, order: VecDeque::new(), keys: HashSet::new() }
    }

    /// Whether an event came lately.
    pub fn contains(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Remembers a line.
    pub fn insert(&mut self, line: &str) {
        self.insert_key(key(line));
    }

    /// Remembers an event.
    pub fn insert_key(&mut self, key: Key) {
        if !self.keys.insert(key) {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.size
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
