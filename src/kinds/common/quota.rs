//! Whether a workload's pods and volumes fit into the quotas of its domain.

use std::{collections::BTreeMap, iter::Sum};

use k8s_openapi::api::core::v1::ResourceQuotaStatus;

use crate::{
    api::{
        Quantity,
        common::{ExecutorPods, Resources},
        domain::LimitsSpec,
    },
    build::quantity,
};

/// A quota as the quota controller sees it.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    /// The priority class whose pods it bounds; `None`: everything.
    pub priority_class: Option<String>,
    /// Bounds and use.
    pub status: ResourceQuotaStatus,
}

/// What pods and volumes ask for, in thousandths, by priority class and quota resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<(Option<String>, String), i128>);

impl Needs {
    /// What a pod asks for. What it does not say itself comes from the domain's limits.
    ///
    /// A pod without a priority class gets the cluster's default one, if there is such; that is not
    /// known here.
    pub fn pod(
        resources: &Resources,
        priority_class: Option<&str>,
        limits: Option<&LimitsSpec>,
    ) -> Self {
        let milli = |quantity: &Quantity| quantity::milli(&quantity.0).unwrap_or(0);
        let (cpu, memory) = (milli(&resources.cpu), milli(&resources.memory));
        let cpu_limit = resources.cpu_limit.as_ref().map_or(cpu, milli);
        let disk = |map: &BTreeMap<String, Quantity>| map.get("ephemeral-storage").map(milli);
        let disk_limit = limits.and_then(|limits| disk(&limits.default)).unwrap_or(0);
        let disk_request = limits.and_then(|limits| disk(&limits.default_request));
        let disk_request = disk_request.unwrap_or(disk_limit);
        let amounts = [
            ("cpu", cpu),
            ("requests.cpu", cpu),
            ("limits.cpu", cpu_limit),
            ("memory", memory),
            ("requests.memory", memory),
            ("limits.memory", memory),
            ("ephemeral-storage", disk_request),
            ("requests.ephemeral-storage", disk_request),
            ("limits.ephemeral-storage", disk_limit),
            ("pods", 1000),
            ("count/pods", 1000),
        ];
        let key = |resource: &str| (priority_class.map(str::to_owned), resource.to_owned());
        Self(amounts.into_iter().map(|(resource, amount)| (key(resource), amount)).collect())
    }

    /// What a volume asks for. One without a class counts in its default class too, which is not
    /// known here.
    pub fn claim(size: &Quantity, class: Option<&str>) -> Self {
        let size = quantity::milli(&size.0).unwrap_or(0);
        let whole = [
            ("requests.storage".to_owned(), size),
            ("persistentvolumeclaims".to_owned(), 1000),
            ("count/persistentvolumeclaims".to_owned(), 1000),
        ];
        let of_class = class.into_iter().flat_map(|class| {
            [
                (quantity::of_class(class, "requests.storage"), size),
                (quantity::of_class(class, "persistentvolumeclaims"), 1000),
            ]
        });
        let all = whole.into_iter().chain(of_class);
        Self(all.map(|(resource, amount)| ((None, resource), amount)).collect())
    }

    /// What executors ask for that Spark is yet to make, `pods` of them, and `volumes` of them with
    /// new volumes.
    pub fn executors(
        spec: &ExecutorPods,
        limits: Option<&LimitsSpec>,
        pods: i64,
        volumes: i64,
    ) -> Self {
        let pod = Self::pod(&spec.resources, spec.priority_class.as_deref(), limits);
        let claims = spec.volumes.iter();
        let claims: Self =
            claims.map(|volume| Self::claim(&volume.size, volume.class.as_deref())).sum();
        [pod.times(pods), claims.times(volumes)].into_iter().sum()
    }

    /// So many of it.
    #[must_use]
    pub fn times(mut self, count: i64) -> Self {
        for amount in self.0.values_mut() {
            *amount *= i128::from(count.max(0));
        }
        self
    }

