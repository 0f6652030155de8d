//! Whether an endpoint finds room in the quotas of its domain.

use super::{COMPONENT, Resolved};
use crate::{
    api::SqlEndpoint,
    build::labels,
    kinds::common::{
        Executors, pods,
        quota::{self, Needs, Shortfall},
    },
};

/// Why the driver cannot start now, or can never start with at least one executor beside it.
pub(super) fn driver(root: &SqlEndpoint, resolved: &Resolved) -> Option<Shortfall> {
    let one =
        root.spec.executors.as_ref().map(|executors| {
            resolved.domain.executor_needs(&executors.pods, 1, Executors::default())
        });
    let driver = needs(root, resolved);
    let missing = driver.clone().times(i64::from(!has_driver(resolved)));
    let all: Needs = [driver].into_iter().chain(one).sum();
    resolved.domain.shortfall(&missing, &all)
}

/// Why the executors that a running driver is to have at least cannot start.
pub(super) fn executors(root: &SqlEndpoint, resolved: &Resolved) -> Option<Shortfall> {
    let executors = root.spec.executors.as_ref()?;
    let there = Executors::count(resolved.pods.iter(), &resolved.claims);
    let missing = resolved.domain.executor_needs(&executors.pods, executors.min, there);
    resolved.domain.shortfall(&missing, &missing)
}

/// That the driver finds no room, in words. It stands in an annotation of the stateful set, so that
/// its controller tries again as soon as there is room: by itself it does so ever more rarely, at
/// last every 17 minutes.
/// Source: `DefaultTypedControllerRateLimiter` in
/// <https://github.com/kubernetes/client-go/blob/master/util/workqueue/default_rate_limiters.go>
pub(super) fn wake(root: &SqlEndpoint, resolved: &Resolved) -> Option<String> {
    let fits = quota::fitting(&resolved.domain.quotas, &needs(root, resolved), 1) > 0;
    (!fits && !has_driver(resolved)).then(|| "0 of 1 missing pods".to_owned())
}

fn needs(root: &SqlEndpoint, resolved: &Resolved) -> Needs {
    let driver = &root.spec.driver;
    resolved.domain.pod_needs(&driver.resources, driver.priority_class.as_deref())
}

fn has_driver(resolved: &Resolved) -> bool {
    resolved.pods.iter().any(|pod| {
        pod.labels.get(labels::COMPONENT).is_some_and(|role| role == COMPONENT)
            && pods::is_active(pod)
    })
}
