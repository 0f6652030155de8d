//! The domain that a workload lives in.

use std::sync::Arc;

use crate::{
    api::{
        Domain,
        common::{ExecutorPods, Resources, SparkRuntime},
        domain::LimitsSpec,
    },
    build::{
        labels::{self, Identity, Map},
        names,
        spark::{Runtime, SparkImages, executors},
        types::{NAMESPACE, RESOURCE_QUOTA},
    },
    engine::{ObjectKey, Problem, Record, View},
    kinds::common::pods::is_active,
    kinds::common::quota::{self, Needs, Quota, Shortfall},
};

use super::Policy;

/// Reasons of problems that end by themselves: the workload waits, nobody has to act.
pub const WAITING: &[&str] =
    &["DomainNotReady", "DomainDeleting", "DomainFrozen", "ClusterNotReady"];

/// The domain of a workload's namespace, and the room in it.
#[derive(Clone, Debug, Default)]
pub struct DomainContext {
    /// The Domain; `None` if the namespace belongs to none.
    pub domain: Option<Arc<Domain>>,
    /// The namespace.
    pub namespace: String,
    /// The namespace is being deleted.
    pub namespace_deleting: bool,
    /// Labels with the domain's team and cost centre.
    pub owner: Map,
    /// The domain's quotas, as far as they exist and were looked at.
    pub quotas: Vec<Quota>,
    /// What its workloads may use.
    pub policy: Policy,
}

/// Executors of a workload that exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct Executors {
    /// Pods that have not ended.
    pub pods: usize,
    /// Volumes.
    pub claims: usize,
}

impl Executors {
    /// Counts executors among the pods and claims of a workload.
    pub fn count<'a>(pods: impl Iterator<Item = &'a Arc<Record>>, claims: &[Arc<Record>]) -> Self {
        let is_executor = |record: &&Arc<Record>| {
            record.labels.get(labels::COMPONENT).is_some_and(|role| role == executors::COMPONENT)
        };
        Self {
            pods: pods.filter(is_executor).filter(|pod| is_active(pod)).count(),
            claims: claims.iter().filter(is_executor).count(),
        }
    }
}

impl DomainContext {
    /// Looks up the domain of a namespace.
    pub fn resolve(view: &View<'_>, namespace: &str, images: &SparkImages) -> Self {
        let record = view.object(&ObjectKey::cluster(NAMESPACE, namespace));
        let domain = record
            .as_ref()
            .and_then(|record| record.labels.get(labels::DOMAIN).cloned())
            .and_then(|name| view.root::<Domain>(None, &name))
            .filter(|domain| domain.namespace_name() == namespace);
        let owner = domain.as_ref().and_then(|domain| domain.spec.owner.as_ref());
        let owner = labels::ownership(owner);
        Self {
            policy: domain.as_deref().map(|it| Policy::of(it, images)).unwrap_or_default(),
            domain,
            namespace: namespace.to_owned(),
            namespace_deleting: record.is_some_and(|record| record.deleting),
            owner,
            quotas: Vec::new(),
        }
    }

    /// With the room in the domain. Only for workloads that may still ask for some: the quota
    /// changes with every pod, and wakes all that look at it.
    #[must_use]
    pub fn with_quota(mut self, view: &View<'_>) -> Self {
        self.quotas = self.domain.iter().flat_map(|domain| quotas(view, domain)).collect();
        self
    }