    /// What counts in a quota.
    fn of(&self, priority_class: Option<&str>, resource: &str) -> i128 {
        let counts = |class: &Option<String>| {
            priority_class.is_none_or(|bounded| class.as_deref() == Some(bounded))
        };
        let entries = self.0.iter().filter(|((class, name), _)| name == resource && counts(class));
        entries.map(|(_, amount)| amount).sum()
    }
}

impl Sum for Needs {
    fn sum<I: Iterator<Item = Self>>(needs: I) -> Self {
        let mut total = Self::default();
        for (key, amount) in needs.flat_map(|needs| needs.0) {
            *total.0.entry(key).or_default() += amount;
        }
        total
    }
}

/// Room that is missing for some pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Resource, requested and free, in words.
    pub message: String,
    /// It would not fit even into the empty domain.
    pub hopeless: bool,
}

/// Whether what is still to be made fits into what is free, and all of the workload into the
/// whole.
pub fn shortfall(quotas: &[Quota], missing: &Needs, all: &Needs) -> Option<Shortfall> {
    let mut messages = Vec::new();
    let mut hopeless = false;
    for Bound { class, resource, hard, used } in quotas.iter().flat_map(bounds) {
        let (missing, all) = (missing.of(class, resource), all.of(class, resource));
        let free = (hard - used).max(0);
        let is_bytes = resource.contains("memory") || resource.contains("storage");
        let is_bytes = is_bytes && !resource.ends_with("persistentvolumeclaims");
        let show = |milli: i128| quantity::display_milli(milli, is_bytes);
        let of_class = class.map(|class| format!(" of priority class {class}")).unwrap_or_default();
        if all > hard {
            hopeless = true;
            messages.push(format!(
                "{resource}{of_class}: asks for {} in all, the domain has {}",
                show(all),
                show(hard)
            ));
        } else if missing > 0 && missing > free {
            messages.push(format!(
                "{resource}{of_class}: asks for {} more, {} of {} is free",
                show(missing),
                show(free),
                show(hard)
            ));
        }
    }
    (!messages.is_empty()).then(|| Shortfall { message: messages.join("; "), hopeless })
}

/// How many of `count` that are alike fit into what is free.
pub fn fitting(quotas: &[Quota], each: &Needs, count: i64) -> i64 {
    let limits = quotas.iter().flat_map(bounds).filter_map(|bound| {
        let need = each.of(bound.class, bound.resource);
        let free = (bound.hard - bound.used).max(0);
        (need > 0).then(|| i64::try_from(free / need).unwrap_or(i64::MAX))
    });
    limits.min().unwrap_or(count).min(count)
}

/// One resource of a quota, in thousandths.
struct Bound<'a> {
    class: Option<&'a str>,
    resource: &'a str,
    hard: i128,
    used: i128,
}

