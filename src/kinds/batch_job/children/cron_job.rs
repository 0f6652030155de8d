//! A schedule, as a `CronJob`.

use k8s_openapi::{
    api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{super::cron_name, Context, Target, job};
use crate::api::batch_job::{Concurrency, Duration, History, Schedule};

/// How late a run may start, where the user does not say, in seconds.
const STARTING_DEADLINE: i64 = 600;
/// Finished runs that are kept, where the user does not say.
const HISTORY: i32 = 3;

/// The `CronJob`. One that is suspended starts nothing; what runs is ended by the plan.
pub(in super::super) fn cron_job(
    context: Context<'_>,
    target: Target<'_>,
    schedule: &Schedule,
    suspend: bool,
) -> CronJob {
    let history = kept(schedule);
    CronJob {
        metadata: context.identity.meta(&cron_name(context.name), "schedule"),
        spec: Some(CronJobSpec {
            schedule: schedule.cron.clone(),
            time_zone: Some(schedule.time_zone.clone().unwrap_or_else(|| "Etc/UTC".to_owned())),
            concurrency_policy: Some(policy(schedule).to_owned()),
            starting_deadline_seconds: Some(
                schedule.starting_deadline.as_ref().map_or(STARTING_DEADLINE, Duration::seconds),
            ),
            // A run must be there until its result is in status: with 0, the plan deletes it then.
            successful_jobs_history_limit: history.succeeded.map(|count| count.max(1)),
            failed_jobs_history_limit: history.failed.map(|count| count.max(1)),
            suspend: Some(suspend),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(job::labels(context, target)),
                    ..Default::default()
                }),
                spec: Some(job::spec(context, target)),
            },
        }),
        ..Default::default()
    }
}

/// How many finished runs are kept, with defaults.
pub(in super::super) fn kept(schedule: &Schedule) -> History {
    let wanted = schedule.history.as_ref();
    let or_default = |count: Option<i32>| Some(count.unwrap_or(HISTORY));
    History {
        succeeded: or_default(wanted.and_then(|history| history.succeeded)),
        failed: or_default(wanted.and_then(|history| history.failed)),
    }
}

fn policy(schedule: &Schedule) -> &'static str {
    match schedule.concurrency.unwrap_or_default() {
        Concurrency::Forbid => "Forbid",
        Concurrency::Replace => "Replace",
        Concurrency::Allow => "Allow",
    }
}
