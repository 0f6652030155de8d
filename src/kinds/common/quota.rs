//! Whether a workload's pods fit into its domain's quota.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuotaStatus;

use crate::{api::common::Resources, build::quantity};

/// What pods ask for, by quota resource, in thousandths.
pub type Needs = BTreeMap<&'static str, i128>;

/// What `count` pods ask for.
pub fn needs(resources: &Resources, count: i64) -> Needs {
    let count = i128::from(count);
    let milli = |text: &str| quantity::milli(text).unwrap_or(0) * count;
    let cpu_limit = resources.cpu_limit.as_ref().unwrap_or(&resources.cpu);
    let memory = milli(&resources.memory.0);
    [
        ("cpu", milli(&resources.cpu.0)),
        ("requests.cpu", milli(&resources.cpu.0)),
        ("limits.cpu", milli(&cpu_limit.0)),
        ("memory", memory),
        ("requests.memory", memory),
        ("limits.memory", memory),
        ("pods", 1000 * count),
        ("count/pods", 1000 * count),
    ]
    .into()
}

/// Adds up.
pub fn add(mut total: Needs, more: &Needs) -> Needs {
    for (resource, amount) in more {
        *total.entry(resource).or_default() += amount;
    }
    total
}

/// Room that is missing for some pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Resource, requested and free, in words.
    pub message: String,
    /// It would not fit even into the empty domain.
    pub hopeless: bool,
}

/// Whether pods that are still to be made fit into what is free, and all pods of the workload
/// into the whole.
pub fn shortfall(
    quota: Option<&ResourceQuotaStatus>,
    missing: &Needs,
    all: &Needs,
) -> Option<Shortfall> {
    let quota = quota?;
    let (hard, used) = (quota.hard.as_ref()?, quota.used.as_ref());
    let mut messages = Vec::new();
    let mut hopeless = false;
    for (resource, bound) in hard {
        let Some(bound) = quantity::milli(&bound.0) else { continue };
        let (missing, all) = (amount(missing, resource), amount(all, resource));
        let used = used
            .and_then(|used| used.get(resource))
            .and_then(|used| quantity::milli(&used.0))
            .unwrap_or(0);
        let is_bytes = resource.contains("memory");
        let show = |milli: i128| quantity::display_milli(milli, is_bytes);
        if all > bound {
            hopeless = true;
            messages.push(format!(
                "{resource}: asks for {} in all, the domain has {}",
                show(all),
                show(bound)
            ));
        } else if missing > 0 && missing > bound - used {
            messages.push(format!(
                "{resource}: asks for {} more, {} of {} is free",
                show(missing),
                show((bound - used).max(0)),
                show(bound)
            ));
        }
    }
    (!messages.is_empty()).then(|| Shortfall { message: messages.join("; "), hopeless })
}

fn amount(needs: &Needs, resource: &str) -> i128 {
    needs.get(resource).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::core::v1::ResourceQuotaStatus, apimachinery::pkg::api::resource::Quantity,
    };

    use super::{needs, shortfall};
    use crate::api::common::Resources;

    fn quota(hard: &str, used: &str) -> ResourceQuotaStatus {
        let of =
            |text: &str| Some([("limits.memory".to_owned(), Quantity(text.to_owned()))].into());
        ResourceQuotaStatus { hard: of(hard), used: of(used) }
    }

    fn resources() -> Resources {
        Resources { cpu: "1".into(), memory: "4Gi".into(), cpu_limit: None }
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_free() {
        let short = shortfall(
            Some(&quota("10Gi", "8Gi")),
            &needs(&resources(), 1),
            &needs(&resources(), 2),
        )
        .unwrap();
        assert_eq!(short.message, "limits.memory: asks for 4Gi more, 2Gi of 10Gi is free");
        assert!(!short.hopeless);
    }

    #[test]
    fn what_can_never_fit_is_said() {
        let short =
            shortfall(Some(&quota("10Gi", "0")), &needs(&resources(), 3), &needs(&resources(), 3))
                .unwrap();
        assert!(short.hopeless, "{short:?}");
    }

    #[test]
    fn what_fits_is_no_trouble() {
        let quota = quota("10Gi", "2Gi");
        assert_eq!(shortfall(Some(&quota), &needs(&resources(), 2), &needs(&resources(), 2)), None);
        assert_eq!(shortfall(None, &needs(&resources(), 9), &needs(&resources(), 9)), None);
    }
}
