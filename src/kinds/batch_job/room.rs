//! Whether a run finds room in the quotas of its domain.

use super::{Resolved, trouble::RunPods};
use crate::{
    api::BatchJob,
    kinds::common::{
        Executors,
        pods::Trouble,
        quota::{Needs, Shortfall},
    },
};

/// Reason of a run whose pods do not fit into the domain's quotas.
pub(super) const QUOTA_EXCEEDED: &str = "QuotaExceeded";

/// Why the pod of a run cannot start now, or can never start with at least one executor beside it.
pub(super) fn to_start(root: &BatchJob, resolved: &Resolved) -> Option<Trouble> {
    let (spec, domain) = (&root.spec, &resolved.domain);
    let (missing, executors) = match (&spec.spark, &spec.container) {
        (Some(spark), _) => {
            let driver = &spark.driver;
            let needs = domain.pod_needs(&driver.resources, driver.priority_class.as_deref());
            (needs, spark.executors.as_ref())
        }
        (None, container) => {
            let job = container.as_ref()?;
            (domain.pod_needs(&job.resources, job.priority_class.as_deref()), None)
        }
    };
    let one =
        executors.map(|executors| domain.executor_needs(&executors.pods, 1, Executors::default()));
    let all: Needs = [missing.clone()].into_iter().chain(one).sum();
    Some(no_room(resolved, "its pods", &domain.shortfall(&missing, &all)?))
}

/// Why the executors that a running driver still lacks cannot start.
pub(super) fn executors(
    root: &BatchJob,
    resolved: &Resolved,
    pods: &RunPods<'_>,
) -> Option<Trouble> {
    let executors = root.spec.spark.as_ref()?.executors.as_ref()?;
    let wanted = executors.instances.or(executors.dynamic.as_ref().map(|dynamic| dynamic.min))?;
    let there = Executors::count(pods.executors.iter().copied(), &resolved.claims);
    let missing = resolved.domain.executor_needs(&executors.pods, wanted, there);
    Some(no_room(resolved, "its executors", &resolved.domain.shortfall(&missing, &missing)?))
}

fn no_room(resolved: &Resolved, what: &str, short: &Shortfall) -> Trouble {
    let domain = resolved.domain.name();
    let advice = if short.hopeless { "; ask for less, or for more quota" } else { "" };
    Trouble {
        reason: QUOTA_EXCEEDED.to_owned(),
        message: format!(
            "{what} do not fit into the quota of Domain {domain}: {}{advice}",
            short.message
        ),
        needs_person: short.hopeless,
    }
}
