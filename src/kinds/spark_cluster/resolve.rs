//! What a SparkCluster depends on.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::apps::v1::StatefulSetStatus;

use super::{SparkClusterKind, master_name, pool_name};
use crate::{
    api::SparkCluster,
    build::{
        spark::{Runtime, SparkImages},
        types::{CLAIM, POD, STATEFUL_SET},
    },
    engine::{Kind, ObjectKey, Record, View},
    kinds::common::{DomainContext, ownership::Template},
};

/// What a SparkCluster depends on.
pub struct Resolved {
    /// Its domain.
    pub domain: DomainContext,
    /// Image, configuration, volumes.
    pub runtime: Runtime,
    /// Stateful sets of master and pools by name, as far as they exist.
    pub sets: BTreeMap<String, StatefulSetStatus>,
    /// What those say of the domain's owner.
    pub templates: BTreeMap<String, Template>,
    /// Pods of master and workers.
    pub pods: Vec<Arc<Record>>,
    /// Their volumes.
    pub claims: Vec<Arc<Record>>,
}

impl Resolved {
    pub(super) fn new(root: &SparkCluster, view: &View<'_>, images: &SparkImages) -> Self {
        let name = root.metadata.name.as_deref().unwrap_or_default();
        let namespace = root.metadata.namespace.as_deref().unwrap_or_default();
        let domain = DomainContext::resolve(view, namespace, images).with_quota(view);
        let mut names = vec![master_name(name)];
        names.extend(root.spec.workers.iter().map(|pool| pool_name(name, &pool.name)));
        let records: BTreeMap<String, Arc<Record>> = names
            .into_iter()
            .filter_map(|set| {
                let key = ObjectKey::namespaced(STATEFUL_SET, namespace, set.clone());
                Some((set, view.object(&key)?))
            })
            .collect();
        let status = |record: &Record| record.part("/status").unwrap_or_default();
        let sets = records.iter().map(|(set, record)| (set.clone(), status(record))).collect();
        let templates = records.into_iter().map(|(set, record)| (set, Template::of(&record)));
        Self {
            runtime: domain.runtime(&root.spec.runtime, images),
            sets,
            templates: templates.collect(),
            pods: view.labelled(POD, namespace, SparkClusterKind::NAME, name),
            claims: view.labelled(CLAIM, namespace, SparkClusterKind::NAME, name),
            domain,
        }
    }

    /// Whether the cluster is to stand still.
    pub(super) fn suspended(&self, root: &SparkCluster) -> bool {
        root.spec.suspend || self.domain.suspended()
    }
}
