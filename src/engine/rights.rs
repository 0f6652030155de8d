//! Rights that a pass has just given itself, and when the API server knows of them.
//!
//! Its authorizer reads bindings through a watch, as we do: our own watch showing a binding is the
//! best sign that the authorizer has it too. Without the wait, a busy API server refuses five writes
//! for each new namespace, and every refusal costs it a request.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    apply::{Outcome, Pass},
    plan::Child,
    world::path_of,
};

/// Longest wait for our own watch; after that the refusals tell.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(2);
/// The authorizer has to decode and index what it was sent, as we had.
const INDEXING: Duration = Duration::from_millis(5);

impl Pass<'_> {
    /// Brings the children of a rank to what they should be. With rights that are new, one goes
    /// first: if it is refused for a moment, the others are not.
    pub(super) async fn rank(&self, children: &[&Child], are_rights_fresh: bool) -> Vec<Outcome> {
        let (first, rest) = children.split_at(usize::from(are_rights_fresh).min(children.len()));
        let mut outcomes = Vec::with_capacity(children.len());
        for child in first {
            outcomes.push(self.child(child).await);
        }
        let rest = rest.iter().map(|child| self.child(child));
        outcomes.extend(futures::future::join_all(rest).await);
        outcomes
    }

    /// Whether a rank gave rights just now; then waits until our watch shows them.
    pub(super) async fn gave_rights(&self, children: &[&Child], outcomes: &[Outcome]) -> bool {
        let given = children
            .iter()
            .zip(outcomes)
            .filter(|(child, outcome)| child.gives_rights && matches!(outcome, Outcome::Applied));
        let mut any = false;
        for (child, _) in given {
            any = true;
            self.shown(child).await;
        }
        any
    }

    async fn shown(&self, child: &Child) {
        let (world, key) = (&self.context.world, child.key());
        let Some(index) = world.index(&key.resource) else { return };
        let path = path_of(&key);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let version = world.get(index, &path).map(|stored| stored.version);
            if version.is_none_or(|version| world.has_seen(index, version)) {
                return sleep(INDEXING).await;
            }
            sleep(LOOK).await;
        }
    }
}
