//! Passes one after the other: each guarded against panics, and followed by an appointment.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    backoff::{Backoff, about},
    context::{Context, Controller, Memory, lock},
    reconcile::{reconcile, start},
    world::RootId,
};
use crate::telemetry::traces;

/// Nothing is looked at again sooner, unless it changed.
const SOON: Duration = Duration::from_millis(10);

/// How a pass ended.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Something is to be tried again.
    pub failed: bool,
    /// The least the server asks to wait.
    pub not_before: Option<Duration>,
    /// The kind asked to look again.
    pub at: Option<Timestamp>,
    /// There is a status that will have to be written if it lasts this long.
    pub untold: Option<Duration>,
    /// The root is gone.
    pub gone: bool,
}

/// Takes objects from the queue of a controller; stops between two of them.
pub(crate) async fn work(context: Context, controller: usize, stop: CancellationToken) {
    let Some(queue) = context.world.queues.get(controller).cloned() else { return };
    let Some(this) = context.controllers.get(controller) else { return };
    let name = this.driver.name();
    loop {
        let path = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            path = queue.next() => path,
        };
        // A root that is gone belongs to nobody, and nothing is written of it.
        let shard = context.world.shard(this.index, &path);
        let turn = match shard.map(|shard| context.shards.turn(shard)) {
            Some(None) => {
                queue.done(&path, None);
                continue;
            }
            Some(turn) => turn,
            None => None,
        };
        context.metrics.active(name, 1);
        let id = RootId { controller, path: Arc::clone(&path) };
        let started = Instant::now();
        let (result, delay) = guarded(&context, this, &id).await;
        context.metrics.reconciled(name, result, started.elapsed().as_secs_f64());
        context.metrics.active(name, -1);
        drop(turn);
        queue.done(&path, delay);
    }
}

/// A pass whose panic hurts nobody else. Returns the result's name and when to look again.
async fn guarded(
    context: &Context,
    controller: &Controller,
    id: &RootId,
) -> (&'static str, Option<Duration>) {
    let (namespace, _) = id.path.split_once('/').unwrap_or_default();
    let kind = controller.driver.resource().kind;
    // In names of controller-runtime. Of the highest level: whatever is logged shows whose it is.
    let span = tracing::error_span!(
        "reconcile",
        controller = controller.driver.name(),
        object = %format_args!("{kind} {}", id.path.trim_start_matches('/')),
        namespace,
        reconcileID = %format_args!("{:016x}", rand::random::<u64>()),
        traceID = tracing::field::Empty,
    );
    traces::note_id(&span);
    let memory = controller.memory(&id.path);
    async {
        let pass = reconcile(context, controller, id, &memory);
        let verdict = match AssertUnwindSafe(pass).catch_unwind().await {
            Ok(verdict) => verdict,
            Err(panic) => {
                context.metrics.panicked(controller.driver.name());
                internal_error(context, controller, id, &memory, panic_text(&*panic)).await;
                Verdict { failed: true, ..Verdict::default() }
            }
        };
        let (result, again) = schedule(context, controller, id, &memory, &verdict);
        tracing::debug!(result, ?again, "reconciled");
        (result, again)
    }
    .instrument(span)
    .await
}

/// When to look again although nothing changes.
fn schedule(
    context: &Context,
    controller: &Controller,
    id: &RootId,
    memory: &Mutex<Memory>,
    verdict: &Verdict,
) -> (&'static str, Option<Duration>) {
    if verdict.gone {
        controller.forget(&id.path);
        context.world.retain_deps(id, &HashSet::new());
        return ("success", None);
    }
    let mut memory = lock(memory);
    memory.failures = if verdict.failed { memory.failures.saturating_add(1) } else { 0 };
    memory.held_off.retain(|_, held| held.take_current());
    let now = Instant::now();
    let held_off = memory
        .held_off
        .values()
        .map(|held| held.until.saturating_duration_since(now).max(SOON))
        .min();
    let asked = verdict.at.map(|at| {
        let wait = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        // A kind that asks for a moment that is over must not spin.
        if wait.is_zero() { Duration::from_secs(1) } else { wait.max(SOON) }
    });
    let backoff = verdict
        .failed
        .then(|| Backoff::OBJECT.wait(memory.failures).max(verdict.not_before.unwrap_or_default()));
    let resync = about(context.resync);
    let untold = verdict.untold.map(|wait| wait.max(SOON));
    let delay =
        [held_off, asked, backoff, untold].into_iter().flatten().fold(resync, Duration::min);
    let result = match (verdict.failed, asked) {
        (true, _) => "error",
        (false, Some(_)) => "requeue_after",
        (false, None) => "success",
    };
    (result, Some(delay))
}

async fn internal_error(
    context: &Context,
    controller: &Controller,
    id: &RootId,
    memory: &Mutex<Memory>,
    panic: &str,
) {
    tracing::error!(panic, "BUG: the reconcile panicked");
    let Some(root) = context.world.get(controller.index, &id.path) else { return };
    let message = format!(
        "Polder has a bug that this object brings out; others go on. Please report it: {panic}"
    );
    start(context, controller, id, &root, memory).stall(&root, "InternalError", &message).await;
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}
