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
//!   taken back) starts again under the next number; one whose Job somebody deleted does not;
//! - a run on demand is a number that is asked for ([`NUMBER`]): once there is a run of that number or
//!   a higher one, nothing more comes of it, whatever restarts.
//!
//! With a schedule, only runs on demand are ours; all others are the `CronJob`'s.

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

/// Annotation that asks for a run: of this number at least, once nothing of an earlier one is left.
pub const NUMBER: &str = "polder.dev/run-number";
/// Highest number that can be asked for: names of Jobs are bounded.
pub(super) const HIGHEST: u64 = 99_999_999;

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
    /// No run is ours to make: there is a schedule, and none was asked for.
    Scheduled,
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
    if root.spec.schedule.is_some() {
        return on_demand(root, resolved);
    }
    let wanted = hash(root);
    let asked = asked(root);
    let start = |number| start(root, number);
    let Some((newest, job_exists)) = newest(root, resolved) else { return start(asked.max(1)) };
    let next = newest.number.saturating_add(1).max(asked);
    if newest.hash != wanted {
        return start(next);
    }
    let name = newest.name(job_name(root));
    let goes_on = || resolved.one_off_jobs(root).any(|job| job.name() == name && job.is_active());
    if newest.number < asked && !(job_exists && goes_on()) {
        return start(next);
    }
    if job_exists {
        return Decision::Exists(newest);
    }
    if known(root).iter().any(|run| run.name == name && starts_again(run)) {
        start(next)
    } else {
        Decision::Over(newest)
    }
}

/// What is to become of a run beside the schedule.
fn on_demand(root: &BatchJob, resolved: &Resolved) -> Decision {
    match newest(root, resolved) {
        Some((newest, job_exists)) if is_on_demand(root, &newest) => {
            if job_exists {
                Decision::Exists(newest)
            } else {
                Decision::Over(newest)
            }
        }
        _ if asked(root) > 0 => start(root, asked(root)),
        _ => Decision::Scheduled,
    }
}

fn start(root: &BatchJob, number: u64) -> Decision {
    Decision::Start(RunId { hash: hash(root), number })
}

/// Whether a run of a job with a schedule is one that was asked for, not left from before.
pub(super) fn is_on_demand(root: &BatchJob, id: &RunId) -> bool {
    asked(root) > 0 && id.number >= asked(root)
}

/// Number of the run that is asked for; 0 if none is.
fn asked(root: &BatchJob) -> u64 {
    number(root).and_then(Result::ok).unwrap_or(0)
}

/// The number that is asked for, or the text that is none.
pub(super) fn number(root: &BatchJob) -> Option<Result<u64, &str>> {
    let text = root.metadata.annotations.as_ref()?.get(NUMBER)?;
    let number = text.parse().ok().filter(|number| (1..=HIGHEST).contains(number));
    Some(number.ok_or(text))
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