fn bounds(quota: &Quota) -> impl Iterator<Item = Bound<'_>> {
    quota.status.hard.iter().flatten().filter_map(|(resource, hard)| {
        let used = quota.status.used.as_ref().and_then(|used| used.get(resource));
        Some(Bound {
            class: quota.priority_class.as_deref(),
            resource,
            hard: quantity::milli(&hard.0)?,
            used: used.and_then(|used| quantity::milli(&used.0)).unwrap_or(0),
        })
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity as KubeQuantity;
    use rstest::rstest;

    use super::{Needs, Quota, ResourceQuotaStatus, fitting, shortfall};
    use crate::api::{common::Resources, domain::LimitsSpec};

    fn quota(resource: &str, hard: &str, used: &str) -> Quota {
        let of = |text: &str| Some([(resource.to_owned(), KubeQuantity(text.to_owned()))].into());
        Quota {
            priority_class: None,
            status: ResourceQuotaStatus { hard: of(hard), used: of(used) },
        }
    }

    fn pods(priority_class: Option<&str>, count: i64) -> Needs {
        let resources = Resources { cpu: "1".into(), memory: "4Gi".into(), cpu_limit: None };
        Needs::pod(&resources, priority_class, None).times(count)
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_free() {
        let quotas = [quota("limits.memory", "10Gi", "8Gi")];
        let short = shortfall(&quotas, &pods(None, 1), &pods(None, 2)).unwrap();
        assert_eq!(short.message, "limits.memory: asks for 4Gi more, 2Gi of 10Gi is free");
        assert!(!short.hopeless);
    }

    #[test]
    fn what_can_never_fit_is_said() {
        let quotas = [quota("limits.memory", "10Gi", "0")];
        let short = shortfall(&quotas, &pods(None, 3), &pods(None, 3)).unwrap();
        assert!(short.hopeless, "{short:?}");
    }

    #[test]
    fn what_fits_is_no_trouble() {
        let quotas = [quota("limits.memory", "10Gi", "2Gi"), quota("count/widgets", "0", "0")];
        assert_eq!(shortfall(&quotas, &pods(None, 2), &pods(None, 2)), None);
        assert_eq!(shortfall(&[], &pods(None, 9), &pods(None, 9)), None);
    }

    #[rstest]
    #[case(
        "requests.storage",
        "10Gi",
        "9Gi",
        "requests.storage: asks for 2Gi more, 1Gi of 10Gi is free"
    )]
    #[case(
        "persistentvolumeclaims",
        "5",
        "5",
        "persistentvolumeclaims: asks for 1 more, 0 of 5 is free"
    )]
    #[case(
        "fast.storageclass.storage.k8s.io/requests.storage",
        "3Gi",
        "2Gi",
        "fast.storageclass.storage.k8s.io/requests.storage: asks for 2Gi more, 1Gi of 3Gi is free"
    )]
    #[case(
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims",
        "2k",
        "2k",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims: asks for 1 more, 0 of 2k is free"
    )]
    fn volumes_count_too(
        #[case] resource: &str,
        #[case] hard: &str,
        #[case] used: &str,
        #[case] expected: &str,
    ) {
        let claim = Needs::claim(&"2Gi".into(), Some("fast"));
        let short = shortfall(&[quota(resource, hard, used)], &claim, &claim).unwrap();
        assert_eq!(short.message, expected);
        let other = Needs::claim(&"2Gi".into(), Some("slow"));
        let is_of_class = resource.starts_with("fast");
        let short = shortfall(&[quota(resource, hard, used)], &other, &other);
        assert_eq!(short.is_none(), is_of_class);
    }

    #[test]
    fn only_pods_of_its_class_count_in_a_quota_of_a_priority_class() {
        let of_low = Quota { priority_class: Some("low".to_owned()), ..quota("pods", "5", "4") };
        let both: Needs = [pods(Some("low"), 2), pods(None, 7)].into_iter().sum();
        let short = shortfall(std::slice::from_ref(&of_low), &both, &both).unwrap();
        assert_eq!(short.message, "pods of priority class low: asks for 2 more, 1 of 5 is free");
        assert_eq!(shortfall(&[of_low], &pods(Some("high"), 9), &pods(None, 9)), None);
        assert!(shortfall(&[quota("pods", "8", "0")], &both, &both).unwrap().hopeless);
    }

    #[test]
    fn what_a_pod_does_not_say_comes_from_the_limits_of_the_domain() {
        let limits = LimitsSpec {
            default: [("ephemeral-storage".to_owned(), "2Gi".into())].into(),
            ..LimitsSpec::default()
        };
        let resources = Resources { cpu: "1".into(), memory: "4Gi".into(), cpu_limit: None };
        let pod = Needs::pod(&resources, None, Some(&limits));
        for resource in ["requests.ephemeral-storage", "limits.ephemeral-storage"] {
            let short = shortfall(&[quota(resource, "3Gi", "2Gi")], &pod, &pod).unwrap();
            assert!(short.message.contains("asks for 2Gi more, 1Gi of 3Gi is free"), "{short:?}");
        }
    }

    #[test]
    fn as_many_as_fit() {
        let quotas = [quota("limits.memory", "10Gi", "1Gi"), quota("pods", "10", "9")];
        assert_eq!(fitting(&quotas[..1], &pods(None, 1), 5), 2);
        assert_eq!(fitting(&quotas, &pods(None, 1), 5), 1);
        assert_eq!(fitting(&[], &pods(None, 1), 5), 5);
        assert_eq!(fitting(&[quota("pods", "1", "3")], &pods(None, 1), 5), 0);
    }
}
