//! The children of a `BatchJob`, and which of its Jobs stay.

use jiff::{SignedDuration, Timestamp};

use super::{
    RUN, Resolved,
    children::{Context, Target, config, cron_job, job},
    config_name,
    jobs::Job,
    room,
    runs::{self, Decision, RunId},
    validate,
};
use crate::{
    api::{
        BatchJob,
        batch_job::{Concurrency, Duration, Schedule},
    },
    build::{
        names,
        spark::logs,
        types::{CONFIG_MAP, CRON_JOB, JOB},
    },
    engine::{Child, ObjectKey, Plan},
};

const CONFIG_RANK: u8 = 1;
const RUN_RANK: u8 = 2;
/// After the `CronJob`, which is told to wait.
const BESIDE_RANK: u8 = 3;
/// Finished Jobs of earlier specs that are kept.
const EARLIER_JOBS: usize = 3;
/// When to look again for what is about to be written to status.
const SOON: SignedDuration = SignedDuration::from_millis(250);
/// How long a `ConfigMap` that no run refers to outlives its successor: the `CronJob` controller
/// may just be making a Job from the template that names it.
const CONFIG_GRACE: SignedDuration = SignedDuration::from_mins(2);

pub(super) fn plan(root: &BatchJob, resolved: &Resolved) -> Plan {
    match &root.spec.schedule {
        None => once(root, resolved),
        Some(schedule) => scheduled(root, resolved, schedule),
    }
}

/// One run for each distinct spec. A Job that exists is kept as it is; one that is neither in
/// `children` nor in `keep` is pruned, and its pods with it.
fn once(root: &BatchJob, resolved: &Resolved) -> Plan {
    let decision = runs::decide(root, resolved);
    let suspended = resolved.suspended(root);
    let mut plan = finished(root, resolved, &decision);
    match decision {
        Decision::Exists(id) if !suspended => {
            let name = id.name(runs::job_name(root));
            stop(root, resolved, Some(&name), &mut plan);
            if let Some(job) = resolved.one_off_jobs(root).find(|job| job.name() == name)
                && job.is_active()
            {
                keep(job, resolved, &mut plan);
                restore_config(Context::new(root, resolved), &id, &mut plan);
            }
        }
        Decision::Start(id) if !suspended && may_start(root, resolved) => {
            start(Context::new(root, resolved), &id, RUN_RANK, &mut plan);
        }
        Decision::Exists(_) | Decision::Start(_) | Decision::Over(_) | Decision::Scheduled => {
            stop(root, resolved, None, &mut plan);
        }
    }
    plan
}

/// Nothing of an earlier run is left, and there is room in the quota. A Job without room would try
/// its pod again and again, ever more rarely, while its timeout runs; the quota's change wakes us.
fn may_start(root: &BatchJob, resolved: &Resolved) -> bool {
    runs::in_the_way(resolved).is_empty() && room::to_start(root, resolved).is_none()
}

/// Ends all runs but one, in two steps: status says first why, then the Job is pruned. So the
/// reason is known whatever happens, and with it whether the run is to start again.
fn stop(root: &BatchJob, resolved: &Resolved, but: Option<&str>, plan: &mut Plan) {
    let others = resolved
        .one_off_jobs(root)
        .filter(|job| job.is_active() && !job.record.deleting && but != Some(job.name()));
    for job in others {
        if !runs::is_said_to_stop(root, job.name()) {
            keep(job, resolved, plan);
            look_again(plan, soon(resolved));
        }
    }
}

/// The Job of a run and its configuration.
fn start(context: Context<'_>, id: &RunId, rank: u8, plan: &mut Plan) {
    let name = id.name(context.name);
    let config = config_name(&name);
    let target = Target { hash: &id.hash, config: &config };
    if let Some(spark) = &context.root.spec.spark {
        let data = config::data(context, spark, &name);
        let config_map = config::config_map(context, &config, data);
        plan.children.push(Child::new(CONFIG_MAP, CONFIG_RANK, &config_map));
    }
    plan.children.push(Child::new(JOB, rank, &job::job(context, target, &name)));
}

