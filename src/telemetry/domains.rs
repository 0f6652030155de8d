//! Metrics of domains: what their status says, made when they are asked for. So they cost nothing in
//! between, and those of a Domain that is gone are gone.

use std::{borrow::Cow, collections::HashMap};

use prometheus::{
    Error, GaugeVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use serde::Deserialize;

use super::{metrics::PREFIX, table::Row};
use crate::{
    api::{
        BatchJob, Domain, SparkCluster, SqlEndpoint,
        conditions::{READY, STALLED},
        domain::Owner,
        quota::QuotaStatus,
    },
    build::quantity,
    engine::{Roots, Seen},
};

/// Shows the domains that this process works on.
pub struct Domains {
    roots: Roots,
    /// What can be asked about before there is a domain.
    empty: Families,
}

/// The metrics, filled anew each time.
struct Families {
    info: GaugeVec,
    condition: GaugeVec,
    used: GaugeVec,
    limit: GaugeVec,
    workloads: GaugeVec,
}

/// As much of a status as is counted.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    owner: Option<Owner>,
    quota: Option<QuotaStatus>,
    /// There only if the namespace is the domain's.
    workloads: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    conditions: Vec<Condition<'a>>,
}

#[derive(Deserialize)]
struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
}

impl Domains {
    /// Of these roots.
    pub fn new(roots: Roots) -> Result<Self, Error> {
        Ok(Self { roots, empty: Families::new()? })
    }

    fn families(&self) -> Result<Families, Error> {
        let families = Families::new()?;
        let mut homes = HashMap::new();
        for seen in self.roots.of::<Domain>() {
            let status: Status<'_> = seen.status().unwrap_or_default();
            families.domain(&seen.key().name, &status);
            if let (Some(namespace), Some(_)) = (status.namespace, status.workloads) {
                homes.insert(namespace.into_owned(), seen.key().name.clone());
            }
        }
        families.workloads(&self.roots.of::<SparkCluster>(), &homes);
        families.workloads(&self.roots.of::<SqlEndpoint>(), &homes);
        families.workloads(&self.roots.of::<BatchJob>(), &homes);
        Ok(families)
    }
}

impl Collector for Domains {
    fn desc(&self) -> Vec<&Desc> {
        self.empty.all().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        match self.families() {
            Ok(families) => families.all().into_iter().flat_map(Collector::collect).collect(),
            Err(error) => {
                tracing::error!(%error, "BUG: the metrics of domains cannot be made");
                Vec::new()
            }
        }
    }
}

/// What each of them is.
pub fn rows() -> Result<Vec<Row>, Error> {
    let families = Families::new()?;
    let descs = families.all().into_iter().flat_map(Collector::desc);
    Ok(descs.map(|desc| Row::new(PREFIX, "gauge", desc)).collect())
}

impl Families {
    fn new() -> Result<Self, Error> {
        let gauge =
            |name: &str, help: &str, labels: &[&str]| GaugeVec::new(Opts::new(name, help), labels);
        Ok(Self {
            info: gauge(
                "domain_info",
                "Always 1; the namespace and who answers for the domain are in its labels.",
                &["domain", "namespace", "team", "cost_center"],
            )?,
            condition: gauge(
                "domain_condition",
                "Conditions of Domains: 1 is True, 0 False, -1 Unknown.",
                &["domain", "condition", "reason"],
            )?,
            used: gauge(
                "domain_resource_used",
                "What is used of a quota: cores, bytes or objects; priority_class is empty for the \
                 quota of all.",
                &["domain", "resource", "priority_class"],
            )?,
            limit: gauge(
                "domain_resource_limit",
                "Hard limit of a quota: cores, bytes or objects.",
                &["domain", "resource", "priority_class"],
            )?,
            workloads: gauge(
                "domain_workloads",
                "Workloads by kind and state: ready, progressing, stalled, suspended, or pending if \
                 nobody has looked at it yet.",
                &["domain", "kind", "state"],
            )?,
        })
    }

    fn all(&self) -> [&GaugeVec; 5] {
        [&self.info, &self.condition, &self.used, &self.limit, &self.workloads]
    }

    fn domain(&self, name: &str, status: &Status<'_>) {
        let owner = status.owner.as_ref();
        let of_owner = |field: fn(&Owner) -> &Option<String>| {
            owner.and_then(|owner| field(owner).as_deref()).unwrap_or_default()
        };
        let (team, cost) = (of_owner(|it| &it.team), of_owner(|it| &it.cost_center));
        let namespace = status.namespace.as_deref().unwrap_or_default();
        self.info.with_label_values(&[name, namespace, team, cost]).set(1.0);
        for condition in &status.conditions {
            let value = match &*condition.status {
                "True" => 1.0,
                "False" => 0.0,
                _ => -1.0,
            };
            let labels = [name, &condition.type_, &condition.reason];
            self.condition.with_label_values(&labels).set(value);
        }
        let Some(quota) = &status.quota else { return };
        set(&self.used, name, "", &quota.used);
        set(&self.limit, name, "", &quota.hard);
        for class in &quota.per_priority {
            set(&self.used, name, &class.priority_class, &class.used);
            set(&self.limit, name, &class.priority_class, &class.hard);
        }
    }

    fn workloads(&self, roots: &[Seen], homes: &HashMap<String, String>) {
        for seen in roots {
            let key = seen.key();
            let home = key.namespace.as_ref().and_then(|namespace| homes.get(namespace));
            let Some(domain) = home else { continue };
            let status: Status<'_> = seen.status().unwrap_or_default();
            let state = state(&status.conditions);
            self.workloads.with_label_values(&[domain, key.resource.kind, state]).inc();
        }
    }
}

fn set<'a>(
    gauge: &GaugeVec,
    domain: &str,
    class: &str,
    quantities: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    for (resource, quantity) in quantities {
        if let Some(milli) = quantity::milli(quantity) {
            gauge.with_label_values(&[domain, resource, class]).set(units(milli));
        }
    }
}

/// Whole bytes and objects, thousandths of cores: exact up to eight petabytes.
#[expect(clippy::cast_precision_loss)]
fn units(milli: i128) -> f64 {
    milli as f64 / 1000.0
}

/// The state of a workload, after its three conditions.
fn state(conditions: &[Condition<'_>]) -> &'static str {
    let find = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    let is_true = |type_: &str| find(type_).is_some_and(|condition| condition.status == "True");
    match find(READY) {
        None => "pending",
        Some(ready) if ready.status == "True" => "ready",
        Some(_) if is_true(STALLED) => "stalled",
        Some(ready) if ready.reason == "Suspended" => "suspended",
        Some(_) => "progressing",
    }
}
