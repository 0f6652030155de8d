//! Until when this process may write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::sleep};

/// Open while the lease is surely ours. Looked at right before every write, so that a process that
/// was stopped past its lease writes nothing when it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Fence(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Milliseconds after `start`.
    until: AtomicU64,
    changed: Notify,
}

impl Fence {
    /// A fence that is always open: no leader election.
    pub(crate) fn open() -> Self {
        Self::new(u64::MAX)
    }

    /// A fence that opens with the lease.
    pub(crate) fn closed() -> Self {
        Self::new(0)
    }

    fn new(until: u64) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            until: AtomicU64::new(until),
            changed: Notify::new(),
        }))
    }

    /// Opens until `until`.
    pub(crate) fn extend(&self, until: Instant) {
        let until = millis(until.saturating_duration_since(self.0.start));
        self.0.until.store(until, Ordering::Release);
    }

    /// Closes for good.
    pub(crate) fn close(&self) {
        self.0.until.store(0, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    /// Waits until it is closed: a write that is under way then is given up, whatever becomes of it.
    pub(crate) async fn until_closed(&self) {
        loop {
            let changed = self.0.changed.notified();
            let until = self.0.until.load(Ordering::Acquire);
            let rest = until.saturating_sub(millis(self.0.start.elapsed()));
            if rest == 0 {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = sleep(Duration::from_millis(rest)) => {}
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        millis(self.0.start.elapsed()) < self.0.until.load(Ordering::Acquire)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_by_itself() {
        assert!(Fence::open().is_open());
        let fence = Fence::closed();
        assert!(!fence.is_open());
        fence.extend(Instant::now() + Duration::from_millis(50));
        assert!(fence.is_open());
        std::thread::sleep(Duration::from_millis(60));
        assert!(!fence.is_open());
        fence.extend(Instant::now() + Duration::from_secs(50));
        fence.close();
        assert!(!fence.is_open());
    }

    #[tokio::test]
    async fn who_waits_learns_that_it_closes() {
        let fence = Fence::closed();
        fence.until_closed().await;
        fence.extend(Instant::now() + Duration::from_millis(20));
        fence.until_closed().await;
        assert!(!fence.is_open());
        fence.extend(Instant::now() + Duration::from_secs(50));
        let waits = tokio::spawn({
            let fence = fence.clone();
            async move { fence.until_closed().await }
        });
        tokio::task::yield_now().await;
        fence.close();
        waits.await.unwrap();
    }
}
