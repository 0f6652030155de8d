//! Whether the entries of lists can stand beside each other, and networks on their own.

use std::collections::BTreeSet;

use crate::engine::Problem;

use super::super::{
    scope::{Scope, role_name},
    text,
};

/// Entries that say the same thing twice.
pub fn duplicates(scope: &Scope<'_>) -> Vec<Problem> {
    let spec = scope.spec;
    let quota = spec.quota.iter();
    let classes = quota.clone().flat_map(|quota| &quota.storage).map(|bound| &*bound.class);
    let priorities = quota.flat_map(|quota| &quota.per_priority).map(|it| &*it.priority_class);
    let pools = spec.compute.iter().flat_map(|compute| &compute.node_pools);
    [
        repeated("spec.members", "role", spec.members.iter().map(|member| role_name(member.role))),
        repeated("spec.quota.storage", "class", classes),
        repeated("spec.quota.perPriority", "priorityClass", priorities),
        repeated("spec.catalogs", "name", spec.catalogs.iter().map(|catalog| &*catalog.name)),
        repeated("spec.secrets", "name", spec.secrets.iter().map(|secret| &*secret.name)),
        repeated("spec.volumes", "name", spec.volumes.iter().map(|volume| &*volume.name)),
        repeated("spec.volumes", "path", spec.volumes.iter().map(|volume| folder(&volume.path))),
        repeated("spec.compute.nodePools", "name", pools.map(|pool| &*pool.name)),
    ]
    .concat()
}

/// A path as the kubelet sees it.
fn folder(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn repeated<'a>(list: &str, part: &str, values: impl Iterator<Item = &'a str>) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    values
        .enumerate()
        .filter(|(_, value)| !seen.insert(*value))
        .map(|(index, value)| {
            let message = format!("{value} stands twice in {list}; remove or rename one");
            Problem::new("Duplicate", format!("{list}[{index}].{part}"), message)
        })
        .collect()
}

/// What is wrong with the other sides of connections.
pub fn network(scope: &Scope<'_>) -> Vec<Problem> {
    let Some(network) = &scope.spec.network else { return Vec::new() };
    let lists = [("allowFrom", &network.allow_from), ("allowTo", &network.allow_to)];
    let mut problems = Vec::new();
    for (list, peers) in lists {
        for (index, peer) in peers.iter().enumerate() {
            let field = format!("spec.network.{list}[{index}]");
            if let Some(cidr) = peer.cidr.as_deref().filter(|cidr| !text::is_cidr(cidr)) {
                let message = format!("{cidr} is no range of addresses such as 10.20.0.0/16");
                problems.push(Problem::new("InvalidNetwork", format!("{field}.cidr"), message));
            }
            if let Some(name) =
                peer.namespace.as_deref().filter(|name| !text::is_namespace_name(name))
            {
                let message = format!("{name} is no name of a namespace");
                problems.push(Problem::new(
                    "InvalidNetwork",
                    format!("{field}.namespace"),
                    message,
                ));
            }
        }
    }
    problems
}
