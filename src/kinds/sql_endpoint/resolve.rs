//! What a SqlEndpoint depends on.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::StatefulSetStatus;

use super::{SqlEndpointKind, service_name};
use crate::{
    api::{SparkCluster, SqlEndpoint},
    build::{
        spark::{Runtime, SparkImages},
        types::{CLAIM, POD, STATEFUL_SET},
    },
    engine::{Kind, ObjectKey, Record, View},
    kinds::common::{ClusterContext, DomainContext, ownership::Template},
};

/// What a SqlEndpoint depends on.
pub struct Resolved {
    /// Its domain.
    pub domain: DomainContext,
    /// Image, configuration, volumes.
    pub runtime: Runtime,
    /// The SparkCluster it names.
    pub cluster: Option<ClusterContext>,
    /// The driver's stateful set, if it exists.
    pub set: Option<StatefulSetStatus>,
    /// What that says of the domain's owner.
    pub template: Option<Template>,
    /// Driver and executor pods.
    pub pods: Vec<Arc<Record>>,
    /// Volumes of executors.
    pub claims: Vec<Arc<Record>>,
}

impl Resolved {
    pub(super) fn new(root: &SqlEndpoint, view: &View<'_>, images: &SparkImages) -> Self {
        let name = root.metadata.name.as_deref().unwrap_or_default();
        let namespace = root.metadata.namespace.as_deref().unwrap_or_default();
        let domain = DomainContext::resolve(view, namespace, images).with_quota(view);
        let set = ObjectKey::namespaced(STATEFUL_SET, namespace, service_name(name));
        let set = view.object(&set);
        Self {
            runtime: domain.runtime(&root.spec.runtime, images),
            cluster: root
                .spec
                .cluster_ref
                .as_ref()
                .map(|cluster| ClusterContext::resolve(view, namespace, &cluster.name)),
            template: set.as_deref().map(Template::of),
            set: set.map(|set| set.part("/status").unwrap_or_default()),
            pods: view.labelled(POD, namespace, SqlEndpointKind::NAME, name),
            claims: view.labelled(CLAIM, namespace, SqlEndpointKind::NAME, name),
            domain,
        }
    }

    /// Whether the endpoint is to stand still.
    pub(super) fn suspended(&self, root: &SqlEndpoint) -> bool {
        root.spec.suspend || self.domain.suspended()
    }

    /// The cluster it runs on, if it names one that exists.
    pub(super) fn spark_cluster(&self) -> Option<&SparkCluster> {
        self.cluster.as_ref()?.cluster.as_deref()
    }
}
