//! What the operator's service account may not do.

use std::collections::BTreeSet;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};

use crate::{
    cluster::{Answer, request},
    gitops::argocd::argocd,
    install::{USER, installation},
    tenant::Tenant,
};

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

/// The operator itself, with the token of its service account.
async fn operator() -> Client {
    let kubeconfig = Kubeconfig::read_from(&installation().await.kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

/// What the API server says that its own token may do, as `verb resource.group`.
async fn rules(client: &Client, namespace: &str) -> BTreeSet<String> {
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let answer = request(client, "POST", path, Some(&review)).await.unwrap();
    assert_eq!(answer["status"]["incomplete"], false);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().unwrap() {
        for (verb, resource) in texts(&rule["verbs"]).iter().flat_map(|verb| {
            texts(&rule["resources"]).into_iter().map(move |it| (verb.clone(), it))
        }) {
            let group = texts(&rule["apiGroups"]).join(",");
            all.insert(format!("{verb} {resource}.{group}"));
        }
    }
    all
}

/// All that its token writes anywhere outside of domains, as far as RBAC can tell. Namespaces and
/// bindings are closed by an admission policy: see the next test. The rest are finalizers and
/// status of Polder's own kinds, and reviews of oneself that every user may make.
const WRITES: &[&str] = &[
    "bind clusterroles.rbac.authorization.k8s.io",
    "create namespaces.",
    "create rolebindings.rbac.authorization.k8s.io",
    "create selfsubjectaccessreviews.authorization.k8s.io",
    "create selfsubjectreviews.authentication.k8s.io",
    "create selfsubjectrulesreviews.authorization.k8s.io",
    "delete namespaces.",
    "delete rolebindings.rbac.authorization.k8s.io",
    "patch batchjobs.polder.dev",
    "patch batchjobs/status.polder.dev",
    "patch domains.polder.dev",
    "patch domains/status.polder.dev",
    "patch namespaces.",
    "patch rolebindings.rbac.authorization.k8s.io",
    "patch sparkclusters.polder.dev",
    "patch sparkclusters/status.polder.dev",
    "patch sqlendpoints.polder.dev",
    "patch sqlendpoints/status.polder.dev",
    "update batchjobs/finalizers.polder.dev",
    "update domains/finalizers.polder.dev",
    "update sparkclusters/finalizers.polder.dev",
    "update sqlendpoints/finalizers.polder.dev",
];

#[tokio::test]
async fn its_token_writes_nothing_outside_of_domains() {
    let tenant = Tenant::new("r-outside").await;
    let client = operator().await;
    let plain = "{apiVersion: v1, kind: Namespace, metadata: {name: NAME}}";
    tenant.apply(plain).await;
    for namespace in ["kube-system", "default", "r-outside"] {
        let is_write =
            |rule: &String| !["get ", "list ", "watch "].iter().any(|verb| rule.starts_with(verb));
        let mut writes: BTreeSet<String> =
            rules(&client, namespace).await.into_iter().filter(is_write).collect();
        if namespace == "default" {
            // Of Domains: the next test.
            for verb in ["create", "patch"] {
                assert!(writes.remove(&format!("{verb} events.events.k8s.io")), "{writes:#?}");
            }
        }
        let expected: BTreeSet<String> = WRITES.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(writes, expected, "in {namespace}");
    }
    tenant.delete("Namespace", "r-outside").await;
    tenant.end();
}

/// What its token writes in Argo CD's namespace beside that.
const GITOPS_WRITES: &[&str] = &[
    "create applications.argoproj.io",
    "create appprojects.argoproj.io",
    "delete applications.argoproj.io",
    "delete appprojects.argoproj.io",
    "patch applications.argoproj.io",
    "patch appprojects.argoproj.io",
];

#[tokio::test]
async fn in_argo_cds_namespace_it_writes_what_it_made_for_domains() {
    let tenant = Tenant::new("r-gitops").await;
    argocd().await;
    let client = operator().await;
    let all = rules(&client, "argocd").await;
    let more: Vec<&String> = all.iter().filter(|it| it.contains("argoproj.io")).collect();
    let writes: Vec<&&String> =
        more.iter().filter(|it| GITOPS_WRITES.contains(&it.as_str())).collect();
    let reads = 3 * 2;
    assert_eq!((writes.len(), more.len()), (GITOPS_WRITES.len(), GITOPS_WRITES.len() + reads));
    let elsewhere = rules(&client, "default").await;
    assert!(!elsewhere.iter().any(|it| it.contains("argoproj.io")), "{elsewhere:#?}");

    let path = "/apis/argoproj.io/v1alpha1/namespaces/argocd";
    let application = |name: &str, project: &str, labels: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd", "labels": labels},
            "spec": {"project": project, "destination": {"namespace": "kube-system"}}})
    };
    let marks = json!({"app.kubernetes.io/managed-by": "polder", "polder.dev/domain": "r-gitops"});
    for (what, method, path, body) in [
        (
            "an Application in another project",
            "POST",
            format!("{path}/applications"),
            Some(application("r-gitops", "default", marks)),
        ),
        (
            "an Application of nobody",
            "POST",
            format!("{path}/applications"),
            Some(application("r-gitops", "r-gitops", json!({}))),
        ),
        (
            "the project of others",
            "PATCH",
            format!("{path}/appprojects/default"),
            Some(json!({"spec": {"sourceRepos": []}})),
        ),
        ("the end of others", "DELETE", format!("{path}/appprojects/default"), None),
    ] {
        let refusal = request(&client, method, &path, body.as_ref()).await.expect_err(what);
        assert!(refusal.contains("polder-operator-gitops"), "{what}: {refusal}");
        assert!(!refusal.contains("failed expression"), "{what}: {refusal}");
    }
    tenant.end();
}

