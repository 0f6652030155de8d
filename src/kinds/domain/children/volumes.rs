//! Volumes that all Spark pods of the domain share.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::api::resource::Quantity as KubeQuantity,
};

use crate::{
    api::domain::{AccessMode, SharedVolume},
    build::quantity,
    engine::Record,
};

use super::super::scope::Scope;

/// The claim of a shared volume. `existing` is what is there of it already.
pub fn claim(
    scope: &Scope<'_>,
    volume: &SharedVolume,
    existing: Option<&Record>,
) -> PersistentVolumeClaim {
    let name = scope.claim_key(volume).name;
    let asked = KubeQuantity::from(&volume.size);
    let size = waits_to_grow(volume, existing).unwrap_or(asked);
    PersistentVolumeClaim {
        metadata: scope.identity().meta(&name, "volume"),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![access_mode(volume).to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                limits: None,
            }),
            storage_class_name: volume.class.clone(),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

/// The present size of a claim that is to grow and cannot yet: claims change only once they are
/// bound, and some storage classes bind them when a pod first uses them.
/// Source: <https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode>
pub fn waits_to_grow(volume: &SharedVolume, existing: Option<&Record>) -> Option<KubeQuantity> {
    let existing = existing?;
    let is_bound = existing.part::<String>("/status/phase").as_deref() == Some("Bound");
    let spec: PersistentVolumeClaimSpec = existing.part("/spec")?;
    let size = spec.resources?.requests?.get("storage")?.clone();
    (!is_bound && quantity::milli(&size.0)? != quantity::milli(&volume.size.0)?).then_some(size)
}

/// The access mode as a claim has it.
pub fn access_mode(volume: &SharedVolume) -> &'static str {
    match volume.access_mode.unwrap_or_default() {
        AccessMode::ReadWriteMany => "ReadWriteMany",
        AccessMode::ReadWriteOnce => "ReadWriteOnce",
    }
}