    /// Who the children of a workload belong to.
    pub fn identity<'a>(&'a self, app: &'a str, instance: &'a str) -> Identity<'a> {
        let (domain, namespace, owner) = (self.name(), &self.namespace, &self.owner);
        Identity { app, instance, domain, namespace, owner }
    }

    /// What a pod asks for here.
    pub fn pod_needs(&self, resources: &Resources, priority_class: Option<&str>) -> Needs {
        Needs::pod(resources, priority_class, self.limits())
    }

    /// What executors ask for here that are missing of so many: new ones take over the volumes of
    /// those that went.
    pub fn executor_needs(&self, spec: &ExecutorPods, wanted: i32, there: Executors) -> Needs {
        let (wanted, count) = (i64::from(wanted), |count| i64::try_from(count).unwrap_or(i64::MAX));
        let with_volumes = there.claims / spec.volumes.len().max(1);
        let (pods, volumes) = (wanted - count(there.pods), wanted - count(with_volumes));
        Needs::executors(spec, self.limits(), pods, volumes)
    }

    /// Whether what is missing of a workload fits into what is free, and all of it into the whole.
    pub fn shortfall(&self, missing: &Needs, all: &Needs) -> Option<Shortfall> {
        quota::shortfall(&self.quotas, missing, all)
    }

    fn limits(&self) -> Option<&LimitsSpec> {
        self.domain.as_ref()?.spec.limits.as_ref()
    }

    /// Name of the Domain; empty if there is none.
    pub fn name(&self) -> &str {
        self.domain.as_ref().and_then(|domain| domain.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Whether the domain's workloads are to stand still: it is suspended, or going away.
    pub fn suspended(&self) -> bool {
        self.domain.as_ref().is_some_and(|domain| {
            domain.spec.suspend || domain.metadata.deletion_timestamp.is_some()
        })
    }

    /// Why nothing can run in the namespace (now).
    pub fn problems(&self) -> Vec<Problem> {
        if self.namespace_deleting {
            return vec![Problem::new(
                "DomainDeleting",
                "metadata.namespace",
                format!("namespace {} is being deleted", self.namespace),
            )];
        }
        let Some(domain) = &self.domain else {
            return vec![Problem::new(
                "DomainNotFound",
                "metadata.namespace",
                format!(
                    "namespace {} belongs to no Domain; make a Domain for it, or move this object \
                     to the namespace of one (kubectl get domains)",
                    self.namespace
                ),
            )];
        };
        let unmet: Vec<&str> =
            ["NamespaceReady", "QuotaEnforced", "NetworkIsolated", "AccessGranted"]
                .into_iter()
                .filter(|type_| !condition_is_true(domain, type_))
                .collect();
        if unmet.is_empty() || domain.metadata.deletion_timestamp.is_some() {
            return Vec::new();
        }
        vec![Problem::new(
            "DomainNotReady",
            "metadata.namespace",
            format!(
                "waits for Domain {}: {} (kubectl describe domain {})",
                self.name(),
                unmet.join(", "),
                self.name()
            ),
        )]
    }

    /// The Spark runtime of a workload. Call it after the problems above were ruled out; an
    /// unknown image becomes empty.
    pub fn runtime(&self, spec: &SparkRuntime, images: &SparkImages) -> Runtime {
        let image = images.image(spec).unwrap_or_default();
        self.domain.as_ref().map(|domain| Runtime::new(domain, spec, image)).unwrap_or_default()
    }
}

/// The quotas of a domain that exist. Each that the spec asks for is looked up, so that it wakes
/// the workload when it comes.
fn quotas(view: &View<'_>, domain: &Domain) -> Vec<Quota> {
    let (name, namespace) = (domain.metadata.name.as_deref(), domain.namespace_name());
    let (name, spec) = (name.unwrap_or_default(), domain.spec.quota.as_ref());
    let classes = spec.into_iter().flat_map(|quota| &quota.per_priority);
    let by_priority = classes.map(|bound| {
        let class = &bound.priority_class;
        (names::priority_quota(name, class), Some(class.clone()))
    });
    [(names::quota(name), None)]
        .into_iter()
        .chain(by_priority)
        .filter_map(|(name, priority_class)| {
            let key = ObjectKey::namespaced(RESOURCE_QUOTA, &namespace, name);
            Some(Quota { priority_class, status: view.object_aside(&key)?.part("/status")? })
        })
        .collect()
}

fn condition_is_true(domain: &Domain, type_: &str) -> bool {
    domain
        .status
        .iter()
        .flat_map(|status| &status.conditions)
        .any(|condition| condition.type_ == type_ && condition.status == "True")
}
