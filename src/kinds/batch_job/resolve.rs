//! What a `BatchJob` depends on.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    BatchJobKind, cron_name,
    jobs::Job,
    runs::{self, Decision},
};
use crate::{
    api::BatchJob,
    build::{
        spark::{Runtime, SparkImages},
        types::{CLAIM, CONFIG_MAP, CRON_JOB, JOB, POD},
    },
    engine::{Kind, ObjectKey, Problem, Record, View},
    kinds::common::{ClusterContext, DomainContext},
};

/// What a `BatchJob` depends on.
pub struct Resolved {
    /// The time of this pass.
    pub now: Timestamp,
    /// Its domain.
    pub domain: DomainContext,
    /// Image, configuration and volumes of a Spark job.
    pub runtime: Runtime,
    /// What is wrong with those.
    pub runtime_problems: Vec<Problem>,
    /// The `SparkCluster` it names.
    pub cluster: Option<ClusterContext>,
    /// Its `CronJob`, if it exists.
    pub cron: Option<Arc<Record>>,
    /// All Jobs that carry its labels, whoever controls them.
    pub jobs: Vec<Job>,
    /// Pods of its runs, drivers and executors.
    pub pods: Vec<Arc<Record>>,
    /// Volumes of its executors.
    pub claims: Vec<Arc<Record>>,
    /// `ConfigMaps` of its runs.
    pub configs: Vec<Arc<Record>>,
}

impl Resolved {
    pub(super) fn new(root: &BatchJob, view: &View<'_>, images: &SparkImages) -> Self {
        let name = root.metadata.name.as_deref().unwrap_or_default();
        let namespace = root.metadata.namespace.as_deref().unwrap_or_default();
        let spark = root.spec.spark.as_ref();
        let reference = spark.and_then(|spark| spark.cluster_ref.as_ref());
        let cron = ObjectKey::namespaced(CRON_JOB, namespace, cron_name(name));
        let labelled = |resource| view.labelled(resource, namespace, BatchJobKind::NAME, name);
        let jobs: Vec<Job> = labelled(JOB).into_iter().map(Job::new).collect();
        let domain = DomainContext::resolve(view, namespace, images);
        let resolved = Self {
            now: view.now(),
            runtime: spark.map(|spark| domain.runtime(&spark.runtime, images)).unwrap_or_default(),
            runtime_problems: spark
                .map(|spark| domain.runtime_problems("spec.spark", &spark.runtime, images))
                .unwrap_or_default(),
            cluster: reference
                .map(|reference| ClusterContext::resolve(view, namespace, &reference.name)),
            cron: view
                .object(&cron)
                .filter(|cron| cron.controller.as_deref() == root.metadata.uid.as_deref()),
            jobs,
            pods: labelled(POD),
            claims: labelled(CLAIM),
            configs: labelled(CONFIG_MAP),
            domain,
        };
        if resolved.may_ask(root) {
            Self { domain: resolved.domain.with_quota(view), ..resolved }
        } else {
            resolved
        }
    }

    /// Whether the job may still ask for room: a run goes on, or is to start.
    fn may_ask(&self, root: &BatchJob) -> bool {
        self.jobs.iter().any(Job::is_active)
            || (!self.suspended(root) && matches!(runs::decide(root, self), Decision::Start(_)))
    }

    /// Whether the job is to stand still.
    pub(super) fn suspended(&self, root: &BatchJob) -> bool {
        root.spec.suspend || self.domain.suspended()
    }

    /// Jobs that this root made itself: runs without a schedule.
    pub(super) fn one_off_jobs(&self, root: &BatchJob) -> impl Iterator<Item = &Job> {
        self.jobs_of(root.metadata.uid.clone())
    }

    /// Jobs that the `CronJob` made: runs on a schedule.
    pub(super) fn scheduled_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs_of(self.cron.as_ref().map(|cron| cron.uid.clone()))
    }

    fn jobs_of(&self, uid: Option<String>) -> impl Iterator<Item = &Job> {
        let is_its = move |job: &&Job| job.record.controller.as_deref() == uid.as_deref();
        self.jobs.iter().filter(|job| job.record.controller.is_some()).filter(is_its)
    }
}
