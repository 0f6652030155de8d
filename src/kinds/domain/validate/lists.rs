//! Whether the entries of lists can stand beside each other, and catalogs and networks on their
//! own.

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

/// What is wrong with catalogs: addresses with credentials in them would be readable in the
/// Domain, in a ConfigMap and in Spark's web pages.
pub fn catalogs(scope: &Scope<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, catalog) in scope.spec.catalogs.iter().enumerate() {
        let field = format!("spec.catalogs[{index}]");
        let iceberg = catalog.iceberg.as_ref();
        let rest = iceberg.and_then(|iceberg| iceberg.rest.as_ref());
        let jdbc = iceberg.and_then(|iceberg| iceberg.jdbc.as_ref());
        if rest.is_some_and(|rest| has_credentials(&rest.uri)) {
            problems.push(exposed(&format!("{field}.iceberg.rest.uri"), "credentialSecret"));
        }
        if jdbc.is_some_and(|jdbc| has_credentials(&jdbc.uri)) {
            let instead = "userSecret and passwordSecret";
            problems.push(exposed(&format!("{field}.iceberg.jdbc.uri"), instead));
        }
    }
    problems
}

fn exposed(field: &str, instead: &str) -> Problem {
    let message = format!(
        "the address holds a password, which everybody who sees this Domain could read; take it out \
         of the address and give it with {instead}"
    );
    Problem::new("SecretExposed", field, message)
}

/// `//user:password@host`, or a parameter that says password.
fn has_credentials(uri: &str) -> bool {
    let lower = uri.to_lowercase();
    let authority = lower.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', ';']).next().unwrap_or_default();
    let is_in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let parameters = lower.split(['?', '&', ';']).skip(1);
    is_in_authority
        || parameters
            .filter_map(|parameter| parameter.split_once('='))
            .any(|(key, _)| key.contains("password") || key == "pwd")
}
