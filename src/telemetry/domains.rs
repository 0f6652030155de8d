//! Metrics of domains: what their status says, written when it is asked for. So they cost nothing in
//! between, and those of a Domain that is gone are gone. The text is made in blocks, as it is sent: of
//! thousands of domains it is megabytes, which the heap would keep.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt::{Display, Write},
    iter,
    sync::Arc,
};

use serde::Deserialize;

use super::table::Row;
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

/// How many domains a block tells of: some ten kilobytes.
const BLOCK: usize = 64;

/// Shows the domains that this process works on.
#[derive(Clone)]
pub struct Domains(Roots);

/// A metric: all of them are gauges.
struct Family {
    name: &'static str,
    help: &'static str,
    /// In the order of the alphabet.
    labels: &'static [&'static str],
    write: fn(&mut Samples, &Fleet, &Seen),
}

const FAMILIES: [Family; 5] = [
    Family {
        name: "polder_domain_info",
        help: "Always 1; the namespace and who answers for the domain are in its labels.",
        labels: &["cost_center", "domain", "namespace", "team"],
        write: info,
    },
    Family {
        name: "polder_domain_condition",
        help: "Conditions of Domains: 1 is True, 0 False, -1 Unknown.",
        labels: &["condition", "domain", "reason"],
        write: conditions,
    },
    Family {
        name: "polder_domain_resource_used",
        help: "What is used of a quota: cores, bytes or objects; priority_class is empty for the \
               quota of all.",
        labels: &["domain", "priority_class", "resource"],
        write: used,
    },
    Family {
        name: "polder_domain_resource_limit",
        help: "Hard limit of a quota: cores, bytes or objects.",
        labels: &["domain", "priority_class", "resource"],
        write: limits,
    },
    Family {
        name: "polder_domain_workloads",
        help: "Workloads by kind and state: ready, progressing, stalled, suspended, or pending if \
               nobody has looked at it yet.",
        labels: &["domain", "kind", "state"],
        write: workloads,
    },
];

/// What each of them is.
pub fn rows() -> Vec<Row> {
    let row = |family: &Family| Row {
        name: family.name.to_owned(),
        kind: "gauge",
        labels: family.labels.iter().map(|&label| label.to_owned()).collect(),
        help: family.help.to_owned(),
    };
    FAMILIES.iter().map(row).collect()
}

impl Domains {
    /// Of these roots.
    pub fn new(roots: Roots) -> Self {
        Self(roots)
    }

    /// All of it in blocks, each made when it is asked for. It reads the same in both formats.
    pub fn text(&self) -> impl Iterator<Item = String> + Send + use<> {
        let fleet = Arc::new(Fleet::of(&self.0));
        FAMILIES.into_iter().flat_map(move |family| {
            let Family { name, help, .. } = family;
            let head = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
            let fleet = Arc::clone(&fleet);
            let blocks = (0..fleet.domains.len()).step_by(BLOCK);
            iter::once(head).chain(blocks.map(move |from| fleet.block(&family, from)))
        })
    }
}

/// What is told of, at one moment.
struct Fleet {
    /// By name.
    domains: Vec<Seen>,
    /// By domain, then by kind and state.
    workloads: HashMap<String, Counts>,
}

/// How many workloads there are of a kind and in a state.
type Counts = BTreeMap<(&'static str, &'static str), u32>;

impl Fleet {
    fn of(roots: &Roots) -> Self {
        let mut domains = roots.of::<Domain>();
        domains.sort_by(|a, b| a.key().name.cmp(&b.key().name));
        let others =
            [roots.of::<SparkCluster>(), roots.of::<SqlEndpoint>(), roots.of::<BatchJob>()];
        let mut homes = HashMap::new();
        for seen in &domains {
            let status = status(seen);
            if let (Some(namespace), Some(_)) = (status.namespace, status.workloads) {
                homes.insert(namespace.into_owned(), &seen.key().name);
            }
        }
        let mut workloads: HashMap<String, Counts> = HashMap::new();
        for seen in others.iter().flatten() {
            let key = seen.key();
            let home = key.namespace.as_ref().and_then(|namespace| homes.get(namespace));
            let Some(&domain) = home else { continue };
            let counts = workloads.entry(domain.clone()).or_default();
            *counts.entry((key.resource.kind, state(&status(seen).conditions))).or_default() += 1;
        }
        Self { domains, workloads }
    }

