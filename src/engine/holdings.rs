//! What the leases of a process know of each other: who holds which shard, whether a shard may be
//! taken at all, and when the work is shared out unevenly.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::context::lock;

/// How long a shard that was asked for may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shared by all leases of a process.
#[derive(Clone)]
pub(crate) struct Holdings(Arc<Inner>);

struct Inner {
    identity: String,
    state: Mutex<State>,
}

struct State {
    /// By shard.
    holders: Vec<Holder>,
    /// A shard that was asked for, until when.
    asked: Option<(usize, Instant)>,
}

/// Who holds a shard, as last seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holder {
    /// Empty if nobody does.
    pub name: String,
    /// How many shards there are for whoever holds it.
    pub shards: usize,
    /// Until when it is believed.
    pub until: Option<Instant>,
}

impl Holder {
    fn is_alive(&self) -> bool {
        self.is_alive_for(Duration::ZERO)
    }

    fn is_alive_for(&self, time: Duration) -> bool {
        !self.name.is_empty() && self.until.is_some_and(|until| Instant::now() + time < until)
    }
}

impl Holdings {
    pub(crate) fn new(identity: &str, shards: usize) -> Self {
        let state = State { holders: vec![Holder::default(); shards], asked: None };
        Self(Arc::new(Inner { identity: identity.to_owned(), state: Mutex::new(state) }))
    }

    pub(crate) fn shards(&self) -> usize {
        lock(&self.0.state).holders.len()
    }

    /// A lease was read or written.
    pub(crate) fn see(&self, shard: usize, holder: Holder) {
        let mut state = lock(&self.0.state);
        let is_ours = holder.name == self.0.identity;
        if is_ours && state.asked.is_some_and(|(asked, _)| asked == shard) {
            state.asked = None;
        }
        if let Some(known) = state.holders.get_mut(shard) {
            *known = holder;
        }
    }

    /// Whether a shard that nobody holds may be taken: the first one says how many there are, and
    /// whoever counts differently must not work beside us. `request` is the longest that taking it
    /// may last.
    pub(crate) fn may_take(&self, shard: usize, request: Duration) -> bool {
        let state = lock(&self.0.state);
        let count = state.holders.len();
        let agrees = |first: &Holder| first.is_alive_for(request) && first.shards == count;
        shard == 0 || state.holders.first().is_some_and(agrees)
    }

    /// Whether to ask the holder of a shard for it: it has at least two more than we have. One at
    /// a time.
    pub(crate) fn asks(&self, shard: usize) -> bool {
        let mut state = lock(&self.0.state);
        let now = Instant::now();
        if state.asked.is_some_and(|(_, until)| now < until) {
            return false;
        }
        let Some(holder) = state.holders.get(shard).filter(|holder| holder.is_alive()) else {
            return false;
        };
        // Whoever counts otherwise keeps what it has until it goes.
        let is_like_us = holder.shards == state.holders.len();
        let asks = is_like_us && state.count(&holder.name) > state.count(&self.0.identity) + 1;
        if asks {
            state.asked = Some((shard, now + PATIENCE));
        }
        asks
    }

    /// Whether to give a shard of ours to somebody who asks.
    pub(crate) fn gives_to(&self, name: &str) -> bool {
        let state = lock(&self.0.state);
        name != self.0.identity && state.count(&self.0.identity) > state.count(name) + 1
    }
}

impl State {
    fn count(&self, name: &str) -> usize {
        self.holders.iter().filter(|holder| holder.is_alive() && holder.name == name).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, shards: usize) -> Holder {
        let until = Some(Instant::now() + Duration::from_mins(1));
        Holder { name: name.to_owned(), shards, until }
    }

    #[test]
    fn the_work_is_shared_until_it_is_even() {
        let b = Holdings::new("b", 3);
        for shard in 0..3 {
            b.see(shard, held("a", 3));
        }
        assert!(b.asks(1) && !b.asks(2), "one at a time");
        b.see(1, held("b", 3));
        assert!(!b.asks(0), "two and one is even enough");

        let a = Holdings::new("a", 3);
        for shard in 0..3 {
            a.see(shard, held("a", 3));
        }
        assert!(a.gives_to("b") && !a.gives_to("a"));
        a.see(1, held("b", 3));
        assert!(!a.gives_to("b") && a.gives_to("c"));
    }

    #[test]
    fn nothing_is_asked_of_whoever_counts_differently() {
        let four = Holdings::new("four", 4);
        for shard in 0..3 {
            four.see(shard, held("three", 3));
        }
        assert!((0..4).all(|shard| !four.asks(shard)));
    }

    #[test]
    fn who_counts_differently_stands_by() {
        let ours = Holdings::new("b", 3);
        assert!(
            ours.may_take(0, Duration::from_secs(3)) && !ours.may_take(1, Duration::from_secs(3)),
            "nobody has said how many there are"
        );
        ours.see(0, held("a", 4));
        assert!(!ours.may_take(1, Duration::from_secs(3)));
        ours.see(0, held("a", 3));
        assert!(ours.may_take(1, Duration::from_secs(3)));
        ours.see(0, Holder { until: Some(Instant::now()), ..held("a", 3) });
        assert!(
            !ours.may_take(1, Duration::from_secs(3)),
            "it may be gone, and another count may come"
        );
    }
}
