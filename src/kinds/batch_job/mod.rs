//! `BatchJob`: work that runs to completion, once for each distinct spec or on a schedule.
//!
//! Without a schedule, [`runs`] decides from the Jobs that exist and the runs that status knows
//! whether a run is to start, and [`plan`] keeps the Jobs that are there: a Job is applied exactly
//! once, so that nothing (an operator upgrade, a change of the domain) ever changes or restarts a
//! run that has started. With a schedule, a `CronJob` makes the Jobs.

mod children;
mod cron;
mod history;
mod jobs;
mod plan;
mod resolve;
mod room;
mod runs;
mod status;
#[cfg(test)]
mod tests;
mod trouble;
mod validate;

use std::sync::Arc;

use crate::{
    api::{BatchJob, BatchJobStatus, conditions},
    build::{names, spark::SparkImages},
    engine::{Kind, Plan, Problem, Report, View},
};

pub use resolve::Resolved;
pub use runs::NUMBER;

/// Label of Jobs and pods with a hash of what they run.
pub const RUN: &str = "polder.dev/run";
/// Role of Jobs in labels.
const RUN_COMPONENT: &str = "run";

/// The kind.
pub struct BatchJobKind {
    /// Which image serves which Spark version.
    pub images: Arc<SparkImages>,
}

impl Kind for BatchJobKind {
    type Root = BatchJob;
    type Resolved = Resolved;
    type Status = BatchJobStatus;

    const NAME: &'static str = "batch-job";

    /// The domain counts what is ready.
    fn face(root: &BatchJob) -> Option<String> {
        root.status.as_ref().map(|status| conditions::flags(&status.conditions))
    }

    fn resolve(&self, root: &BatchJob, view: &View<'_>) -> Resolved {
        Resolved::new(root, view, &self.images)
    }

    fn validate(&self, root: &BatchJob, resolved: &Resolved) -> Vec<Problem> {
        validate::problems(root, resolved)
    }

    fn plan(&self, root: &BatchJob, resolved: &Resolved) -> Plan {
        plan::plan(root, resolved)
    }

    fn status(&self, root: &BatchJob, resolved: &Resolved, report: &Report) -> BatchJobStatus {
        status::status(root, resolved, report)
    }
}

/// Number of the run with this name; `None` for those of a schedule.
pub fn run_number(job: &str, run: &str) -> Option<u64> {
    runs::RunId::parse(job, run).map(|id| id.number)
}

/// Name of the `CronJob` of a scheduled job.
fn cron_name(job: &str) -> String {
    names::child(job, "schedule", names::SET_LIMIT)
}

/// Name of the `ConfigMap` of a run, or of all runs of a schedule with the same configuration.
fn config_name(run: &str) -> String {
    format!("{run}-config")
}
