//! Whether shared volumes can be what they are asked to be.

use k8s_openapi::api::core::v1::PersistentVolumeClaimSpec;

use crate::{api::domain::SharedVolume, build::quantity, engine::Problem};

use super::super::{Resolved, children::volumes::access_mode, scope::Scope};

/// All that is wrong with shared volumes, against claims that exist already.
pub fn volumes(scope: &Scope<'_>, resolved: &Resolved) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, volume) in scope.spec.volumes.iter().enumerate() {
        let field = format!("spec.volumes[{index}]");
        if quantity::milli(&volume.size.0).is_none_or(|milli| milli <= 0) {
            let message = format!("{} is no size such as 100Gi", volume.size);
            problems.push(Problem::new("InvalidQuantity", format!("{field}.size"), message));
        }
        let claim = scope.claim_key(volume).name;
        let existing = resolved.claim(scope, volume).and_then(|record| record.part("/spec"));
        if let Some(spec) = existing {
            problems.extend(changes(&field, volume, &claim, &spec));
        }
    }
    problems
}

/// What differs from the claim and cannot be changed.
/// Source: <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims>
fn changes(
    field: &str,
    volume: &SharedVolume,
    claim: &str,
    spec: &PersistentVolumeClaimSpec,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut differs = |part: &str, asked: &str, is: &str, rule: &str| {
        let message = format!(
            "{asked} is asked for, but claim {claim} has {is}, and {rule}; put {is} back, or add a \
             volume under another name and move the data"
        );
        problems.push(Problem::new("VolumeImmutable", format!("{field}.{part}"), message));
    };
    if let (Some(asked), Some(is)) = (&volume.class, &spec.storage_class_name)
        && asked != is
    {
        differs("class", asked, is, "the storage class of a volume cannot change");
    }
    if let Some(modes) = &spec.access_modes
        && !modes.iter().any(|mode| mode == access_mode(volume))
    {
        let rule = "the access mode of a volume cannot change";
        differs("accessMode", access_mode(volume), &modes.join(", "), rule);
    }
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    if let Some(is) = requests.and_then(|requests| requests.get("storage"))
        && let (Some(asked), Some(now)) = (quantity::milli(&volume.size.0), quantity::milli(&is.0))
        && asked < now
    {
        differs("size", &volume.size.0, &is.0, "volumes cannot shrink");
    }
    problems
}
