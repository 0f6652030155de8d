//! Children that the API server refused: the same wish is not sent again with every wake-up.

use tokio::time::Instant;

use super::{
    apply::{Outcome, Pass, Wanted},
    backoff::{Backoff, about},
    context::lock,
    plan::Fault,
};

/// A child that was refused.
pub(crate) struct HeldOff {
    /// What was refused.
    digest: u128,
    /// The object as it was then; empty if it was not there.
    uid: String,
    /// How often in a row.
    failures: u32,
    pub until: Instant,
    pub(crate) conflict: bool,
    fault: Fault,
    /// This pass came across it: it is still wanted.
    current: bool,
}

impl HeldOff {
    /// Whether the pass that ends now wanted this child; asks once.
    pub(crate) fn take_current(&mut self) -> bool {
        std::mem::take(&mut self.current)
    }
}

/// Why a child was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Wrong in itself: not before it changes.
    Invalid,
    /// A quota or an admission policy, which may change unseen.
    Policy,
    /// Somebody else's object, which may go unseen.
    Conflict,
}

impl Wanted<'_> {
    pub(super) fn slot(&self) -> (&'static str, String) {
        (self.key.resource.kind, self.path.clone())
    }
}

impl Pass<'_> {
    /// The earlier fault, while the same wish for the same object need not be tried again.
    pub(super) fn held_off(&self, wanted: &Wanted<'_>, uid: &str) -> Option<Outcome> {
        let mut memory = lock(self.memory);
        let held = memory.held_off.get_mut(&wanted.slot())?;
        held.current = true;
        let same = held.conflict || held.digest == wanted.digest;
        (same && held.uid == uid && Instant::now() < held.until).then(|| {
            let fault = held.fault.clone();
            if held.conflict { Outcome::Conflict(fault) } else { Outcome::Rejected(fault) }
        })
    }

    /// Remembers a refusal.
    pub(super) fn hold_off(&self, wanted: &Wanted<'_>, uid: &str, fault: &Fault, why: Why) {
        let mut memory = lock(self.memory);
        let failures = memory
            .held_off
            .get(&wanted.slot())
            .filter(|held| held.digest == wanted.digest && held.uid == uid)
            .map_or(1, |held| held.failures.saturating_add(1));
        let wait = match why {
            Why::Invalid => about(self.context.resync),
            Why::Policy => Backoff::OBJECT.wait(failures),
            Why::Conflict => Backoff::CONFLICT.wait(failures),
        };
        let held = HeldOff {
            digest: wanted.digest,
            uid: uid.to_owned(),
            failures,
            until: Instant::now() + wait,
            conflict: why == Why::Conflict,
            fault: fault.clone(),
            current: true,
        };
        memory.held_off.insert(wanted.slot(), held);
    }

    /// Nothing is wrong with this child any more.
    pub(super) fn release(&self, wanted: &Wanted<'_>) {
        lock(self.memory).held_off.remove(&wanted.slot());
    }
}