/// The configuration of a run that goes on, if somebody deleted it: a retry would hang without.
fn restore_config(context: Context<'_>, id: &RunId, plan: &mut Plan) {
    let name = id.name(context.name);
    let config = config_name(&name);
    let exists = context.resolved.configs.iter().any(|record| record.key.name == config);
    if let Some(spark) = context.root.spec.spark.as_ref().filter(|_| !exists) {
        let data = config::data(context, spark, &name);
        let config_map = config::config_map(context, &config, data);
        plan.keep.retain(|key| key.resource != CONFIG_MAP || key.name != config);
        plan.children.push(Child::new(CONFIG_MAP, CONFIG_RANK, &config_map));
    }
}

/// Finished Jobs that stay: that of the newest run and a few of earlier specs, each until its
/// time is over. None goes before its result is in status.
fn finished(root: &BatchJob, resolved: &Resolved, decision: &Decision) -> Plan {
    let mut plan = Plan::default();
    let current = match decision {
        Decision::Exists(id) => Some(id.name(runs::job_name(root))),
        Decision::Start(_) | Decision::Over(_) | Decision::Scheduled => None,
    };
    let mut jobs: Vec<(Timestamp, &Job)> =
        resolved.one_off_jobs(root).filter_map(|job| Some((job.end()?.at, job))).collect();
    jobs.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| other.name().cmp(one.name())));
    let mut earlier = 0;
    for (end, job) in jobs {
        let is_current = current.as_deref() == Some(job.name());
        earlier += usize::from(!is_current);
        let expiry = root.spec.ttl_after_finished.as_ref().and_then(|ttl| after(end, ttl));
        let is_over = expiry.is_some_and(|expiry| expiry <= resolved.now)
            || (!is_current && earlier > EARLIER_JOBS);
        if is_over && runs::is_recorded(root, job.name()) {
            continue;
        }
        keep(job, resolved, &mut plan);
        look_again(&mut plan, if is_over { soon(resolved) } else { expiry });
    }
    plan
}

/// Keeps a Job of ours and its configuration.
fn keep(job: &Job, resolved: &Resolved, plan: &mut Plan) {
    let namespace = resolved.domain.namespace.as_str();
    plan.keep.push(ObjectKey::namespaced(JOB, namespace, job.name()));
    plan.keep.push(ObjectKey::namespaced(CONFIG_MAP, namespace, config_name(job.name())));
}

/// A `CronJob`, and the configuration of the runs that it makes.
fn scheduled(root: &BatchJob, resolved: &Resolved, schedule: &Schedule) -> Plan {
    let context = Context::new(root, resolved);
    let suspended = resolved.suspended(root);
    let decision = runs::decide(root, resolved);
    let mut plan = finished(root, resolved, &decision);
    let asked = beside_schedule(root, resolved, &decision, suspended, &mut plan);
    superfluous(root, resolved, schedule, suspended, &mut plan);
    // Nothing can be made from a spec with problems. One that is suspended must stop all the same.
    let is_broken = suspended && !validate::lasting(root, resolved).is_empty();
    // A job that had no schedule before may still run.
    let is_early = resolved.cron.is_none() && !runs::in_the_way(resolved).is_empty();
    if is_broken || is_early {
        return plan;
    }
    let data = root.spec.spark.as_ref().map(|spark| config::data(context, spark, context.name));
    let hash = match &data {
        Some(data) => {
            names::short_hash(&serde_json::json!(logs::read_at_start(data)).to_string(), 8)
        }
        None => runs::hash(root),
    };
    let config = config_name(&format!("{}-{hash}", context.name));
    let target = Target { hash: &hash, config: &config };
    keep_configs(root, resolved, &config, &mut plan);
    if let Some(data) = data {
        let config_map = config::config_map(context, &config, data);
        plan.children.push(Child::new(CONFIG_MAP, CONFIG_RANK, &config_map));
    }
    // The CronJob knows nothing of the run that was asked for: it waits, so that two never write at once.
    let waits = asked && schedule.concurrency != Some(Concurrency::Allow);
    let cron_job = cron_job::cron_job(context, target, schedule, suspended || waits);
    plan.children.push(Child::new(CRON_JOB, RUN_RANK, &cron_job));
    plan
}

