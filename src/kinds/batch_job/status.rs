//! What a `BatchJob` says of itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    Resolved, history, room,
    runs::{self, Decision},
    trouble::{self, RunPods},
    validate,
};
use crate::{
    api::{
        BatchJob, BatchJobStatus,
        batch_job::{Run, RunResult},
        conditions::condition,
    },
    engine::Report,
    kinds::common::{Readiness, pods, pods::Trouble, triple},
};

/// Whether a run goes on.
const RUNNING: &str = "Running";

pub(super) fn status(root: &BatchJob, resolved: &Resolved, report: &Report) -> BatchJobStatus {
    let generation = root.metadata.generation;
    let runs = history::merge(root, resolved);
    let active = resolved
        .one_off_jobs(root)
        .chain(resolved.scheduled_jobs())
        .filter(|job| job.is_active())
        .count();
    let mut conditions = triple(report, generation, readiness(root, resolved, &runs));
    conditions.push(running(&runs, generation));
    BatchJobStatus {
        observed_generation: generation,
        image: image(root, resolved),
        active: i32::try_from(active).unwrap_or(i32::MAX),
        last_run: runs.first().cloned(),
        runs,
        conditions,
    }
}

fn image(root: &BatchJob, resolved: &Resolved) -> Option<String> {
    let container = root.spec.container.as_ref().map(|container| container.image.clone());
    container.or_else(|| Some(resolved.runtime.image.clone())).filter(|image| !image.is_empty())
}

fn running(runs: &[Run], generation: Option<i64>) -> Condition {
    let mut running = runs.iter().filter(|run| run.result == RunResult::Running);
    match running.next() {
        Some(run) => {
            let message = format!("run {} goes on", run.name);
            condition(RUNNING, true, "PodRunning", message, generation)
        }
        None => condition(RUNNING, false, "NoPodRunning", "no run goes on", generation),
    }
}

fn readiness(root: &BatchJob, resolved: &Resolved, runs: &[Run]) -> Readiness {
    if resolved.suspended(root) {
        return suspended(root, resolved, runs);
    }
    if root.spec.schedule.is_some() {
        return scheduled(root, resolved, runs);
    }
    match runs::decide(root, resolved) {
        Decision::Start(id) => {
            let others = runs::in_the_way(resolved);
            match others.first() {
                Some(first) => Readiness::progressing(
                    "WaitsForEarlierRun",
                    format!(
                        "run {} waits until nothing of an earlier run is left: {first}{}",
                        id.name(runs::job_name(root)),
                        more(others.len())
                    ),
                ),
                None => to_start(root, resolved),
            }
        }
        // Not without a schedule, which is dealt with above.
        Decision::Scheduled => to_start(root, resolved),
        Decision::Exists(id) | Decision::Over(id) => {
            let name = id.name(runs::job_name(root));
            match runs.iter().find(|run| run.name == name) {
                Some(run) => once(root, resolved, run),
                None => Readiness::progressing("Starting", "the run is about to start"),
            }
        }
    }
}

/// How a job stands whose run nothing but the quota can keep from starting.
fn to_start(root: &BatchJob, resolved: &Resolved) -> Readiness {
    match room::to_start(root, resolved) {
        Some(Trouble { reason, message, needs_person: true }) => {
            Readiness::failing(reason, message)
        }
        Some(Trouble { reason, message, .. }) => {
            Readiness::progressing(reason, format!("the run waits for room: {message}"))
        }
        None => Readiness::progressing("Starting", "the run is about to start"),
    }
}

/// How a job without a schedule stands, by its newest run.
fn once(root: &BatchJob, resolved: &Resolved, run: &Run) -> Readiness {
    let name = &run.name;
    let why = || run.message.clone().unwrap_or_default();
    match run.result {
        RunResult::Succeeded => {
            let took = run.duration_seconds.unwrap_or(0);
            Readiness::Ready {
                reason: "Succeeded",
                message: format!("run {name} succeeded in {took} s"),
            }
        }
        RunResult::Failed => Readiness::failing("Failed", format!("run {name} failed: {}", why())),
        RunResult::Cancelled => Readiness::failing(
            "Cancelled",
            format!("run {name} was stopped: {}; `polder run` starts another", why()),
        ),
        RunResult::Pending | RunResult::Running => going_on(root, resolved, run),
    }
}

