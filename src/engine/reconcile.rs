//! One pass over one root: resolve, validate, plan, apply, observe, status.

use std::{
    collections::BTreeMap,
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    apply::{Outcome, Pass},
    context::{Context, Controller, Memory, lock},
    decode::AnyRoot,
    driver::AnyResolved,
    error::{Class, RequestError},
    plan::{Child, Fault, Finalize, Plan, Report},
    status,
    view::View,
    worker::Verdict,
    world::{RootId, Stored},
};

pub(super) async fn reconcile(
    context: &Context,
    controller: &Controller,
    id: &RootId,
    memory: &Mutex<Memory>,
) -> Verdict {
    let Some(root) = context.world.get(controller.index, &id.path) else {
        return Verdict { gone: true, ..Verdict::default() };
    };
    let pass = start(context, controller, id, &root, memory);
    let Some(part) = &root.root else { return Verdict::default() };
    let object = match part.object() {
        Ok(object) => object,
        Err(message) => {
            let message = format!(
                "Polder cannot read this object, which a newer or older schema let in: {message}; \
                 apply it again as the current schema wants it"
            );
            return pass.stall(&root, "Undecodable", &message).await;
        }
    };
    if root.record.deleting {
        pass.end(&root, &object).await
    } else {
        pass.run(&root, &object).await
    }
}

pub(super) fn start<'a>(
    context: &'a Context,
    controller: &'a Controller,
    id: &'a RootId,
    root: &'a Stored,
    memory: &'a Mutex<Memory>,
) -> Pass<'a> {
    Pass {
        context,
        controller,
        id,
        uid: &root.record.uid,
        name: &root.record.key.name,
        memory,
        http: context.http.behind(context.shards.fence(shard_of(root))),
        deps: Mutex::default(),
        wrote: AtomicBool::new(false),
    }
}

