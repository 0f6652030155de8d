//! Which roots this process may write: all, or those of the shards whose leases it holds.
//!
//! A root's shard follows from its home (its namespace; of a Domain, the namespace it makes), so that
//! a domain and its workloads are always written by the same process. The hash is rendezvous hashing:
//! with another count of shards, as few domains as possible change theirs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use super::fence::Fence;

/// All shards, held or not.
pub(crate) struct Shards(Vec<Shard>);

struct Shard {
    fence: Fence,
    /// Passes may start.
    is_worked: AtomicBool,
    /// Passes in hand.
    passes: AtomicUsize,
}

/// A pass in hand.
pub(crate) struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shard {
    fn is_ours(&self) -> bool {
        self.is_worked.load(Ordering::Acquire) && self.fence.is_open()
    }
}

impl Shards {
    /// As many, behind closed or open fences.
    pub(crate) fn new(count: usize, fence: impl Fn() -> Fence) -> Self {
        let shard = |_| {
            let fence = fence();
            let is_worked = AtomicBool::new(fence.is_open());
            Shard { fence, is_worked, passes: AtomicUsize::new(0) }
        };
        Self((0..count.max(1)).map(shard).collect())
    }

    /// The fence of a shard. There is always one to be had: without shards there is one shard.
    pub(crate) fn fence(&self, shard: usize) -> &Fence {
        static NONE: std::sync::OnceLock<Fence> = std::sync::OnceLock::new();
        self.0.get(shard).map_or_else(|| NONE.get_or_init(Fence::closed), |shard| &shard.fence)
    }

    /// Lets passes start, or not any more.
    pub(crate) fn work(&self, shard: usize, is_worked: bool) {
        if let Some(shard) = self.0.get(shard) {
            shard.is_worked.store(is_worked, Ordering::Release);
        }
    }

    /// Begins a pass; `None` if the shard is not ours.
    pub(crate) fn turn(&self, shard: usize) -> Option<Turn<'_>> {
        let shard = self.0.get(shard)?;
        // Counted first: who looks for passes in hand either sees this one, or this one sees that
        // the shard is given up.
        shard.passes.fetch_add(1, Ordering::AcqRel);
        let turn = Turn(&shard.passes);
        shard.is_ours().then_some(turn)
    }

    /// Whether this process works on a shard.
    pub(crate) fn is_ours(&self, shard: usize) -> bool {
        self.0.get(shard).is_some_and(Shard::is_ours)
    }

    /// Whether no pass is in hand.
    pub(crate) fn is_quiet(&self, shard: usize) -> bool {
        self.0.get(shard).is_none_or(|shard| shard.passes.load(Ordering::Acquire) == 0)
    }
}

/// The shard of a home, out of `count`. The same in every process and every release.
pub(crate) fn shard_of(home: &str, count: usize) -> usize {
    (0..count).max_by_key(|shard| weight(home, *shard)).unwrap_or(0)
}

fn weight(home: &str, shard: usize) -> [u8; 32] {
    let shard = u64::try_from(shard).unwrap_or(u64::MAX);
    Sha256::new().chain_update(shard.to_be_bytes()).chain_update(home).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes() -> impl Iterator<Item = String> {
        (0..3000).map(|i| format!("domain-{i}"))
    }

    #[test]
    fn homes_spread_evenly_and_few_move() {
        let mut counts = [0; 3];
        for home in homes() {
            counts[shard_of(&home, 3)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        let moved = homes().filter(|home| shard_of(home, 3) != shard_of(home, 4)).count();
        assert!((600..900).contains(&moved), "{moved} of 3000 moved from 3 to 4 shards");
        assert!(homes().all(
            |home| matches!(shard_of(&home, 4), 3) || shard_of(&home, 3) == shard_of(&home, 4)
        ));
    }

    #[test]
    fn releases_agree() {
        let shards: Vec<usize> = ["sales", "weather", "bi"].map(|home| shard_of(home, 5)).into();
        assert_eq!(shards, [1, 4, 1]);
    }

    #[test]
    fn passes_run_only_while_the_shard_is_ours() {
        let shards = Shards::new(2, Fence::open);
        let turn = shards.turn(1);
        assert!(turn.is_some() && !shards.is_quiet(1) && shards.is_quiet(0));
        assert!(shards.is_ours(1));
        shards.work(1, false);
        assert!(!shards.is_ours(1) && shards.turn(1).is_none() && !shards.is_quiet(1));
        drop(turn);
        assert!(shards.is_quiet(1));
        shards.work(1, true);
        shards.fence(1).close();
        assert!(shards.turn(1).is_none());
        assert!(shards.turn(7).is_none() && !shards.fence(7).is_open());
    }
}
