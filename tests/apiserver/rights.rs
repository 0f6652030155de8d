//! What the operator's service account may not do.

use serde_json::{Value, json};

use crate::{cluster::request, install::USER, tenant::Tenant};

/// Asks the API server whether the operator may.
async fn may(tenant: &Tenant, verb: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": USER,
            "groups": ["system:serviceaccounts", "system:serviceaccounts:polder-system", "system:authenticated"],
            "resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource,
                "namespace": namespace,
            },
        },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer: Value = request(&tenant.api.client, "POST", path, Some(&review)).await.unwrap();
    answer["status"]["allowed"].as_bool().unwrap()
}

#[tokio::test]
async fn the_operator_reads_no_secrets_and_writes_in_domains_only() {
    let tenant = Tenant::ready("r-rights").await;
    for namespace in ["", "r-rights", "default", "kube-system", "polder-system"] {
        for verb in ["get", "list", "watch", "update", "patch", "delete"] {
            assert!(
                !may(&tenant, verb, "secrets", namespace).await,
                "{verb} secrets in {namespace}"
            );
        }
    }
    let writes = ["create", "update", "patch", "delete", "deletecollection"];
    let resources = [
        "pods",
        "pods/exec",
        "configmaps",
        "secrets",
        "services",
        "serviceaccounts",
        "serviceaccounts/token",
        "persistentvolumeclaims",
        "resourcequotas",
        "statefulsets.apps",
        "deployments.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "networkpolicies.networking.k8s.io",
        "roles.rbac.authorization.k8s.io",
    ];
    for namespace in ["", "default", "kube-system", "polder-system"] {
        for resource in resources {
            for verb in writes {
                let is_allowed = may(&tenant, verb, resource, namespace).await;
                assert!(!is_allowed, "{verb} {resource} in `{namespace}`");
            }
        }
    }
    let cluster_wide = [
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "nodes",
        "persistentvolumes",
        "customresourcedefinitions.apiextensions.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
    ];
    for resource in cluster_wide {
        for verb in writes.into_iter().chain(["bind", "escalate"]) {
            assert!(!may(&tenant, verb, resource, "").await, "{verb} {resource}");
        }
    }
    for (verb, resource) in [("impersonate", "users"), ("impersonate", "groups"), ("*", "*")] {
        assert!(!may(&tenant, verb, resource, "").await, "{verb} {resource}");
    }
    // What it needs in a domain, and not the pods' insides.
    for (verb, resource, expected) in [
        ("create", "secrets", true),
        ("patch", "configmaps", true),
        ("create", "jobs.batch", true),
        ("create", "pods", false),
        ("create", "pods/exec", false),
        ("get", "pods/log", false),
        ("create", "serviceaccounts/token", false),
        ("create", "roles.rbac.authorization.k8s.io", false),
    ] {
        let is_allowed = may(&tenant, verb, resource, "r-rights").await;
        assert_eq!(is_allowed, expected, "{verb} {resource} in a domain");
    }
    tenant.end();
}

#[tokio::test]
async fn the_operators_requests_are_its_service_accounts() {
    let mark = crate::audit::Mark::now();
    let tenant = Tenant::ready("r-user").await;
    // All of the domain was made by the user that the audit log is searched for.
    let made = mark.writes_of("r-user");
    assert!(made.iter().any(|request| request.resource == "namespaces"), "{made:#?}");
    tenant.end();
}
