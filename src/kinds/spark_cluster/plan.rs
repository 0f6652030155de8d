//! The children of a SparkCluster.

use super::{RPC_KEY, Resolved, SparkClusterKind, children, rpc_secret};
use crate::{
    api::{SparkCluster, common::OnSecretChange},
    build::{
        labels::{Identity, Map},
        spark::rotation::Watched,
        types,
    },
    engine::{Child, Kind, Ownership, Plan},
    kinds::common::pods,
};

const CONFIG_RANK: u8 = 1;
const SET_RANK: u8 = 2;

/// What the children are made from.
pub(super) struct Context<'a> {
    pub(super) cluster: &'a str,
    pub(super) identity: Identity<'a>,
    pub(super) root: &'a SparkCluster,
    pub(super) resolved: &'a Resolved,
    pub(super) rpc_secret: String,
    pub(super) suspended: bool,
    /// Secrets that master and workers watch.
    pub(super) watched: Watched,
}

pub(super) fn plan(root: &SparkCluster, resolved: &Resolved) -> Plan {
    let cluster = root.metadata.name.as_deref().unwrap_or_default();
    let identity = resolved.domain.identity(SparkClusterKind::NAME, cluster);
    let context = Context {
        cluster,
        identity,
        root,
        resolved,
        rpc_secret: rpc_secret(root).name,
        suspended: resolved.suspended(root),
        watched: match root.spec.on_secret_change.unwrap_or_default() {
            OnSecretChange::Restart => Watched::of(&resolved.runtime),
            OnSecretChange::Ignore => Watched::default(),
        },
    };
    let config = children::config::config_map(&context);
    let hash: Map = [("polder.dev/config-hash".to_owned(), children::config::hash(&config))].into();
    let mut children = vec![
        rpc_child(&context),
        Child::new(types::CONFIG_MAP, CONFIG_RANK, &config),
        Child::new(types::SERVICE, CONFIG_RANK, &children::services::master(&context)),
        Child::new(types::SERVICE, CONFIG_RANK, &children::services::workers(&context)),
        Child::new(types::SERVICE, CONFIG_RANK, &children::services::ui(&context)),
        Child::new(types::DISRUPTION_BUDGET, CONFIG_RANK, &children::services::budget(&context)),
        Child::new(types::STATEFUL_SET, SET_RANK, &children::master::stateful_set(&context, &hash)),
    ];
    children.extend(root.spec.workers.iter().map(|pool| {
        let set = children::workers::stateful_set(&context, pool, &hash);
        Child::new(types::STATEFUL_SET, SET_RANK, &set)
    }));
    let delete = resolved
        .sets
        .values()
        .flat_map(|set| pods::stuck(&resolved.pods, set.update_revision.as_deref()))
        .collect();
    Plan { children, delete, ..Default::default() }
}

/// The key that master, workers and drivers share. It is made once and never read.
fn rpc_child(context: &Context<'_>) -> Child {
    let secret = k8s_openapi::api::core::v1::Secret {
        metadata: context.identity.meta(&context.rpc_secret, "rpc"),
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    };
    let status = context.root.status.as_ref();
    let exists =
        status.is_some_and(|status| status.generated_secrets.contains(&context.rpc_secret));
    Child::new(types::SECRET, CONFIG_RANK, &secret).with_ownership(Ownership::Generated {
        key: RPC_KEY.to_owned(),
        bytes: 32,
        exists,
    })
}