/// How a run that has not ended stands. Only its end makes a job without a schedule ready, so that
/// `kubectl wait --for condition=Ready` waits for the result.
fn going_on(root: &BatchJob, resolved: &Resolved, run: &Run) -> Readiness {
    let name = &run.name;
    let job = resolved.jobs.iter().find(|job| job.name() == name);
    if job.is_some_and(|job| job.record.deleting) {
        return Readiness::progressing("Stopping", format!("run {name} stops"));
    }
    let pods = job.map(|job| RunPods::of(job, resolved));
    let trouble = pods.as_ref().and_then(|pods| trouble::waiting(root, resolved, pods));
    if let Some(Trouble { reason, message, needs_person }) = trouble {
        let message = format!("run {name}: {message}");
        return if needs_person {
            Readiness::failing(reason, message)
        } else {
            Readiness::progressing(reason, message)
        };
    }
    let doing = run.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    if run.result == RunResult::Running {
        return Readiness::progressing(RUNNING, format!("run {name} goes on{doing}"));
    }
    let reason = if run.reason.as_deref() == Some(trouble::RETRYING) {
        trouble::RETRYING
    } else {
        "Pending"
    };
    Readiness::progressing(reason, format!("run {name} starts{doing}"))
}

/// How a job with a schedule stands. After a failure it is not stalled: the next run may mend it.
fn scheduled(root: &BatchJob, resolved: &Resolved, runs: &[Run]) -> Readiness {
    let (going, over): (Vec<&Run>, Vec<&Run>) =
        runs.iter().partition(|run| matches!(run.result, RunResult::Pending | RunResult::Running));
    if let Some(run) = going.first() {
        match going_on(root, resolved, run) {
            Readiness::Progressing { reason, message } if reason == RUNNING => {
                return Readiness::Ready { reason: RUNNING, message };
            }
            // A run that just starts says nothing new of the job.
            Readiness::Progressing { reason, .. } if reason == "Pending" => {}
            trouble => return trouble,
        }
    }
    let others = runs::in_the_way(resolved);
    if let Some(first) = others.first().filter(|_| resolved.cron.is_none()) {
        return Readiness::progressing(
            "WaitsForEarlierRun",
            format!("the schedule begins when nothing is left of {first}{}", more(others.len())),
        );
    }
    let last = over.into_iter().find(|run| run.result != RunResult::Cancelled);
    match last {
        Some(run) if run.result == RunResult::Failed => Readiness::progressing(
            "LastRunFailed",
            format!(
                "run {} failed: {}; the schedule goes on",
                run.name,
                run.message.as_deref().unwrap_or_default()
            ),
        ),
        Some(run) => Readiness::Ready {
            reason: "Scheduled",
            message: format!("the last run, {}, succeeded", run.name),
        },
        None => {
            Readiness::Ready { reason: "Scheduled", message: "no run has ended yet".to_owned() }
        }
    }
}

fn suspended(root: &BatchJob, resolved: &Resolved, runs: &[Run]) -> Readiness {
    let jobs = resolved.jobs.iter().filter(|job| job.is_active()).count();
    if jobs > 0 || resolved.pods.iter().any(|pod| pods::is_active(pod)) {
        return Readiness::progressing("Suspending", "what runs is being stopped");
    }
    let mut message = "suspended; nothing starts".to_owned();
    if let Some(run) = runs.first() {
        message = format!("{message}; the last run, {}, ended as {:?}", run.name, run.result);
    }
    let starts =
        root.spec.schedule.is_some() || matches!(runs::decide(root, resolved), Decision::Start(_));
    if starts {
        for problem in validate::lasting(root, resolved) {
            message = format!("{message}; mend {} first: {}", problem.field, problem.message);
        }
    }
    Readiness::suspended(message)
}

fn more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}
