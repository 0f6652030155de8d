//! Why a run does not start, or failed.

use std::sync::Arc;

use super::{
    Resolved,
    jobs::{End, Job},
    room::{self, QUOTA_EXCEEDED},
};
use crate::{
    api::{BatchJob, batch_job::Run},
    build::{labels, spark::executors},
    engine::Record,
    kinds::common::pods::{self, Trouble},
};

/// Reason of a run that took longer than its timeout.
const TIMEOUT: &str = "Timeout";
/// Reason of a run whose driver has no executor yet.
const EXECUTORS_PENDING: &str = "ExecutorsPending";
/// Reason of a run between two attempts.
pub(super) const RETRYING: &str = "Retrying";
/// What Spark's driver exits with after too many executors failed.
/// Source: `SparkExitCode.EXCEED_MAX_EXECUTOR_FAILURES` in
/// <https://github.com/apache/spark/blob/master/core/src/main/scala/org/apache/spark/util/SparkExitCode.scala>
const EXECUTORS_FAILED: i32 = 11;

/// The pods of one run.
pub(super) struct RunPods<'a> {
    /// Drivers (or containers of another kind), oldest first: each retry is a new one.
    pub(super) drivers: Vec<&'a Arc<Record>>,
    /// Executors that those made.
    pub(super) executors: Vec<&'a Arc<Record>>,
}

impl<'a> RunPods<'a> {
    /// The pods that a Job controls, and those that these control.
    pub(super) fn of(job: &Job, resolved: &'a Resolved) -> Self {
        let controlled_by = |pod: &Record, uid: &str| pod.controller.as_deref() == Some(uid);
        let mut drivers: Vec<_> =
            resolved.pods.iter().filter(|pod| controlled_by(pod, &job.record.uid)).collect();
        drivers.sort_by(|a, b| (a.created, &a.key.name).cmp(&(b.created, &b.key.name)));
        let is_executor = |pod: &Record| {
            pod.labels.get(labels::COMPONENT).is_some_and(|role| role == executors::COMPONENT)
        };
        let executors = resolved
            .pods
            .iter()
            .filter(|pod| is_executor(pod))
            .filter(|pod| drivers.iter().any(|driver| controlled_by(pod, &driver.uid)))
            .collect();
        Self { drivers, executors }
    }

    /// A driver runs.
    pub(super) fn is_running(&self) -> bool {
        self.drivers.iter().any(|pod| is_running(pod))
    }

    /// An executor runs.
    fn has_executor(&self) -> bool {
        self.executors.iter().any(|pod| is_running(pod))
    }

    /// What an executor says that only a person can mend.
    fn executor_trouble(&self) -> Option<Trouble> {
        let mut troubles = self.executors.iter().filter_map(|pod| pods::trouble(pod));
        troubles.find(|trouble| trouble.needs_person)
    }
}

/// Why a run that has not ended makes no progress; `None` if it does.
pub(super) fn waiting(root: &BatchJob, resolved: &Resolved, pods: &RunPods<'_>) -> Option<Trouble> {
    if pods.is_running() {
        return pods.executor_trouble().filter(|_| !pods.has_executor());
    }
    let newest = pods.drivers.iter().rev().find(|pod| pods::is_active(pod));
    match newest {
        Some(pod) => pods::trouble(pod),
        None => room::to_start(root, resolved),
    }
}

/// What the executors of a running driver lack. It may do with fewer, or get them later.
pub(super) fn lacking(root: &BatchJob, resolved: &Resolved, pods: &RunPods<'_>) -> Option<Trouble> {
    if let Some(trouble) = pods.executor_trouble() {
        return Some(trouble);
    }
    if let Some(trouble) = room::executors(root, resolved, pods) {
        return Some(trouble);
    }
    // That a pod waits for the volume that Spark is about to make for it is normal.
    let is_passing = |trouble: &Trouble| {
        trouble.message.contains("persistentvolumeclaim") && trouble.message.contains("not found")
    };
    let mut troubles = pods.executors.iter().filter_map(|pod| pods::trouble(pod));
    let pending = troubles.find(|trouble| !is_passing(trouble))?;
    (!pods.has_executor()).then(|| Trouble { reason: EXECUTORS_PENDING.to_owned(), ..pending })
}

/// Whether a remark on a running driver is to stay when its cause is not to be seen any more:
/// what failed executors said may be why the driver gives up later.
pub(super) fn is_memorable(reason: &str) -> bool {
    !matches!(reason, EXECUTORS_PENDING | QUOTA_EXCEEDED)
}

