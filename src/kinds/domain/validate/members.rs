//! Who may be a member: people, groups, and service accounts of the domain itself. An account of
//! another namespace is whoever runs pods there; those that an administrator trusts, such as that of
//! a deployment tool, are named when the operator is installed.
//! The admission policy `policy-members` of the chart says the same, before it is stored.

use k8s_openapi::api::rbac::v1::Subject;

use crate::engine::Problem;

use super::super::{OperatorIdentity, scope::Scope, text};

/// Prefix of users and groups that Kubernetes itself hands out.
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>
const SYSTEM: &str = "system:";

/// Prefix of namespaces that belong to the cluster.
const CLUSTERS_OWN: &str = "kube-";

/// All that is wrong with members.
pub fn members(scope: &Scope<'_>, operator: &OperatorIdentity) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, member) in scope.spec.members.iter().enumerate() {
        for (position, subject) in member.subjects.iter().enumerate() {
            let field = format!("spec.members[{index}].subjects[{position}]");
            problems.extend(subject_problem(scope, operator, &field, subject));
        }
    }
    problems
}

fn subject_problem(
    scope: &Scope<'_>,
    operator: &OperatorIdentity,
    field: &str,
    subject: &Subject,
) -> Option<Problem> {
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    let (reason, part, message) = match subject.kind.as_str() {
        _ if subject.name.trim().is_empty() => (
            "InvalidMember",
            "name",
            "give the name of a user, group or service account".to_owned(),
        ),
        "User" | "Group" if subject.name.starts_with(SYSTEM) => (
            "SystemMember",
            "name",
            format!(
                "{} is one of Kubernetes' own: such users and groups stand for parts of the cluster or \
             for everybody; name your own users or groups",
                subject.name
            ),
        ),
        "User" | "Group" if !namespace.is_empty() => (
            "InvalidMember",
            "namespace",
            format!("a {} belongs to no namespace; leave it out", subject.kind),
        ),
        "User" | "Group" => return group_problem(field, subject, "rbac.authorization.k8s.io"),
        "ServiceAccount" if !text::is_namespace_name(namespace) => {
            ("InvalidMember", "namespace", "give the namespace of the service account".to_owned())
        }
        "ServiceAccount" if !text::is_subdomain(&subject.name) => {
            ("InvalidMember", "name", format!("{} is no name of a service account", subject.name))
        }
        "ServiceAccount" if !is_trusted(namespace, scope, operator) => {
            ("ForeignMember", "namespace", foreign(namespace, scope, operator))
        }
        "ServiceAccount" => return group_problem(field, subject, ""),
        other => (
            "InvalidMember",
            "kind",
            format!("{other} cannot be a member; kind must be User, Group or ServiceAccount"),
        ),
    };
    Some(Problem::new(reason, format!("{field}.{part}"), message))
}

fn is_trusted(namespace: &str, scope: &Scope<'_>, operator: &OperatorIdentity) -> bool {
    let is_named = operator.account_namespaces.iter().any(|named| named == namespace);
    namespace == scope.namespace || (is_named && !namespace.starts_with(CLUSTERS_OWN))
}

fn foreign(namespace: &str, scope: &Scope<'_>, operator: &OperatorIdentity) -> String {
    let allowed: Vec<&str> = [scope.namespace.as_str()]
        .into_iter()
        .chain(operator.account_namespaces.iter().map(String::as_str))
        .collect();
    format!(
        "service accounts of namespace {namespace} cannot be members: whoever runs pods there would \
         be one; allowed: those of {}; an administrator allows more with the chart's value \
         members.serviceAccountNamespaces",
        allowed.join(", ")
    )
}

/// What is written is not ignored: a wrong group means something else than what would be bound.
fn group_problem(field: &str, subject: &Subject, expected: &str) -> Option<Problem> {
    let given = subject.api_group.as_deref().unwrap_or_default();
    (!given.is_empty() && given != expected).then(|| {
        let message = format!("leave apiGroup out: that of a {} is known", subject.kind);
        Problem::new("InvalidMember", format!("{field}.apiGroup"), message)
    })
}
