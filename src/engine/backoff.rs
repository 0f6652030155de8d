//! How long to wait after a failure: full jitter, so that what failed together does not return
//! together.

use std::time::Duration;

/// A growing wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// Of an object whose reconcile failed.
    pub(super) const OBJECT: Self =
        Self { base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    /// Of an object that waits for a person to remove something we cannot watch.
    pub(super) const CONFLICT: Self =
        Self { base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    /// Of a broken list or watch.
    pub(super) const WATCH: Self =
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) };

    /// The longest wait after this many failures in a row (the first is 1).
    pub(super) fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// A random wait up to the ceiling.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        self.ceiling(failures).mul_f64(rand::random_range(0.05..=1.0))
    }
}

/// A time within a tenth of `period`.
pub(crate) fn about(period: Duration) -> Duration {
    period.mul_f64(rand::random_range(0.9..=1.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_cap_and_jitters_below() {
        let ceilings: Vec<u64> =
            [1, 2, 3, 9, 10, 99].map(|n| Backoff::OBJECT.ceiling(n).as_secs()).into();
        assert_eq!(ceilings, [1, 2, 4, 256, 300, 300]);
        for failures in 1..50 {
            assert!(Backoff::OBJECT.wait(failures) <= Backoff::OBJECT.ceiling(failures));
        }
    }
}
