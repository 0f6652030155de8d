//! Labels of the domain's owner on what stateful sets make.
//!
//! A change of a label in a pod template replaces every pod of the set, and claim templates cannot
//! change at all. A new cost centre must not restart running Spark: so pods get it when they are
//! replaced for another reason, and claims keep what they were made with. The set itself, like
//! every other object, has it at once.
//! Source: <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/>

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};

use crate::{
    build::labels::{COST_CENTER, Map, TEAM},
    engine::{Record, digest},
};

/// Annotation of a stateful set with the digest of its pod template, but for these labels.
const TEMPLATE: &str = "polder.dev/template";

/// What a stateful set that exists says of its owner.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Digest of its pod template, but for these labels.
    digest: Option<String>,
    /// Labels of its pods.
    pods: Map,
    /// Labels of its claims.
    claims: Map,
}

impl Template {
    /// Of a stateful set.
    pub fn of(record: &Record) -> Self {
        let annotations: Map = record.part("/metadata/annotations").unwrap_or_default();
        let pods = record.part("/spec/template/metadata/labels").unwrap_or_default();
        let claims: Vec<PersistentVolumeClaim> =
            record.part("/spec/volumeClaimTemplates").unwrap_or_default();
        let claims = claims.into_iter().find_map(|claim| claim.metadata.labels);
        Self {
            digest: annotations.get(TEMPLATE).cloned(),
            pods: of_owner(pods),
            claims: of_owner(claims.unwrap_or_default()),
        }
    }
}

/// Puts the owner's labels on what a set makes. `before` is the set as it exists.
pub fn own(mut set: StatefulSet, owner: &Map, before: Option<&Template>) -> StatefulSet {
    let Some(spec) = set.spec.as_mut() else { return set };
    let template = serde_json::to_value(&spec.template).unwrap_or_default();
    let digest = digest::to_text(digest::digest("", &digest::normalise(template)));
    let is_same = |known: &&Template| known.digest.as_ref().is_none_or(|known| *known == digest);
    let pods = before.filter(is_same).map_or(owner, |known| &known.pods);
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.extend(pods.clone());
    let of_claims = before.map_or(owner, |known| &known.claims);
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        claim.metadata.labels.get_or_insert_default().extend(of_claims.clone());
    }
    let annotations = set.metadata.annotations.get_or_insert_default();
    annotations.insert(TEMPLATE.to_owned(), digest);
    set
}

fn of_owner(mut labels: Map) -> Map {
    labels.retain(|key, _| matches!(key.as_str(), TEAM | COST_CENTER));
    labels
}
