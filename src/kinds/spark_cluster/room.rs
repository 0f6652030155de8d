//! Whether the sets of a cluster find room in the quotas of its domain.

use super::{Resolved, children, children::SET, master_name, pool_name};
use crate::{
    api::{
        Quantity, SparkCluster,
        common::{PodVolume, Resources},
    },
    kinds::common::{
        pods,
        quota::{self, Needs, Shortfall},
    },
};

/// One set of pods, and what there is of it.
struct Set {
    /// Name of the stateful set.
    name: String,
    /// Pods that it is to have.
    desired: i64,
    /// Pods that it has, as far as they have not ended.
    there: i64,
    /// What a pod asks for.
    pod: Needs,
    /// What each volume of a pod asks for, and how many of that kind there are.
    volumes: Vec<(Needs, i64)>,
}

/// Why what is still missing of a cluster does not fit.
pub(super) fn shortfall(root: &SparkCluster, resolved: &Resolved) -> Option<Shortfall> {
    let sets = sets(root, resolved);
    let missing: Needs = sets.iter().map(Set::missing).sum();
    let all: Needs = sets.iter().map(Set::all).sum();
    resolved.domain.shortfall(&missing, &all)
}

/// How many of the pods that a set lacks find room, in words; `None` if all of them do.
///
/// The controller of stateful sets tries a refused pod ever more rarely, at last every 17 minutes.
/// Whatever changes at the set makes it try at once: so this stands in an annotation of the set.
/// Source: `DefaultTypedControllerRateLimiter` in
/// <https://github.com/kubernetes/client-go/blob/master/util/workqueue/default_rate_limiters.go>
pub(super) fn wake(root: &SparkCluster, resolved: &Resolved, set: &str) -> Option<String> {
    let set = sets(root, resolved).into_iter().find(|known| known.name == set)?;
    let lacks = set.desired - set.there;
    let volumes = set.volumes.iter().filter(|(_, there)| *there < set.desired);
    let each: Needs = volumes.map(|(needs, _)| needs.clone()).chain([set.pod.clone()]).sum();
    let fits = quota::fitting(&resolved.domain.quotas, &each, lacks);
    (fits < lacks).then(|| format!("{fits} of {lacks} missing pods"))
}

fn sets(root: &SparkCluster, resolved: &Resolved) -> Vec<Set> {
    let (spec, cluster) = (&root.spec, root.metadata.name.as_deref().unwrap_or_default());
    let storage = &spec.master.storage;
    let recovery = PodVolume {
        name: children::master::RECOVERY.to_owned(),
        size: Quantity(storage.size.0.clone()),
        class: storage.class.clone(),
    };
    let master = Set::new(
        resolved,
        master_name(cluster),
        1,
        (&spec.master.resources, spec.master.priority_class.as_deref()),
        &[recovery],
    );
    let pools = spec.workers.iter().map(|pool| {
        Set::new(
            resolved,
            pool_name(cluster, &pool.name),
            pool.replicas,
            (&pool.resources, pool.priority_class.as_deref()),
            &pool.volumes,
        )
    });
    [master].into_iter().chain(pools).collect()
}

impl Set {
    fn new(
        resolved: &Resolved,
        name: String,
        replicas: i32,
        (resources, priority_class): (&Resources, Option<&str>),
        volumes: &[PodVolume],
    ) -> Self {
        let of_set = resolved.pods.iter().filter(|pod| pod.labels.get(SET) == Some(&name));
        let claims = |volume: &PodVolume| {
            let prefix = format!("{}-{name}-", volume.name);
            let of_volume =
                resolved.claims.iter().filter(|claim| claim.key.name.starts_with(&prefix));
            count(of_volume.filter(|claim| claim.labels.get(SET) == Some(&name)))
        };
        Self {
            desired: i64::from(replicas),
            there: count(of_set.filter(|pod| pods::is_active(pod))),
            pod: resolved.domain.pod_needs(resources, priority_class),
            volumes: volumes
                .iter()
                .map(|volume| (Needs::claim(&volume.size, volume.class.as_deref()), claims(volume)))
                .collect(),
            name,
        }
    }

    fn missing(&self) -> Needs {
        let volumes = self.volumes.iter();
        let volumes = volumes.map(|(needs, there)| needs.clone().times(self.desired - there));
        volumes.chain([self.pod.clone().times(self.desired - self.there)]).sum()
    }

    fn all(&self) -> Needs {
        let volumes = self.volumes.iter().map(|(needs, _)| needs.clone());
        volumes.chain([self.pod.clone()]).map(|needs| needs.times(self.desired)).sum()
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}