    fn block(&self, family: &Family, from: usize) -> String {
        let mut samples = Samples { name: family.name, labels: family.labels, text: String::new() };
        for seen in self.domains.iter().skip(from).take(BLOCK) {
            (family.write)(&mut samples, self, seen);
        }
        samples.text
    }
}

/// Samples of a family, as text.
struct Samples {
    name: &'static str,
    labels: &'static [&'static str],
    text: String,
}

impl Samples {
    /// One with values in the order of the labels.
    fn add(&mut self, values: &[&str], value: impl Display) {
        self.text.push_str(self.name);
        for (i, (label, value)) in self.labels.iter().zip(values).enumerate() {
            let separator = if i == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{separator}{label}=\"{}\"", escaped(value));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

/// As both formats have it in quotes.
fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return value.into();
    }
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").into()
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

fn status(seen: &Seen) -> Status<'_> {
    seen.status().unwrap_or_default()
}

fn info(samples: &mut Samples, _: &Fleet, seen: &Seen) {
    let status = status(seen);
    let owner = status.owner.unwrap_or_default();
    let namespace = status.namespace.unwrap_or_default();
    let (team, cost) = (owner.team.unwrap_or_default(), owner.cost_center.unwrap_or_default());
    samples.add(&[&cost, &seen.key().name, &namespace, &team], 1);
}

fn conditions(samples: &mut Samples, _: &Fleet, seen: &Seen) {
    for condition in &status(seen).conditions {
        let value = match &*condition.status {
            "True" => 1,
            "False" => 0,
            _ => -1,
        };
        samples.add(&[&condition.type_, &seen.key().name, &condition.reason], value);
    }
}

fn used(samples: &mut Samples, _: &Fleet, seen: &Seen) {
    let Some(quota) = status(seen).quota else { return };
    quantities(samples, seen, "", &quota.used);
    for class in &quota.per_priority {
        quantities(samples, seen, &class.priority_class, &class.used);
    }
}

fn limits(samples: &mut Samples, _: &Fleet, seen: &Seen) {
    let Some(quota) = status(seen).quota else { return };
    quantities(samples, seen, "", &quota.hard);
    for class in &quota.per_priority {
        quantities(samples, seen, &class.priority_class, &class.hard);
    }
}

fn quantities<'a>(
    samples: &mut Samples,
    seen: &Seen,
    class: &str,
    quantities: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    for (resource, quantity) in quantities {
        if let Some(milli) = quantity::milli(quantity) {
            samples.add(&[&seen.key().name, class, resource], units(milli));
        }
    }
}

fn workloads(samples: &mut Samples, fleet: &Fleet, seen: &Seen) {
    let domain = &seen.key().name;
    for ((kind, state), count) in fleet.workloads.get(domain).into_iter().flatten() {
        samples.add(&[domain, kind, state], count);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_escaped() {
        let mut samples = Samples { name: "m", labels: &["a", "b"], text: String::new() };
        samples.add(&["plain", "a \"b\" \\ c\nd"], 0.5);
        assert_eq!(samples.text, "m{a=\"plain\",b=\"a \\\"b\\\" \\\\ c\\nd\"} 0.5\n");
    }

    #[test]
    fn labels_are_sorted_as_clients_of_prometheus_have_them() {
        for family in FAMILIES {
            assert!(family.labels.is_sorted(), "{}", family.name);
        }
    }
}