impl Pass<'_> {
    /// A root that is wanted.
    async fn run(&self, root: &Stored, object: &AnyRoot) -> Verdict {
        let driver = &self.controller.driver;
        let Some(resolved) = self.resolve(object) else { return Verdict::default() };
        let mut report =
            Report { problems: driver.validate(object, &resolved), ..Report::default() };
        let mut verdict = Verdict::default();
        if report.problems.is_empty() {
            let plan = driver.plan(object, &resolved);
            verdict.at = plan.requeue_at;
            match self.hold(root).await {
                Ok(()) => verdict.not_before = self.carry_out(&plan, &mut report).await,
                Err(error) => report.failed.push(root_fault(root, &error)),
            }
        }
        // What is already so was seen by the first look.
        let resolved =
            if self.wrote() { self.resolve(object).unwrap_or(resolved) } else { resolved };
        verdict.failed = !report.failed.is_empty();
        self.finish(object, &resolved, &report, verdict).await
    }

    /// A root that is being deleted.
    async fn end(&self, root: &Stored, object: &AnyRoot) -> Verdict {
        let driver = &self.controller.driver;
        let held = root.root.as_ref().is_some_and(|part| {
            part.finalizers.iter().any(|f| Some(f.as_str()) == driver.finalizer())
        });
        let Some(mut resolved) = self.resolve(object).filter(|_| held) else {
            return Verdict::default();
        };
        let mut report = Report { held: true, ..Report::default() };
        let mut asked = driver.finalize(object, &resolved);
        if let Finalize::Mark(farewell) = &asked {
            take(self.mark(farewell).await, &mut report);
            // Our own writes wake nobody.
            resolved = self.resolve(object).unwrap_or(resolved);
            asked = driver.finalize(object, &resolved);
        }
        match asked {
            // It was not taken, and the report says why.
            Finalize::Mark(_) => {}
            Finalize::Done => match self.let_go(root).await {
                Ok(()) => return Verdict::default(),
                Err(error) => report.failed.push(root_fault(root, &error)),
            },
            Finalize::Wait { delete } => report.failed = self.delete(&delete).await,
        }
        let verdict = Verdict { failed: !report.failed.is_empty(), ..Verdict::default() };
        self.finish(object, &resolved, &report, verdict).await
    }

    /// Every way out of a pass ends in status.
    async fn finish(
        &self,
        object: &AnyRoot,
        resolved: &AnyResolved,
        report: &Report,
        mut verdict: Verdict,
    ) -> Verdict {
        for fault in report.failed.iter().chain(&report.rejected).chain(&report.conflicts) {
            tracing::warn!(about = %fault.key, "{}", fault.message);
        }
        let desired = self.controller.driver.status(object, resolved, report);
        let told = self.tell(desired).await;
        verdict.failed |= told.is_none();
        verdict.untold = told.flatten();
        let deps = std::mem::take(&mut *lock(&self.deps));
        self.context.world.retain_deps(self.id, &deps);
        verdict
    }

    /// Ends with a status that the kind could not give.
    pub(super) async fn stall(&self, root: &Stored, reason: &str, message: &str) -> Verdict {
        let Some(part) = &root.root else { return Verdict::default() };
        let live = part.lean.status().and_then(|text| serde_json::from_str(text).ok());
        let live = live.unwrap_or(Value::Null);
        let told = self.tell(status::stalled(&live, part.generation, reason, message)).await;
        Verdict { failed: told.is_none(), untold: told.flatten(), ..Verdict::default() }
    }

    /// Writes the status of the root as it is now, or says how long that has time; `None` if it
    /// failed and is to be tried again.
    async fn tell(&self, desired: Value) -> Option<Option<Duration>> {
        let root = self.context.world.get(self.controller.index, &self.id.path);
        let Some(root) = root.filter(|root| root.record.uid == self.uid) else {
            return Some(None);
        };
        match self.report(&root, desired).await {
            Ok(wait) => Some(wait),
            Err(error) if matches!(error.class(), Class::Gone | Class::Conflict) => {
                tracing::debug!(%error, "the root has gone or changed meanwhile");
                Some(None)
            }
            Err(error) => {
                tracing::warn!(%error, "the status could not be written");
                None
            }
        }
    }

    /// Applies ranks in order, then removes what is no longer wanted.
    async fn carry_out(&self, plan: &Plan, report: &mut Report) -> Option<Duration> {
        let mut ranks: BTreeMap<u8, Vec<&Child>> = BTreeMap::new();
        for child in &plan.children {
            ranks.entry(child.rank).or_default().push(child);
        }
        let mut not_before = None;
        let mut sound = true;
        let mut are_rights_fresh = false;
        for (rank, children) in ranks {
            if !sound || plan.hold_after.is_some_and(|last| rank > last) {
                report.held = true;
                break;
            }
            let outcomes = self.rank(&children, are_rights_fresh).await;
            are_rights_fresh = self.gave_rights(&children, &outcomes).await;
            for outcome in outcomes {
                sound &=
                    matches!(outcome, Outcome::InPlace | Outcome::Applied | Outcome::Generated(_));
                not_before = not_before.max(take(outcome, report));
            }
        }
        if sound {
            report.failed.extend(self.delete(&plan.delete).await);
        }
        if report.is_complete() {
            report.failed.extend(self.prune(plan).await);
        }
        not_before
    }

    /// Gathers what the root depends on; whatever was looked up becomes a dependency.
    fn resolve(&self, object: &AnyRoot) -> Option<AnyResolved> {
        let view = View::new(&self.context.world, Some(self.id), Timestamp::now());
        let resolved = self.controller.driver.resolve(object, &view);
        lock(&self.deps).extend(view.into_deps());
        if resolved.is_none() {
            tracing::error!("BUG: the root is of another type than its kind");
        }
        resolved
    }

    fn wrote(&self) -> bool {
        self.wrote.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// The shard that a root belongs to.
pub(super) fn shard_of(root: &Stored) -> usize {
    root.root.as_ref().map_or(0, |part| part.shard)
}

/// Puts an outcome where it belongs; returns how long the server asks to wait.
fn take(outcome: Outcome, report: &mut Report) -> Option<Duration> {
    match outcome {
        Outcome::InPlace | Outcome::Applied => {}
        Outcome::Generated(key) => report.generated.push(key),
        Outcome::Waiting(fault) => {
            report.held = true;
            report.waiting.push(fault);
        }
        Outcome::Conflict(fault) => report.conflicts.push(fault),
        Outcome::Rejected(fault) => report.rejected.push(fault),
        Outcome::Failed(fault, wait) => {
            report.failed.push(fault);
            return wait;
        }
    }
    None
}

fn root_fault(root: &Stored, error: &RequestError) -> Fault {
    let key = root.record.key.clone();
    let message = format!("the finalizer of {key} could not be changed: {error}");
    Fault { key, message }
}
