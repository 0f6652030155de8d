//! The children of a SqlEndpoint.

use super::{Resolved, SqlEndpointKind, children};
use crate::{
    api::SqlEndpoint,
    build::{
        labels::{Identity, Map},
        names,
        spark::logs,
        types,
    },
    engine::{Child, Kind, Plan},
    kinds::common::pods,
};

const CONFIG_RANK: u8 = 1;
const SET_RANK: u8 = 2;

/// What the children are made from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) endpoint: &'a str,
    pub(super) identity: Identity<'a>,
    pub(super) root: &'a SqlEndpoint,
    pub(super) resolved: &'a Resolved,
}

pub(super) fn plan(root: &SqlEndpoint, resolved: &Resolved) -> Plan {
    let endpoint = root.metadata.name.as_deref().unwrap_or_default();
    let identity = resolved.domain.identity(SqlEndpointKind::NAME, endpoint);
    let context = Context { endpoint, identity, root, resolved };
    let config = children::config_map(&context);
    // A driver is not restarted for a new owner: its next executors get the labels all the same.
    let owner = Map::new();
    let nobodys = Context { identity: Identity { owner: &owner, ..identity }, ..context };
    let config_without = children::config_map(&nobodys);
    let text = serde_json::to_string(&config_without.data.as_ref().map(logs::read_at_start))
        .unwrap_or_default();
    let annotations: Map =
        [("polder.dev/config-hash".to_owned(), names::short_hash(&text, 16))].into();
    let children = vec![
        Child::new(types::CONFIG_MAP, CONFIG_RANK, &config),
        Child::new(types::SERVICE, CONFIG_RANK, &children::service(&context)),
        Child::new(types::STATEFUL_SET, SET_RANK, &children::stateful_set(&context, annotations)),
    ];
    let delete = resolved
        .set
        .iter()
        .flat_map(|set| pods::stuck(&resolved.pods, set.update_revision.as_deref()))
        .collect();
    Plan { children, delete, ..Default::default() }
}
