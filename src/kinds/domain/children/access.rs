//! Who may do what in the namespace: bindings to the ClusterRoles that the chart ships.

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};

use crate::{api::domain::Member, build::spark::executors::DRIVER_ACCOUNT};

use super::super::{
    OperatorIdentity,
    scope::{SPARK_DRIVER, Scope, role_name},
};

const RBAC: &str = "rbac.authorization.k8s.io";

/// What lets the operator work in this namespace, and only in namespaces of domains.
pub fn operator(scope: &Scope<'_>, operator: &OperatorIdentity) -> RoleBinding {
    let account = service_account(&operator.service_account, &operator.namespace);
    binding(scope, operator, "operator", "operator-domain", vec![account])
}

/// What lets Spark drivers start executor pods.
pub fn driver(scope: &Scope<'_>, operator: &OperatorIdentity) -> RoleBinding {
    let account = service_account(DRIVER_ACCOUNT, &scope.namespace);
    binding(scope, operator, SPARK_DRIVER, SPARK_DRIVER, vec![account])
}

/// The members with one role.
pub fn member(scope: &Scope<'_>, operator: &OperatorIdentity, member: &Member) -> RoleBinding {
    let role = role_name(member.role);
    let subjects = member.subjects.iter().map(normalised).collect();
    binding(scope, operator, role, &format!("domain-{role}"), subjects)
}

/// A subject as the API server stores it. Users and groups are cluster-wide and belong to the
/// RBAC group, whatever was left out or added.
fn normalised(subject: &Subject) -> Subject {
    if subject.kind == "ServiceAccount" {
        return service_account(&subject.name, subject.namespace.as_deref().unwrap_or_default());
    }
    Subject {
        api_group: Some(RBAC.to_owned()),
        kind: subject.kind.clone(),
        name: subject.name.clone(),
        namespace: None,
    }
}

fn service_account(name: &str, namespace: &str) -> Subject {
    Subject {
        api_group: None,
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
    }
}

fn binding(
    scope: &Scope<'_>,
    operator: &OperatorIdentity,
    role: &str,
    cluster_role: &str,
    subjects: Vec<Subject>,
) -> RoleBinding {
    RoleBinding {
        metadata: scope.identity().meta(&scope.binding_key(role).name, "access"),
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "ClusterRole".to_owned(),
            name: format!("{}-{cluster_role}", operator.release_name),
        },
        subjects: Some(subjects),
    }
}
