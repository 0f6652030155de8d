//! Who may be a member.

use k8s_openapi::api::rbac::v1::Subject;

use crate::engine::Problem;

use super::super::{scope::Scope, text};

/// Prefix of users and groups that Kubernetes itself hands out.
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>
const SYSTEM: &str = "system:";

/// All that is wrong with members.
pub fn members(scope: &Scope<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, member) in scope.spec.members.iter().enumerate() {
        for (position, subject) in member.subjects.iter().enumerate() {
            let field = format!("spec.members[{index}].subjects[{position}]");
            problems.extend(subject_problem(&field, subject));
        }
    }
    problems
}

fn subject_problem(field: &str, subject: &Subject) -> Option<Problem> {
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
        "User" | "Group" => return group_problem(field, subject, "rbac.authorization.k8s.io"),
        "ServiceAccount" if !subject.namespace.as_deref().is_some_and(text::is_namespace_name) => {
            ("InvalidMember", "namespace", "give the namespace of the service account".to_owned())
        }
        "ServiceAccount" if !text::is_subdomain(&subject.name) => {
            ("InvalidMember", "name", format!("{} is no name of a service account", subject.name))
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

/// What is written is not ignored: a wrong group means something else than what would be bound.
fn group_problem(field: &str, subject: &Subject, expected: &str) -> Option<Problem> {
    let given = subject.api_group.as_deref().unwrap_or_default();
    (!given.is_empty() && given != expected).then(|| {
        let message = format!("leave apiGroup out: that of a {} is known", subject.kind);
        Problem::new("InvalidMember", format!("{field}.apiGroup"), message)
    })
}
