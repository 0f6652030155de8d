//! What the workloads of a domain may use: the rules that the chart's admission policies enforce,
//! checked once more at reconcile, since a domain may change after a workload was let in.
//!
//! The policies read the annotations that [`Policy::annotations`] puts on the domain's namespace.
//! One table of cases (`tests/policy/cases.yaml`) is put to both.

mod images;
mod secrets;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use secrets::{DriverSecrets, driver_secrets};
pub use usage::Usage;

use crate::{
    api::{
        Domain,
        common::NodePool,
        spark_conf::{breaks_lines, is_owned},
    },
    build::spark::{
        SparkImages,
        executors::{ACCOUNT, DRIVER_ACCOUNT},
    },
    engine::Problem,
};

/// Annotation with the patterns of images that pods may run; [`ANY`] for all.
pub const IMAGES: &str = "polder.dev/allowed-images";
/// Annotation with the storage classes that volumes may have; [`ANY`] for all.
pub const STORAGE_CLASSES: &str = "polder.dev/storage-classes";
/// Annotation with the priority classes that workloads may ask for; [`ANY`] for all.
pub const PRIORITY_CLASSES: &str = "polder.dev/priority-classes";
/// Annotation with the names of the domain's node pools.
pub const NODE_POOLS: &str = "polder.dev/node-pools";
/// Annotation with the tolerations of the node pools, as `key|operator|value|effect`.
pub const TOLERATIONS: &str = "polder.dev/tolerations";
/// Annotation with the most executors of one workload; [`ANY`] for no bound.
pub const MAX_EXECUTORS: &str = "polder.dev/max-executors";
/// Annotation with the service accounts that pods may run as.
pub const SERVICE_ACCOUNTS: &str = "polder.dev/service-accounts";
/// Annotation with the domain's own secrets: every workload may use them.
pub const SECRETS: &str = "polder.dev/secrets";
/// Annotation with the Secrets that executor pods may use, by driver: see [`DriverSecrets`].
pub const DRIVER_SECRETS: &str = "polder.dev/driver-secrets";
/// Annotation that is `true` while the domain is frozen; absent otherwise.
pub const FROZEN: &str = "polder.dev/frozen";
/// Value that restricts nothing.
pub const ANY: &str = "*";

/// Priority classes with which a pod could push aside what the cluster itself needs.
/// Source: <https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/>
const SYSTEM_PRIORITY: &str = "system-";

/// What a domain lets its workloads use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    domain: String,
    images: Allowed,
    storage_classes: Allowed,
    priority_classes: Allowed,
    node_pools: Vec<String>,
    tolerations: Vec<String>,
    max_executors: Option<i32>,
    secrets: Vec<String>,
    frozen: bool,
}

/// Names that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Allowed {
    /// All.
    #[default]
    Any,
    /// These.
    Only(Vec<String>),
}

impl Allowed {
    /// A list as the Domain has it: an empty one restricts nothing.
    fn list(names: &[String]) -> Self {
        if names.is_empty() { Self::Any } else { Self::Only(names.to_vec()) }
    }

    fn text(&self) -> String {
        match self {
            Self::Any => ANY.to_owned(),
            Self::Only(names) => names.join(","),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.iter().any(|allowed| allowed == name),
        }
    }
}

impl Policy {
    /// The policy of a domain. The images of the operator's Spark versions are the platform's own,
    /// and so always among the allowed ones.
    pub fn of(domain: &Domain, catalogue: &SparkImages) -> Self {
        let compute = domain.spec.compute.clone().unwrap_or_default();
        let images = match Allowed::list(&compute.images) {
            Allowed::Any => Allowed::Any,
            Allowed::Only(mut patterns) => {
                patterns.extend(catalogue.images.values().cloned());
                Allowed::Only(patterns)
            }
        };
        Self {
            domain: domain.metadata.name.clone().unwrap_or_default(),
            images,
            storage_classes: Allowed::list(&compute.storage_classes),
            priority_classes: Allowed::list(&compute.priority_classes),
            node_pools: compute.node_pools.iter().map(|pool| pool.name.clone()).collect(),
            tolerations: compute.node_pools.iter().flat_map(tolerations).collect(),
            max_executors: compute.max_executors,
            secrets: secrets::of_domain(&domain.spec),
            frozen: domain.spec.frozen,
        }
    }