/// What a run is doing while it does not run and nothing is wrong.
pub(super) fn preparing(root: &BatchJob, pods: &RunPods<'_>) -> Option<Trouble> {
    let failed: Vec<_> = pods.drivers.iter().filter(|pod| !pods::is_active(pod)).collect();
    if let Some(last) = failed.last()
        && let Some(trouble) = pods::trouble(last)
    {
        let retries = root.spec.retries.unwrap_or(0);
        return Some(Trouble {
            reason: RETRYING.to_owned(),
            message: format!(
                "attempt {} of {} failed: {}",
                failed.len(),
                retries.saturating_add(1),
                trouble.message
            ),
            needs_person: false,
        });
    }
    let pod = pods.drivers.iter().find(|pod| is_being_created(pod))?;
    let needs = mounted(root);
    let waits = if needs.is_empty() { String::new() } else { format!("; it needs {needs}") };
    Some(Trouble {
        reason: "ContainerCreating".to_owned(),
        message: format!("pod {} gets its image and volumes{waits}", pod.key.name),
        needs_person: false,
    })
}

/// Why a run failed: the pod's own words rather than the Job's, and those of executors where
/// the driver gave up for them.
pub(super) fn failure(
    root: &BatchJob,
    end: &End,
    pods: &RunPods<'_>,
    before: Option<&Run>,
) -> Trouble {
    let because = |reason: &str, message: String| Trouble {
        reason: reason.to_owned(),
        message,
        needs_person: true,
    };
    if end.reason == "DeadlineExceeded" {
        let timeout = root.spec.timeout.as_ref().map_or("its timeout", |timeout| &timeout.0);
        let last = before
            .filter(|run| run.reason.as_deref() != Some(TIMEOUT))
            .and_then(|run| run.message.as_deref())
            .map(|message| format!("; before: {message}"))
            .unwrap_or_default();
        return because(TIMEOUT, format!("took longer than {timeout}, with all retries{last}"));
    }
    let failed = pods
        .drivers
        .iter()
        .rev()
        .map(|pod| (pod, pods::status(pod)))
        .find(|(_, status)| status.phase.as_deref() == Some("Failed"));
    let Some((pod, status)) = failed else {
        return because(&end.reason, end.message.clone());
    };
    let own = pods::failure(&pod.key.name, &status);
    let gave_up = status.container_statuses.iter().flatten().any(|container| {
        let terminated = container.state.as_ref().and_then(|state| state.terminated.as_ref());
        terminated.is_some_and(|terminated| terminated.exit_code == EXECUTORS_FAILED)
    });
    if !gave_up {
        return own;
    }
    let executors = pods.executor_trouble().or_else(|| {
        let before = before?;
        Some(because(before.reason.as_deref()?, before.message.clone()?))
    });
    match executors {
        Some(executors) => because(
            &executors.reason,
            format!("too many executors failed: {}; {}", executors.message, own.message),
        ),
        None => because("ExecutorsFailed", own.message),
    }
}

fn is_running(pod: &Record) -> bool {
    pods::status(pod).phase.as_deref() == Some("Running")
}

/// The kubelet has the pod and starts no container yet: it may wait for a volume, whose absence
/// shows in events only.
fn is_being_created(pod: &Record) -> bool {
    pods::status(pod).container_statuses.iter().flatten().any(|container| {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.and_then(|waiting| waiting.reason.as_deref()) == Some("ContainerCreating")
    })
}

/// The user's objects that the pod mounts.
fn mounted(root: &BatchJob) -> String {
    let spec = &root.spec;
    let mounts = match (&spec.spark, &spec.container) {
        (Some(spark), _) => spark.runtime.mounts.as_slice(),
        (None, Some(container)) => container.mounts.as_slice(),
        (None, None) => &[],
    };
    let main = spec.spark.as_ref().and_then(|spark| spark.main.config_map.as_ref());
    let main = main.map(|main| format!("ConfigMap {}", main.name));
    let named =
        |kind: &str, name: &Option<String>| name.as_ref().map(|name| format!("{kind} {name}"));
    let all: Vec<String> = mounts
        .iter()
        .filter_map(|mount| {
            named("Secret", &mount.secret)
                .or_else(|| named("ConfigMap", &mount.config_map))
                .or_else(|| named("PersistentVolumeClaim", &mount.claim))
        })
        .chain(main)
        .collect();
    all.join(", ")
}
