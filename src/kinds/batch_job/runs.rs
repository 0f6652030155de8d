//! Which run of a job without a schedule is wanted, and whether it is still to start.
//!
//! A run is called `<job>-<hash>-<number>`: the hash is of what it does (and of the root's uid, so
//! that a job that is deleted and made again is a new one), the number counts the runs. The newest
//! run is the one with the highest number among the Jobs that exist and the runs that status
//! knows. If it does what the spec says, nothing starts; else the next number does. So
//!
//! - a name is used for one Job only, and a crash at any point leads to the same name again: the
//!   Job is there or it is not, whatever status knew;
//! - a spec that goes from A to B and back to A runs three times, as A-1, B-2, A-3;
//! - a run that we stopped before it ended (suspended, or replaced by a newer spec that was then
//!   taken back) starts again under the next number; one whose Job somebody deleted does not.

use crate::{
    api::{
        BatchJob,
        batch_job::{Run, RunResult},
    },
    build::names,
    kinds::batch_job::Resolved,
};

/// Reason of a run that was stopped by `suspend`. It starts again.
pub(super) const SUSPENDED: &str = "Suspended";
/// Reason of a run that was stopped because the spec asks for another one.
pub(super) const SPEC_CHANGED: &str = "SpecChanged";
/// Reason of a run whose Job somebody deleted.
pub(super) const JOB_DELETED: &str = "JobDeleted";

/// Digits of the hash in a name.
const DIGITS: usize = 8;

/// What identifies a run of a job without a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunId {
    /// Hash of what it does.
    pub(super) hash: String,
    /// Its number, from 1.
    pub(super) number: u64,
}

impl RunId {
    /// Name of its Job, at most 63 characters while the job's name has at most 45.
    pub(super) fn name(&self, job: &str) -> String {
        format!("{job}-{}-{}", self.hash, self.number)
    }

    /// Reads a name; `None` if it is not that of a run without a schedule.
    pub(super) fn parse(job: &str, name: &str) -> Option<Self> {
        let (hash, number) = name.strip_prefix(job)?.strip_prefix('-')?.split_once('-')?;
        let is_hash = hash.len() == DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|number| *number > 0)?;
        is_hash.then(|| Self { hash: hash.to_owned(), number })
    }
}

/// What is to become of a job without a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// A run is to start (once nothing of an earlier one is left, and unless suspended).
    Start(RunId),
    /// The run is there: its Job exists.
    Exists(RunId),
    /// The run is over and its Job is gone.
    Over(RunId),
}

/// Hash of what a job does. Retries, timeout, retention and schedule are not part of it.
pub(super) fn hash(root: &BatchJob) -> String {
    // The keys of a `Value` are sorted: the order of fields in the types does not count.
    let what = serde_json::json!({"spark": root.spec.spark, "container": root.spec.container});
    let uid = root.metadata.uid.as_deref().unwrap_or_default();
    names::short_hash(&format!("{uid}{what}"), DIGITS)
}

/// Decides.
pub(super) fn decide(root: &BatchJob, resolved: &Resolved) -> Decision {
    let wanted = hash(root);
    let start = |number| Decision::Start(RunId { hash: wanted.clone(), number });
    let Some((newest, job_exists)) = newest(root, resolved) else { return start(1) };
    let next = newest.number.saturating_add(1);
    if newest.hash != wanted {
        return start(next);
    }
    if job_exists {
        return Decision::Exists(newest);
    }
    let name = newest.name(job_name(root));
    if known(root).iter().any(|run| run.name == name && starts_again(run)) {
        start(next)
    } else {
        Decision::Over(newest)
    }
}

/// The newest run, and whether its Job exists.
fn newest(root: &BatchJob, resolved: &Resolved) -> Option<(RunId, bool)> {
    let parse = |name: &str| RunId::parse(job_name(root), name);
    let jobs = resolved.one_off_jobs(root).filter_map(|job| Some((parse(job.name())?, true)));
    let recorded = known(root).iter().filter_map(|run| Some((parse(&run.name)?, false)));
    jobs.chain(recorded).max_by_key(|(id, job_exists)| (id.number, *job_exists))
}

/// Runs that status knows.
pub(super) fn known(root: &BatchJob) -> &[Run] {
    root.status.as_ref().map(|status| status.runs.as_slice()).unwrap_or_default()
}

/// Whether status holds the result of a run, so that its Job may go.
pub(super) fn is_recorded(root: &BatchJob, name: &str) -> bool {
    known(root).iter().any(|run| {
        run.name == name && matches!(run.result, RunResult::Succeeded | RunResult::Failed)
    })
}

/// Whether status says of a run why we stop it, so that its Job may go before it has ended.
pub(super) fn is_said_to_stop(root: &BatchJob, name: &str) -> bool {
    known(root).iter().any(|run| run.name == name && is_stopped_by_us(run))
}

/// Whether we stopped a run before it ended, or are about to.
fn is_stopped_by_us(run: &Run) -> bool {
    matches!(run.reason.as_deref(), Some(SUSPENDED | SPEC_CHANGED))
}

fn starts_again(run: &Run) -> bool {
    run.result == RunResult::Cancelled && is_stopped_by_us(run)
}

/// What must be gone before a run may start: Jobs that have not ended and pods that are active.
/// Whoever controls them, they carry this job's labels and may write what the run writes.
pub(super) fn in_the_way(resolved: &Resolved) -> Vec<String> {
    let jobs = resolved.jobs.iter().filter(|job| job.is_active());
    let pods = resolved.pods.iter().filter(|pod| crate::kinds::common::pods::is_active(pod));
    jobs.map(|job| job.record.key.to_string()).chain(pods.map(|pod| pod.key.to_string())).collect()
}

/// Name of the root.
pub(super) fn job_name(root: &BatchJob) -> &str {
    root.metadata.name.as_deref().unwrap_or_default()
}
