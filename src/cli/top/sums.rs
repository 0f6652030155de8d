//! Objects in, sums out.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, Pod},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{super::cluster::Object, By};
use crate::build::{labels, quantity};

/// Hours of a month: 365 days by 12.
const HOURS: f64 = 730.0;
/// Thousandths of a byte in a GiB.
const GIB: f64 = 1_073_741_824_000.0;

/// What a pod uses now. Source: <https://github.com/kubernetes/metrics>
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PodUsage {
    metadata: ObjectMeta,
    #[serde(default)]
    containers: Vec<ContainerUsage>,
}

#[derive(Clone, Debug, Deserialize)]
struct ContainerUsage {
    #[serde(default)]
    usage: BTreeMap<String, Quantity>,
}

/// What was read.
pub(super) struct Read {
    pub(super) domains: Vec<Object>,
    pub(super) pods: Vec<Pod>,
    pub(super) claims: Vec<PersistentVolumeClaim>,
    /// Or why that is not known.
    pub(super) used: Result<Vec<PodUsage>, String>,
}

/// Prices of an hour: of a core, a GiB of memory, a GiB of volumes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prices {
    pub(super) cpu: f64,
    pub(super) memory: f64,
    pub(super) storage: f64,
}

impl Prices {
    pub(super) fn are_given(self) -> bool {
        self.cpu + self.memory + self.storage > 0.0
    }
}

/// What one domain, team or cost centre has.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_center: Option<String>,
    pub(super) pods: usize,
    /// Reserved, in cores.
    pub(super) cores: f64,
    /// Reserved, in GiB.
    pub(super) memory_gib: f64,
    /// Volumes, in GiB.
    pub(super) storage_gib: f64,
    /// In use, in cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) used_cores: Option<f64>,
    /// In use, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) used_memory_gib: Option<f64>,
    /// Of what is reserved now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_per_hour: Option<f64>,
    /// If it stays as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_per_month: Option<f64>,
}

/// Adds up; the most expensive, or largest, comes first.
pub(super) fn sum(read: &Read, by: By, prices: Prices) -> Vec<Line> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for domain in &read.domains {
        let text = |pointer| domain.status_text(pointer).map(str::to_owned);
        let (team, cost_center) = (text("/owner/team"), text("/owner/costCenter"));
        let name = match by {
            By::Domain => domain.name().to_owned(),
            By::Team => team.clone().unwrap_or_default(),
            By::CostCenter => cost_center.clone().unwrap_or_default(),
        };
        names.insert(domain.name().to_owned(), name.clone());
        let line = lines.entry(name.clone()).or_default();
        line.name = name;
        if by == By::Domain {
            (line.team, line.cost_center) = (team, cost_center);
        }
    }
    let mut add = |labels: &BTreeMap<String, String>, change: &dyn Fn(&mut Line)| {
        let name = labels.get(labels::DOMAIN).and_then(|domain| names.get(domain));
        if let Some(line) = name.and_then(|name| lines.get_mut(name)) {
            change(line);
        }
    };
    for pod in &read.pods {
        let (cores, memory) = (reserved(pod, "cpu") / 1000.0, reserved(pod, "memory") / GIB);
        add(pod.labels(), &|line| {
            line.pods += 1;
            line.cores += cores;
            line.memory_gib += memory;
        });
    }
    for claim in &read.claims {
        let size = claim.status.as_ref().and_then(|it| it.capacity.as_ref()?.get("storage"));
        let size = milli(size) / GIB;
        add(claim.labels(), &|line| line.storage_gib += size);
    }
    for pod in read.used.iter().flatten() {
        let of = |what: &str| -> f64 {
            pod.containers.iter().map(|container| milli(container.usage.get(what))).sum()
        };
        let (cores, memory) = (of("cpu") / 1000.0, of("memory") / GIB);
        let none = BTreeMap::new();
        add(pod.metadata.labels.as_ref().unwrap_or(&none), &|line| {
            *line.used_cores.get_or_insert(0.0) += cores;
            *line.used_memory_gib.get_or_insert(0.0) += memory;
        });
    }
    let mut lines: Vec<Line> = lines.into_values().map(|line| priced(line, prices)).collect();
    let weight = |line: &Line| line.cost_per_hour.unwrap_or(line.cores);
    lines.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    lines
}

fn priced(line: Line, prices: Prices) -> Line {
    let hour = prices.are_given().then_some(
        line.cores * prices.cpu
            + line.memory_gib * prices.memory
            + line.storage_gib * prices.storage,
    );
    Line { cost_per_hour: hour, cost_per_month: hour.map(|hour| hour * HOURS), ..line }
}

/// What a pod reserves, in thousandths, as the scheduler counts it: its containers together, or
/// the largest that prepares it.
fn reserved(pod: &Pod, what: &str) -> f64 {
    let Some(spec) = &pod.spec else { return 0.0 };
    let of = |container: &k8s_openapi::api::core::v1::Container| {
        milli(container.resources.as_ref().and_then(|it| it.requests.as_ref()?.get(what)))
    };
    let together: f64 = spec.containers.iter().map(of).sum();
    spec.init_containers.iter().flatten().map(of).fold(together, f64::max)
}

#[allow(clippy::cast_precision_loss)] // Sums for people.
fn milli(quantity: Option<&Quantity>) -> f64 {
    quantity.and_then(|it| quantity::milli(&it.0)).unwrap_or(0) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::text, *};
    use crate::cli::show::Style;

    fn read() -> Read {
        let of = |domain: &str, more: Value| {
            let mut object =
                json!({"metadata": {"name": "x", "labels": {"polder.dev/domain": domain}}});
            object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            object
        };
        let domain = |name: &str, team: &str, cost: &str| {
            let status = json!({"owner": {"team": team, "costCenter": cost}});
            serde_json::from_value(json!({"metadata": {"name": name}, "status": status})).unwrap()
        };
        let pod = |domain: &str, cpu: &str, memory: &str| {
            let resources = json!({"requests": {"cpu": cpu, "memory": memory}});
            let spec = json!({"spec": {"containers": [{"name": "x", "resources": resources}]}});
            serde_json::from_value(of(domain, spec)).unwrap()
        };
        let claim = json!({"status": {"capacity": {"storage": "100Gi"}}});
        let usage = json!({"containers": [{"usage": {"cpu": "250m", "memory": "512Mi"}}]});
        Read {
            domains: vec![
                domain("sales", "data", "4711"),
                domain("ops", "infra", "4712"),
                domain("lab", "data", "4711"),
            ],
            pods: vec![
                pod("sales", "500m", "1Gi"),
                pod("sales", "2", "4Gi"),
                pod("ops", "4", "8Gi"),
                pod("gone", "9", "9Gi"),
            ],
            claims: vec![serde_json::from_value(of("sales", claim)).unwrap()],
            used: Ok(vec![serde_json::from_value(of("sales", usage)).unwrap()]),
        }
    }

    #[test]
    fn each_domain_has_a_line_and_the_largest_comes_first() {
        let lines = sum(&read(), By::Domain, Prices::default());
        insta::assert_snapshot!(text::table(
            &lines,
            By::Domain,
            Prices::default(),
            None,
            &Style::default()
        ));
    }

    #[test]
    fn with_prices_it_says_what_a_cost_centre_costs() {
        let prices = Prices { cpu: 0.04, memory: 0.005, storage: 0.0001 };
        let lines = sum(&read(), By::CostCenter, prices);
        insta::assert_snapshot!(text::table(
            &lines,
            By::CostCenter,
            prices,
            None,
            &Style::default()
        ));
    }
}
