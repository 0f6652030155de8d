//! Runs as status tells them: what it knew, and what Jobs and pods say now.

use std::cmp::Reverse;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    Resolved,
    jobs::{End, Job},
    runs::{self, JOB_DELETED, RunId, SPEC_CHANGED, SUSPENDED},
    trouble::{self, RunPods},
};
use crate::api::{
    BatchJob,
    batch_job::{Concurrency, Run, RunResult},
};

/// Runs that status tells of.
const MOST: usize = 10;
/// Reason of a scheduled run that its successor took the place of.
const REPLACED: &str = "Replaced";

/// All runs, newest first. What ended stays, whether its Job is there or not.
pub(super) fn merge(root: &BatchJob, resolved: &Resolved) -> Vec<Run> {
    let known = runs::known(root);
    let find = |name: &str| known.iter().find(|run| run.name == name);
    let jobs: Vec<&Job> = resolved.one_off_jobs(root).chain(resolved.scheduled_jobs()).collect();
    let mut all: Vec<Run> =
        jobs.iter().map(|job| of_job(root, resolved, job, find(job.name()))).collect();
    let is_there = |run: &Run| jobs.iter().any(|job| job.name() == run.name);
    all.extend(known.iter().filter(|run| !is_there(run)).map(|run| gone(root, resolved, run)));
    all.sort_by_cached_key(|run| Reverse((started(run), number(root, run), run.name.clone())));
    shorten(root, all)
}

/// The newest ten, and in any case the newest of the runs without a schedule: it is what keeps
/// an unchanged spec from running again.
fn shorten(root: &BatchJob, mut all: Vec<Run>) -> Vec<Run> {
    let rest = all.split_off(all.len().min(MOST));
    let oldest = rest.into_iter().max_by_key(|run| number(root, run));
    let newest = all.iter().map(|run| number(root, run)).max().unwrap_or(0);
    if let Some(run) = oldest.filter(|run| number(root, run) > newest) {
        all.truncate(MOST - 1);
        all.push(run);
    }
    all
}

/// Number of a run without a schedule; 0 for others.
fn number(root: &BatchJob, run: &Run) -> u64 {
    RunId::parse(runs::job_name(root), &run.name).map_or(0, |id| id.number)
}

fn started(run: &Run) -> Option<Timestamp> {
    run.start_time.as_ref().map(|time| time.0)
}

/// A run whose Job exists.
fn of_job(root: &BatchJob, resolved: &Resolved, job: &Job, before: Option<&Run>) -> Run {
    let pods = RunPods::of(job, resolved);
    let run =
        Run { name: job.name().to_owned(), start_time: Some(Time(job.start())), ..Run::default() };
    match job.end() {
        Some(end) => ended(root, run, &end, &pods, before),
        None => going_on(root, resolved, run, job, &pods, before),
    }
}

fn ended(root: &BatchJob, run: Run, end: &End, pods: &RunPods<'_>, before: Option<&Run>) -> Run {
    let run = Run {
        duration_seconds: run.start_time.as_ref().map(|start| seconds(start.0, end.at)),
        end_time: Some(Time(end.at)),
        ..run
    };
    if end.succeeded {
        return Run { result: RunResult::Succeeded, ..run };
    }
    // Once the pods are gone, what was found out when they were there stays.
    let is_final = |run: &&Run| run.result == RunResult::Failed;
    if let Some(before) = before.filter(is_final).filter(|_| pods.drivers.is_empty()) {
        return before.clone();
    }
    let why = trouble::failure(root, end, pods, before);
    Run { result: RunResult::Failed, reason: Some(why.reason), message: Some(why.message), ..run }
}

fn going_on(
    root: &BatchJob,
    resolved: &Resolved,
    run: Run,
    job: &Job,
    pods: &RunPods<'_>,
    before: Option<&Run>,
) -> Run {
    let result = if pods.is_running() { RunResult::Running } else { RunResult::Pending };
    let run = Run { result, ..run };
    let stop = if job.record.deleting {
        Some(stopped(root, &run.name, before))
    } else {
        to_stop(root, resolved, &run.name)
    };
    if let Some((reason, message)) = stop {
        let message = format!("is being stopped: {message}");
        return Run { reason: Some(reason.to_owned()), message: Some(message), ..run };
    }
    let remembered = |before: &Run| Run {
        reason: before.reason.clone(),
        message: before.message.clone(),
        ..run.clone()
    };
    // Its pods go, and with them the signs of what was wrong.
    if let Some(before) = before.filter(|_| job.is_ending()) {
        return Run { result: before.result, ..remembered(before) };
    }
    let why = if pods.is_running() {
        trouble::lacking(root, resolved, pods)
    } else {
        trouble::waiting(root, resolved, pods).or_else(|| trouble::preparing(root, pods))
    };
    if let Some(why) = why {
        return Run { reason: Some(why.reason), message: Some(why.message), ..run };
    }
    let is_memorable = |before: &&Run| {
        before.result == RunResult::Running
            && before.reason.as_deref().is_some_and(trouble::is_memorable)
    };
    match before.filter(is_memorable) {
        Some(before) if result == RunResult::Running => remembered(before),
        _ => run,
    }
}

/// A run whose Job is gone.
fn gone(root: &BatchJob, resolved: &Resolved, run: &Run) -> Run {
    if !matches!(run.result, RunResult::Pending | RunResult::Running) {
        return run.clone();
    }
    let (reason, message) = stopped(root, &run.name, Some(run));
    let duration_seconds = started(run).map(|start| seconds(start, resolved.now));
    Run {
        result: RunResult::Cancelled,
        end_time: Some(Time(resolved.now)),
        duration_seconds,
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..run.clone()
    }
}

/// A reason, and the same in words.
type Why = (&'static str, &'static str);

const WHY_SUSPENDED: Why = (SUSPENDED, "the job or its domain is suspended");
const WHY_CHANGED: Why = (SPEC_CHANGED, "the spec asks for something else");

/// Why a run whose Job is there is to stop; `None` if it is not. Written to status, it is what
/// lets the plan delete the Job.
fn to_stop(root: &BatchJob, resolved: &Resolved, name: &str) -> Option<Why> {
    if resolved.suspended(root) {
        return Some(WHY_SUSPENDED);
    }
    let id = RunId::parse(runs::job_name(root), name);
    let is_outdated = match (&root.spec.schedule, id) {
        (None, id) => id.is_none_or(|id| id.hash != runs::hash(root)),
        (Some(_), id) => id.is_some_and(|id| !runs::is_on_demand(root, &id)),
    };
    is_outdated.then_some(WHY_CHANGED)
}

/// Why the Job of a run that has not ended is gone, or going.
fn stopped(root: &BatchJob, name: &str, before: Option<&Run>) -> Why {
    match before.and_then(|run| run.reason.as_deref()) {
        Some(SUSPENDED) => return WHY_SUSPENDED,
        Some(SPEC_CHANGED) => return WHY_CHANGED,
        _ => {}
    }
    if RunId::parse(runs::job_name(root), name).is_some() {
        return (JOB_DELETED, "its Job was deleted");
    }
    match root.spec.schedule.as_ref().map(|schedule| schedule.concurrency) {
        None => WHY_CHANGED,
        Some(Some(Concurrency::Replace)) => (REPLACED, "the next run took its place"),
        Some(_) => (JOB_DELETED, "its Job was deleted"),
    }
}

fn seconds(start: Timestamp, end: Timestamp) -> i64 {
    end.duration_since(start).as_secs().max(0)
}