    /// The policy as annotations of the domain's namespace. All but [`FROZEN`] and
    /// [`DRIVER_SECRETS`] are always there: the admission policies refuse everything where one is
    /// missing.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let bound = self.max_executors.map_or(ANY.to_owned(), |most| most.to_string());
        let mut all = BTreeMap::from([
            (IMAGES, self.images.text()),
            (STORAGE_CLASSES, self.storage_classes.text()),
            (PRIORITY_CLASSES, self.priority_classes.text()),
            (NODE_POOLS, self.node_pools.join(",")),
            (TOLERATIONS, self.tolerations.join(",")),
            (MAX_EXECUTORS, bound),
            (SERVICE_ACCOUNTS, [ACCOUNT, DRIVER_ACCOUNT].join(",")),
            (SECRETS, self.secrets.join(",")),
        ]);
        if self.frozen {
            all.insert(FROZEN, "true".to_owned());
        }
        all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Whether the domain lets nothing new in.
    pub fn frozen(&self) -> Option<Problem> {
        self.frozen.then(|| {
            let message = format!(
                "Domain {} is frozen: nothing new starts; it starts when spec.frozen of the Domain \
                 is unset",
                self.domain
            );
            Problem::new("DomainFrozen", "metadata.namespace", message)
        })
    }

    /// All that a workload asks for and may not have.
    pub fn problems(&self, usage: &Usage) -> Vec<Problem> {
        [
            self.image_problems(usage),
            self.class_problems(usage),
            self.priority_problems(usage),
            self.count_problems(usage),
            conf_problems(usage),
        ]
        .concat()
    }

    fn image_problems(&self, usage: &Usage) -> Vec<Problem> {
        let Allowed::Only(patterns) = &self.images else { return Vec::new() };
        let refused = usage.images.iter().filter(|(_, image)| !images::matches(patterns, image));
        let problem = |(field, image): &(String, String)| {
            let message = format!(
                "image {image} is not allowed in this domain; write its full name with registry; \
                 allowed: {}",
                patterns.join(", ")
            );
            Problem::new("ImageNotAllowed", field, message)
        };
        refused.map(problem).collect()
    }

    fn class_problems(&self, usage: &Usage) -> Vec<Problem> {
        let is_refused = |class: Option<&str>| match class {
            Some(class) => !self.storage_classes.has(class),
            // The cluster's default class cannot be seen from here.
            None => self.storage_classes != Allowed::Any,
        };
        let refused = usage.classes.iter().filter(|(_, class)| is_refused(class.as_deref()));
        let problem = |(field, class): &(String, Option<String>)| {
            let what = class.as_deref().map_or_else(
                || "the cluster's default class".to_owned(),
                |class| format!("storage class {class}"),
            );
            let message = format!(
                "{what} is not allowed in this domain; allowed: {}",
                self.storage_classes.text()
            );
            Problem::new("StorageClassNotAllowed", field, message)
        };
        refused.map(problem).collect()
    }

    fn priority_problems(&self, usage: &Usage) -> Vec<Problem> {
        let is_refused =
            |class: &str| !self.priority_classes.has(class) || class.starts_with(SYSTEM_PRIORITY);
        let allowed = match &self.priority_classes {
            Allowed::Any => "any but those of the system".to_owned(),
            Allowed::Only(names) => names.join(", "),
        };
        let refused = usage.priority_classes.iter().filter(|(_, class)| is_refused(class));
        let problem = |(field, class): &(String, String)| {
            let message = format!(
                "priority class {class} is not allowed in this domain; leave it out, or use one of \
                 those allowed: {allowed}"
            );
            Problem::new("PriorityClassNotAllowed", field, message)
        };
        refused.map(problem).collect()
    }

    fn count_problems(&self, usage: &Usage) -> Vec<Problem> {
        let Some(most) = self.max_executors else { return Vec::new() };
        let refused = usage.counts.iter().filter(|(_, count)| *count > i64::from(most));
        let problem = |(field, count): &(String, i64)| {
            let message = format!(
                "{count} is more than the {most} executors or workers that this domain allows a \
                 workload"
            );
            Problem::new("TooManyExecutors", field, message)
        };
        refused.map(problem).collect()
    }
}

/// Properties that reach past a fence, and values that could.
fn conf_problems(usage: &Usage) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, conf) in &usage.confs {
        for (key, value) in &conf.0 {
            let field = format!("{field}[{key}]");
            if is_owned(key) {
                let message =
                    "Polder sets this key itself, from other fields of the spec; remove it";
                problems.push(Problem::new("ReservedKey", field, message));
            } else if breaks_lines(value) {
                let message =
                    "the value holds a line break or another control character; remove it";
                problems.push(Problem::new("InvalidValue", field, message));
            }
        }
    }
    problems
}

/// Tolerations as the admission policy for pods compares them. One with a separator in it could
/// read as two, and is left out: then its pods are refused, which shows.
fn tolerations(pool: &NodePool) -> Vec<String> {
    let texts = pool.tolerations.iter().map(|toleration| {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let operator = toleration.operator.clone().unwrap_or_else(|| "Equal".to_owned());
        [part(&toleration.key), operator, part(&toleration.value), part(&toleration.effect)]
    });
    texts
        .filter(|parts| parts.iter().all(|part| !part.contains([',', '|'])))
        .map(|parts| parts.join("|"))
        .collect()
}
