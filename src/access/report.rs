//! Bindings and rules in, an answer out.

use std::fmt::{self, Write};

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject as RbacSubject};
use serde::Serialize;

use super::rules::Abilities;

/// A RoleBinding of the namespace, or a ClusterRoleBinding.
#[derive(Clone, Debug)]
pub struct Binding {
    /// `RoleBinding sales/polder-admin` or `ClusterRoleBinding cluster-admin`.
    pub name: String,
    /// Whether the operator made it for this domain.
    pub is_ours: bool,
    /// Namespace of accounts that name none; empty for ClusterRoleBindings.
    pub namespace: String,
    /// The role.
    pub role: RoleRef,
    /// Its rules; `None` if they could not be read.
    pub rules: Option<Vec<PolicyRule>>,
    /// Who has it.
    pub subjects: Vec<RbacSubject>,
}

/// Who can do what in a domain.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The Domain.
    pub domain: String,
    /// Its namespace.
    pub namespace: String,
    /// Through the Domain: members, drivers, the operator.
    pub members: Vec<Grant>,
    /// Past the Domain: bindings that somebody else made.
    pub others: Vec<Grant>,
    /// What could not be read, and why: the answer lacks it.
    pub unread: Vec<String>,
}

/// What one subject may do through one binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Who.
    pub subject: Subject,
    /// The ClusterRole or Role.
    pub role: String,
    /// The binding.
    pub through: String,
    /// What.
    pub may: Abilities,
}

/// A user, a group or a service account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Namespace of a service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Subject {
    /// One of Kubernetes' own: controllers, nodes, its administrators' group.
    fn is_systems(&self) -> bool {
        self.name.starts_with("system:")
            && self.name != "system:authenticated"
            && self.name != "system:unauthenticated"
            || self.namespace.as_deref() == Some("kube-system")
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Report {
    /// The answer.
    pub fn new(
        domain: &str,
        namespace: &str,
        bindings: Vec<Binding>,
        mut unread: Vec<String>,
    ) -> Self {
        let (mut members, mut others) = (Vec::new(), Vec::new());
        for binding in bindings {
            let Some(rules) = &binding.rules else { continue };
            let may = Abilities::of(rules);
            // Many ClusterRoles, such as that of discovery, reach nothing in a namespace.
            if may.is_none() && !binding.is_ours {
                continue;
            }
            let grants = binding.subjects.iter().map(|subject| Grant {
                subject: shown(subject, &binding.namespace),
                role: format!("{} {}", binding.role.kind, binding.role.name),
                through: binding.name.clone(),
                may: may.clone(),
            });
            if binding.is_ours { members.extend(grants) } else { others.extend(grants) }
        }
        let order = |grant: &Grant| (grant.through.clone(), grant.subject.clone());
        members.sort_by_key(order);
        others.sort_by_key(|grant| (grant.subject.is_systems(), order(grant)));
        unread.sort();
        unread.dedup();
        Self { domain: domain.to_owned(), namespace: namespace.to_owned(), members, others, unread }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = format!("Domain {}, namespace {}\n\n", self.domain, self.namespace);
        text += &table(self.members.iter());
        let (systems, others): (Vec<&Grant>, Vec<&Grant>) =
            self.others.iter().partition(|grant| grant.subject.is_systems());
        text += "\nPast the Domain, through bindings that somebody else made:\n";
        text += &if others.is_empty() { "nobody\n".to_owned() } else { table(others.into_iter()) };
        if !systems.is_empty() {
            let _ = writeln!(
                text,
                "and {} grants to Kubernetes itself (system:*, kube-system); -o yaml lists them",
                systems.len()
            );
        }
        for reason in &self.unread {
            let _ = writeln!(text, "\nNOT READ: {reason}");
        }
        text
    }
}

fn shown(subject: &RbacSubject, namespace: &str) -> Subject {
    let is_account = subject.kind == "ServiceAccount";
    Subject {
        kind: subject.kind.clone(),
        name: subject.name.clone(),
        namespace: is_account
            .then(|| subject.namespace.clone().unwrap_or_else(|| namespace.to_owned())),
    }
}

fn table<'a>(grants: impl Iterator<Item = &'a Grant>) -> String {
    let header = ["SUBJECT", "ROLE"].into_iter();
    let areas = Abilities::default();
    let mut rows: Vec<Vec<String>> =
        vec![header.chain(areas.names().map(|(area, _)| area)).map(str::to_owned).collect()];
    for grant in grants {
        let words =
            |words: &[&str]| if words.is_empty() { "-".to_owned() } else { words.join(",") };
        let mut row = vec![grant.subject.to_string(), grant.role.clone()];
        row.extend(grant.may.names().map(|(_, list)| words(list)));
        rows.push(row);
    }
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..8).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
