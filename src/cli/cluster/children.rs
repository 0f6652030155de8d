//! What belongs to one of ours, as the API server has it.

use std::collections::BTreeMap;

use futures::future::join_all;
use k8s_openapi::api::core::v1::PodStatus;
use kube::api::ListParams;

use super::{Cluster, Error, Object, RootKind};
use crate::{
    build::{
        labels,
        types::{
            CLAIM, CONFIG_MAP, CRON_JOB, DISRUPTION_BUDGET, JOB, LIMIT_RANGE, NETWORK_POLICY, POD,
            RESOURCE_QUOTA, ROLE_BINDING, SECRET, SERVICE, SERVICE_ACCOUNT, STATEFUL_SET,
        },
    },
    engine::ResourceType,
};

/// Types that tell how they stand.
const WITH_STATE: &[ResourceType] = &[STATEFUL_SET, CRON_JOB, JOB, POD, CLAIM];
/// Types of which the name is enough. Nothing in a Secret or a `ConfigMap` is ever read.
const NAMES_ONLY: &[ResourceType] = &[
    SERVICE,
    CONFIG_MAP,
    DISRUPTION_BUDGET,
    NETWORK_POLICY,
    ROLE_BINDING,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    SERVICE_ACCOUNT,
    SECRET,
];

/// An object of a domain that is not one of the four kinds.
#[derive(Clone, Debug)]
pub(in super::super) struct Child {
    pub(in super::super) resource: ResourceType,
    pub(in super::super) object: Object,
}

impl Child {
    /// Value of a label.
    pub(in super::super) fn label(&self, name: &str) -> Option<&str> {
        self.object.metadata.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// Its role in its workload.
    pub(in super::super) fn role(&self) -> &str {
        self.label(labels::COMPONENT).unwrap_or_default()
    }

    /// The status of a pod.
    pub(in super::super) fn pod_status(&self) -> PodStatus {
        serde_json::from_value(self.object.status.clone()).unwrap_or_default()
    }
}

/// All that could be read, and what could not.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Children {
    pub(in super::super) found: Vec<Child>,
    pub(in super::super) unread: Vec<String>,
}

impl Children {
    pub(in super::super) fn of(&self, resource: ResourceType) -> impl Iterator<Item = &Child> {
        self.found.iter().filter(move |child| child.resource == resource)
    }
}

/// Selects what belongs to one of ours.
fn selector(kind: RootKind, name: &str) -> ListParams {
    let labels = match kind {
        RootKind::Domain => format!("{}={name}", labels::DOMAIN),
        _ => format!("{}={},{}={name}", labels::NAME, kind.label(), labels::INSTANCE),
    };
    ListParams::default().labels(&labels)
}

/// Everything that belongs to one of ours.
pub(in super::super) async fn children(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
) -> Result<Children, Error> {
    let with_state = WITH_STATE.iter().map(|resource| (*resource, true));
    let names_only = NAMES_ONLY.iter().map(|resource| (*resource, false));
    read(cluster, kind, root, with_state.chain(names_only).collect()).await
}

/// Only what tells how it stands.
pub(in super::super) async fn children_with_state(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
) -> Result<Children, Error> {
    read(cluster, kind, root, WITH_STATE.iter().map(|resource| (*resource, true)).collect()).await
}

async fn read(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
    types: Vec<(ResourceType, bool)>,
) -> Result<Children, Error> {
    let namespace = match kind {
        RootKind::Domain => root.status_text("/namespace").unwrap_or_else(|| root.name()),
        _ => root.namespace(),
    };
    let which = selector(kind, root.name());
    let answers = join_all(types.into_iter().map(async |(resource, is_whole)| {
        let (which, namespace) = (which.clone(), Some(namespace));
        let answer = if is_whole {
            cluster.list::<Object>(resource, namespace, which).await
        } else {
            cluster.list_metadata::<Object>(resource, namespace, which).await
        };
        (resource, answer)
    }))
    .await;
    let mut all = Children::default();
    for (resource, answer) in answers {
        match answer {
            Ok(list) => all.found.extend(list.into_iter().map(|object| Child { resource, object })),
            Err(Error::Forbidden(_)) => all.unread.push(resource.plural.to_owned()),
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Pods of a workload: of a job, those of its newest run.
pub(in super::super) async fn pods(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
) -> Result<Vec<Child>, Error> {
    let children = read(cluster, kind, root, vec![(POD, true)]).await?;
    if let Some(first) = children.unread.first() {
        return Err(Error::Forbidden(format!(
            "you may not list {first} in namespace {}",
            cluster.namespace
        )));
    }
    let mut pods = of_newest_run(children.found);
    pods.sort_by(|one, other| one.object.name().cmp(other.object.name()));
    Ok(pods)
}

/// Of pods with the label of a run, those of the newest; executors belong to a driver.
pub(in super::super) fn of_newest_run(pods: Vec<Child>) -> Vec<Child> {
    const JOB_NAME: &str = "batch.kubernetes.io/job-name";
    let created = |pod: &Child| pod.object.metadata.creation_timestamp.clone();
    let newest = pods
        .iter()
        .filter(|pod| pod.label(JOB_NAME).is_some())
        .max_by_key(|pod| created(pod))
        .and_then(|pod| pod.label(JOB_NAME))
        .map(str::to_owned);
    let Some(newest) = newest else { return pods };
    let drivers: BTreeMap<String, bool> = pods
        .iter()
        .filter_map(|pod| Some((pod.object.metadata.uid.clone()?, pod.label(JOB_NAME)? == newest)))
        .collect();
    let is_of_it = |pod: &Child| {
        let owners = pod.object.metadata.owner_references.iter().flatten();
        pod.label(JOB_NAME) == Some(newest.as_str())
            || owners.into_iter().any(|owner| drivers.get(&owner.uid) == Some(&true))
    };
    pods.into_iter().filter(is_of_it).collect()
}