/// A run that was asked for beside the schedule; whether it goes on, or is to start.
fn beside_schedule(
    root: &BatchJob,
    resolved: &Resolved,
    decision: &Decision,
    suspended: bool,
    plan: &mut Plan,
) -> bool {
    let context = Context::new(root, resolved);
    match decision {
        Decision::Exists(id) if !suspended => {
            let name = id.name(context.name);
            stop(root, resolved, Some(&name), plan);
            let job = resolved.one_off_jobs(root).find(|job| job.name() == name);
            let Some(job) = job.filter(|job| job.is_active()) else { return false };
            keep(job, resolved, plan);
            restore_config(context, id, plan);
            true
        }
        // The first CronJob comes first.
        Decision::Start(id) if !suspended && resolved.cron.is_some() => {
            stop(root, resolved, None, plan);
            let is_frozen = resolved.domain.policy.frozen().is_some();
            if !is_frozen && may_start(root, resolved) {
                start(context, id, BESIDE_RANK, plan);
            }
            !is_frozen
        }
        _ => {
            stop(root, resolved, None, plan);
            false
        }
    }
}

/// Jobs of the `CronJob` that are to go: all that run, if suspended, and finished ones of which
/// none is to be kept. Status must tell of them first.
fn superfluous(
    root: &BatchJob,
    resolved: &Resolved,
    schedule: &Schedule,
    suspended: bool,
    plan: &mut Plan,
) {
    let history = cron_job::kept(schedule);
    for job in resolved.scheduled_jobs() {
        let (is_to_go, is_told) = match job.end() {
            None => (suspended, runs::is_said_to_stop(root, job.name())),
            Some(end) => {
                let kept = if end.succeeded { history.succeeded } else { history.failed };
                (kept == Some(0), runs::is_recorded(root, job.name()))
            }
        };
        if is_to_go && is_told {
            plan.delete.push(job.record.key.clone());
        } else if is_to_go {
            look_again(plan, soon(resolved));
        }
    }
}

/// Earlier configurations of a schedule that runs may still need.
fn keep_configs(root: &BatchJob, resolved: &Resolved, current: &str, plan: &mut Plan) {
    let name = runs::job_name(root);
    let in_use: Vec<String> = resolved
        .scheduled_jobs()
        .filter(|job| job.is_active())
        .filter_map(|job| job.record.labels.get(RUN))
        .map(|hash| config_name(&format!("{name}-{hash}")))
        .collect();
    let made = resolved
        .configs
        .iter()
        .find(|record| record.key.name == current)
        .map_or(resolved.now, |record| record.created);
    let grace = made.checked_add(CONFIG_GRACE).ok();
    let within_grace = grace.is_some_and(|end| resolved.now < end);
    for record in &resolved.configs {
        let config = record.key.name.as_str();
        if config == current || record.controller.as_deref() != root.metadata.uid.as_deref() {
            continue;
        }
        let is_used = in_use.iter().any(|used| used == config);
        if is_used || within_grace {
            plan.keep.push(record.key.clone());
        }
        if within_grace {
            look_again(plan, grace);
        }
    }
}

fn look_again(plan: &mut Plan, at: Option<Timestamp>) {
    plan.requeue_at = [plan.requeue_at, at].into_iter().flatten().min();
}

fn soon(resolved: &Resolved) -> Option<Timestamp> {
    resolved.now.checked_add(SOON).ok()
}

fn after(end: Timestamp, span: &Duration) -> Option<Timestamp> {
    end.checked_add(SignedDuration::from_secs(span.seconds())).ok()
}