fn binding(name: &str, role: &str, subject: &Value, labels: &Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject]})
}

#[tokio::test]
async fn what_rbac_cannot_close_a_policy_does() {
    let tenant = Tenant::ready("r-policy").await;
    let client = operator().await;
    let ask = async |method: &str, path: &str, body: Option<&Value>| {
        request(&client, method, path, body).await
    };
    let namespaces = "/api/v1/namespaces";
    let bindings =
        |it: &str| format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{it}/rolebindings");
    let itself = json!({"kind": "ServiceAccount", "name": "polder", "namespace": "polder-system"});
    let eve = json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "eve"});
    let everybody = json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"});
    let marks = json!({"app.kubernetes.io/managed-by": "polder", "polder.dev/domain": "r-policy"});
    let labelled = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let strict = "pod-security.kubernetes.io/enforce";

    let denied = "ValidatingAdmissionPolicy 'polder-operator-";
    let refused = |what: &str, answer: Answer| {
        let refusal = answer.expect_err(what);
        assert!(refusal.contains(denied), "{what}: not by the policy: {refusal}");
        assert!(!refusal.contains("failed expression"), "{what}: {refusal}");
    };
    // Namespaces.
    let plain = labelled("r-mine", json!({}));
    refused("a namespace of nobody", ask("POST", namespaces, Some(&plain)).await);
    let system =
        labelled("kube-mine", json!({"polder.dev/domain": "kube-mine", strict: "restricted"}));
    refused("a namespace of the system", ask("POST", namespaces, Some(&system)).await);
    let labels = json!({"polder.dev/domain": "r-open"});
    refused("an open namespace", ask("POST", namespaces, Some(&labelled("r-open", labels))).await);
    let labels = json!({"polder.dev/domain": "r-open", strict: "privileged"});
    refused("a privileged one", ask("POST", namespaces, Some(&labelled("r-open", labels))).await);
    for name in ["kube-system", "default", "polder-system"] {
        let path = format!("{namespaces}/{name}");
        let take = json!({"metadata": {"labels": {"polder.dev/domain": name}}});
        refused(name, ask("PATCH", &path, Some(&take)).await);
        let note = json!({"metadata": {"annotations": {"a": "b"}}});
        refused(name, ask("PATCH", &path, Some(&note)).await);
    }
    let foreign = "{apiVersion: v1, kind: Namespace, metadata: {name: r-foreign}}";
    tenant.api.apply("", foreign).await;
    let path = format!("{namespaces}/r-foreign");
    let take =
        json!({"metadata": {"labels": {"polder.dev/domain": "r-foreign", strict: "restricted"}}});
    refused("taking a namespace over", ask("PATCH", &path, Some(&take)).await);
    refused("the end of a foreign namespace", ask("DELETE", &path, None).await);
    let path = format!("{namespaces}/r-policy");
    let open = json!({"metadata": {"labels": {strict: "privileged"}}});
    refused("a lowered level", ask("PATCH", &path, Some(&open)).await);
    let pass_on = json!({"metadata": {"labels": {"polder.dev/domain": "other"}}});
    refused("another domain's", ask("PATCH", &path, Some(&pass_on)).await);

    // Bindings.
    for name in ["kube-system", "default", "polder-system", "r-foreign"] {
        let own = binding("polder-operator", "polder-operator-domain", &itself, &marks);
        refused(name, ask("POST", &bindings(name), Some(&own)).await);
    }
    for (what, role, subject, labels) in [
        ("its role for a person", "polder-operator-domain", &eve, &marks),
        ("the drivers' role for a person", "polder-spark-driver", &eve, &marks),
        ("a role for everybody", "polder-domain-admin", &everybody, &marks),
        ("without its marks", "polder-domain-admin", &eve, &json!({})),
    ] {
        let it = binding("mine", role, subject, labels);
        refused(what, ask("POST", &bindings("r-policy"), Some(&it)).await);
    }
    // No other role at all: that is RBAC's.
    for role in ["cluster-admin", "admin", "edit", "view"] {
        let it = binding("mine", role, &eve, &marks);
        let refusal = ask("POST", &bindings("r-policy"), Some(&it)).await.expect_err(role);
        assert!(refusal.contains("attempting to grant RBAC permissions"), "{refusal}");
    }
    // Bindings that others made stay theirs.
    let theirs = binding("theirs", "view", &eve, &json!({}));
    tenant.apply(&theirs.to_string()).await;
    let path = format!("{}/theirs", bindings("r-policy"));
    refused("the end of another's binding", ask("DELETE", &path, None).await);

    // Its own kinds: what they are to be is not for it to say.
    let spec = json!({"spec": {"suspend": true}});
    let path = "/apis/polder.dev/v1alpha1/domains/r-policy";
    refused("a spec", ask("PATCH", path, Some(&spec)).await);

    // Events: of Domains in `default`, and nowhere but there and in domains.
    let event = |kind: &str, namespace: &str| {
        json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "type": "Normal", "reason": "x",
            "metadata": {"name": format!("r-{}", kind.to_lowercase()), "namespace": namespace}, "action": "x",
            "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "polder",
            "reportingInstance": "x", "regarding": {"apiVersion": "v1", "kind": kind, "name": "x"}})
    };
    let events = |it: &str| format!("/apis/events.k8s.io/v1/namespaces/{it}/events?dryRun=All");
    ask("POST", &events("default"), Some(&event("Domain", "default"))).await.unwrap();
    refused(
        "an event of others",
        ask("POST", &events("default"), Some(&event("Node", "default"))).await,
    );
    for namespace in ["kube-system", "r-foreign"] {
        let answer = ask("POST", &events(namespace), Some(&event("Pod", namespace))).await;
        assert!(answer.expect_err(namespace).contains("cannot create resource"));
    }
    tenant.api.delete("Namespace", "", "r-foreign").await;
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
