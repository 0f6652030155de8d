//! The children: a Job and its configuration, or a `CronJob` that makes Jobs.

pub(super) mod config;
pub(super) mod container;
pub(super) mod cron_job;
pub(super) mod driver;
pub(super) mod job;

use super::{BatchJobKind, Resolved, runs};
use crate::{api::BatchJob, build::labels::Identity, engine::Kind};

/// What the children are made from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) name: &'a str,
    pub(super) identity: Identity<'a>,
    pub(super) root: &'a BatchJob,
    pub(super) resolved: &'a Resolved,
}

impl<'a> Context<'a> {
    pub(super) fn new(root: &'a BatchJob, resolved: &'a Resolved) -> Self {
        let name = runs::job_name(root);
        let identity = resolved.domain.identity(BatchJobKind::NAME, name);
        Self { name, identity, root, resolved }
    }
}

/// The run, or the runs of a schedule, that children are made for.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// Value of the label [`RUN`](super::RUN).
    pub(super) hash: &'a str,
    /// Name of the `ConfigMap`.
    pub(super) config: &'a str,
}
