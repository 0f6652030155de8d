//! What members may do: asked of the API server for each role, tried by users who have one, and told
//! by `polder access`.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use kube::{Client, Config};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::path,
    cluster::{eventually, request},
    install::{USER, installation, run},
    tenant::{PATIENCE, Tenant},
};

const ROLES: [&str; 4] = ["Admin", "Engineer", "Analyst", "Auditor"];

/// Verbs, resource (with its group), and which of [`ROLES`] may.
const TABLE: &[(&str, &str, [bool; 4])] = &[
    ("get list watch", "batchjobs.polder.dev", [true, true, false, true]),
    ("get list watch", "sqlendpoints.polder.dev", [true, true, true, true]),
    ("create update patch delete", "batchjobs.polder.dev", [true, true, false, false]),
    ("create update patch delete", "sparkclusters.polder.dev", [true, true, false, false]),
    ("patch update", "sqlendpoints.polder.dev/status", [false; 4]),
    ("get list", "pods", [true; 4]),
    ("get", "pods/log", [true, true, false, true]),
    ("delete", "pods", [true, false, false, false]),
    ("create", "pods/exec", [true, false, false, false]),
    ("create", "pods/portforward", [true, true, true, false]),
    ("get list watch create update patch delete", "secrets", [true, false, false, false]),
    ("get list", "configmaps", [true, true, false, true]),
    ("create update patch delete", "configmaps", [true, true, false, false]),
    ("get list", "rolebindings.rbac.authorization.k8s.io", [true, true, false, true]),
    // Nobody: what makes pods past the domain, or more rights than one has.
    ("create update patch", "pods", [false; 4]),
    ("create get", "pods/attach", [false; 4]),
    ("create get", "pods/proxy", [false; 4]),
    ("create", "pods/eviction", [false; 4]),
    ("update patch", "pods/ephemeralcontainers", [false; 4]),
    ("create get", "services/proxy", [false; 4]),
    ("create update patch delete", "services", [false; 4]),
    ("create", "serviceaccounts/token", [false; 4]),
    ("create update patch delete impersonate", "serviceaccounts", [false; 4]),
    ("create update patch delete", "jobs.batch", [false; 4]),
    ("create update patch delete", "cronjobs.batch", [false; 4]),
    ("create update patch delete", "statefulsets.apps", [false; 4]),
    ("update patch", "statefulsets.apps/scale", [false; 4]),
    ("create update patch delete", "deployments.apps", [false; 4]),
    ("create update patch delete", "daemonsets.apps", [false; 4]),
    ("create update patch delete deletecollection", "persistentvolumeclaims", [false; 4]),
    ("create update patch delete", "resourcequotas", [false; 4]),
    ("create update patch delete", "limitranges", [false; 4]),
    ("create update patch delete", "networkpolicies.networking.k8s.io", [false; 4]),
    ("create update patch delete", "rolebindings.rbac.authorization.k8s.io", [false; 4]),
    ("create update patch bind escalate", "roles.rbac.authorization.k8s.io", [false; 4]),
    ("bind escalate", "clusterroles.rbac.authorization.k8s.io", [false; 4]),
    ("update patch delete", "namespaces", [false; 4]),
];

/// In no namespace, or in somebody else's.
const ELSEWHERE: &[(&str, &str)] = &[
    ("get list create patch delete", "domains.polder.dev"),
    ("get list create", "namespaces"),
    ("get list", "pods"),
    ("get list", "secrets"),
    ("get list", "nodes"),
    ("get create", "nodes/proxy"),
    ("impersonate", "users"),
    ("impersonate", "groups"),
    ("create bind escalate", "clusterroles.rbac.authorization.k8s.io"),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("create", "certificatesigningrequests.certificates.k8s.io"),
    ("create", "validatingadmissionpolicies.admissionregistration.k8s.io"),
];

fn group(domain: &str, role: &str) -> String {
    format!("{domain}-{}", role.to_lowercase())
}

/// A domain with a group for each role.
async fn domain(name: &str) -> Tenant {
    let tenant = Tenant::new(name).await;
    let members: Vec<Value> = ROLES
        .iter()
        .map(|role| json!({"role": role, "subjects": [{"kind": "Group", "name": group(name, role)}]}))
        .collect();
    let spec = json!({"deletionPolicy": "Delete", "members": members});
    let domain = json!({"apiVersion": "polder.dev/v1alpha1", "kind": "Domain", "metadata": {"name": name}, "spec": spec});
    tenant.apply(&domain.to_string()).await;
    tenant.wait_ready("Domain", name).await;
    tenant
}

async fn may(
    tenant: &Tenant,
    groups: &[String],
    verb: &str,
    resource: &str,
    namespace: &str,
) -> bool {
    let (name, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (name, api_group) = name.split_once('.').unwrap_or((name, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "somebody",
            "groups": groups,
            "resourceAttributes": {
                "verb": verb, "group": api_group, "resource": name, "subresource": subresource,
                "namespace": namespace,
            },
        },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer = request(&tenant.api.client, "POST", path, Some(&review)).await.unwrap();
    answer["status"]["allowed"].as_bool().unwrap()
}

/// Somebody who is in these groups.
async fn impersonate(groups: &[String]) -> Client {
    let mut config = Config::infer().await.unwrap();
    config.auth_info.impersonate = Some("somebody".to_owned());
    config.auth_info.impersonate_groups = Some(groups.to_vec());
    Client::try_from(config).unwrap()
}

fn groups(domain: &str, role: &str) -> Vec<String> {
    vec![group(domain, role), "system:authenticated".to_owned()]
}

#[tokio::test]
async fn each_role_may_what_the_table_says_and_nothing_elsewhere() {
    let tenant = domain("acc-roles").await;
    let other = domain("acc-other").await;
    let mut wrong = Vec::new();
    for (index, role) in ROLES.into_iter().enumerate() {
        let groups = groups("acc-roles", role);
        for (verbs, resource, expected) in TABLE {
            for verb in verbs.split(' ') {
                let allowed = may(&tenant, &groups, verb, resource, "acc-roles").await;
                if allowed != expected[index] {
                    wrong.push(format!("{role}: {verb} {resource} is {allowed}"));
                }
            }
        }
        for (verbs, resource) in ELSEWHERE {
            for verb in verbs.split(' ') {
                for namespace in ["", "acc-other", "kube-system", "polder-system"] {
                    if may(&tenant, &groups, verb, resource, namespace).await {
                        wrong.push(format!("{role}: {verb} {resource} in `{namespace}`"));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    tenant.end();
    other.end();
}

/// Whoever tries gets this answer: `Ok`, or what the refusal has to contain.
async fn attempt(client: &Client, method: &str, path: &str, body: Value) -> Result<(), String> {
    let body = (!body.is_null()).then_some(&body);
    request(client, method, path, body).await.map(|_| ())
}

#[tokio::test]
async fn no_member_gets_more_than_they_have() {
    let tenant = domain("acc-tries").await;
    let binding = |kind: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "more"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}],
        })
    };
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "more"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
    let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}});
    let join = json!({"spec": {"members": [{"role": "Admin", "subjects": [{"kind": "User", "name": "somebody"}]}]}});
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/acc-tries";
    let core = "/api/v1/namespaces/acc-tries";
    for role_name in ROLES {
        let client = impersonate(&groups("acc-tries", role_name)).await;
        let mut tries = vec![
            ("POST", format!("{rbac}/rolebindings"), binding("ClusterRole", "polder-domain-admin")),
            ("POST", format!("{rbac}/rolebindings"), binding("ClusterRole", "cluster-admin")),
            ("POST", format!("{rbac}/roles"), role.clone()),
            ("DELETE", format!("{rbac}/rolebindings/polder-auditor"), Value::Null),
            ("PATCH", format!("{rbac}/rolebindings/polder-admin"), json!({"subjects": []})),
            ("POST", format!("{core}/serviceaccounts/spark-driver/token"), token.clone()),
            ("POST", format!("{core}/serviceaccounts/default/token"), token.clone()),
            ("POST", format!("{core}/pods/any/attach"), Value::Null),
            ("PATCH", "/apis/polder.dev/v1alpha1/domains/acc-tries".to_owned(), join.clone()),
            ("GET", "/api/v1/namespaces/polder-system/secrets".to_owned(), Value::Null),
        ];
        if role_name != "Admin" {
            tries.push((
                "POST",
                format!("{core}/pods/any/exec?command=id&stdout=true"),
                Value::Null,
            ));
            tries.push(("GET", format!("{core}/secrets"), Value::Null));
        }
        for (method, path, body) in tries {
            let refusal = attempt(&client, method, &path, body).await.unwrap_err();
            assert!(refusal.contains("forbidden"), "{role_name} {method} {path}: {refusal}");
        }
    }
    // What they are there for works.
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}});
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}});
    let as_role = async |role: &str| impersonate(&groups("acc-tries", role)).await;
    attempt(&as_role("Admin").await, "POST", &path("Secret", "acc-tries", ""), secret)
        .await
        .unwrap();
    attempt(&as_role("Engineer").await, "POST", &path("ConfigMap", "acc-tries", ""), config)
        .await
        .unwrap();
    for role in ROLES {
        attempt(&as_role(role).await, "GET", &path("Pod", "acc-tries", ""), Value::Null)
            .await
            .unwrap();
    }
    tenant.end();
}

#[tokio::test]
async fn an_administrator_extends_a_role_with_a_cluster_role() {
    let tenant = domain("acc-extend").await;
    let leases = "leases.coordination.k8s.io";
    let can = async |role: &str| {
        may(&tenant, &groups("acc-extend", role), "get", leases, "acc-extend").await
    };
    assert!(!can("Analyst").await);
    let extra = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "acc-extend", "labels": {"rbac.polder.dev/aggregate-to-domain-analyst": "true"}},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get"]}],
    });
    run("kubectl", &["apply", "-f", "-"], &extra.to_string());
    let extended = eventually(PATIENCE, async || can("Analyst").await.then_some(())).await;
    let auditor = can("Auditor").await;
    run("kubectl", &["delete", "clusterrole", "acc-extend"], "");
    assert!(extended.is_some(), "the Analyst does not get the extra rule");
    assert!(!auditor, "only the role that was named is extended");
    let reduced = eventually(PATIENCE, async || (!can("Analyst").await).then_some(())).await;
    assert!(reduced.is_some(), "the extra rule stays");
    tenant.end();
}

/// Accounts of other namespaces; [`crate::install`] trusts those of `ci`.
#[rstest]
#[case::own("acc-subjects", Ok(()))]
#[case::trusted("ci", Ok(()))]
#[case::another_domains(
    "acc-roles",
    Err("service accounts of namespace acc-roles cannot be members")
)]
#[case::the_operators("polder-system", Err("allowed: those of ci, acc-subjects"))]
#[case::the_clusters("kube-system", Err("parts of the cluster and cannot be members"))]
#[tokio::test]
async fn accounts_of_other_namespaces_are_refused(
    #[case] namespace: &str,
    #[case] expected: Result<(), &str>,
) {
    let tenant = Tenant::alone("acc-subjects").await;
    installation().await;
    let domain = json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "Domain", "metadata": {"name": "acc-subjects"},
        "spec": {"members": [{"role": "Admin", "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": namespace}]}]},
    });
    let path = format!("{}?dryRun=All", path("Domain", "", ""));
    let is_so = |answer: &Result<Value, String>| match (&expected, answer) {
        (Ok(()), Ok(_)) => true,
        (Err(words), Err(refusal)) => refusal.contains(words),
        _ => false,
    };
    // A policy that was just installed takes a second to act.
    let mut last = None;
    let judged = eventually(PATIENCE, async || {
        let answer = request(&tenant.api.client, "POST", &path, Some(&domain)).await;
        let is_right = is_so(&answer);
        last = Some(answer);
        is_right.then_some(())
    });
    let judged = judged.await;
    assert!(judged.is_some(), "{last:?}");
}

#[tokio::test]
async fn an_account_of_elsewhere_comes_in_by_no_way() {
    let tenant = Tenant::ready("acc-ways").await;
    let client = &tenant.api.client;
    let url = |more: &str| format!("{}?dryRun=All{more}", path("Domain", "", "acc-ways"));
    let members = |namespace: &str| json!([{"role": "Admin", "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": namespace}]}]);
    for (namespace, is_let_in) in [("ci", true), ("acc-ways", true), ("acc-roles", false)] {
        let patch = json!({"spec": {"members": members(namespace)}});
        let mut applied = patch.clone();
        applied["apiVersion"] = json!("polder.dev/v1alpha1");
        applied["kind"] = json!("Domain");
        let mut whole = tenant.get("Domain", "acc-ways").await.unwrap();
        whole["spec"]["members"] = members(namespace);
        let apply = url("&fieldManager=somebody&force=true");
        let ways =
            [("PATCH", url(""), &patch), ("PATCH", apply, &applied), ("PUT", url(""), &whole)];
        for (method, url, body) in ways {
            let answer = request(client, method, &url, Some(body)).await;
            match (is_let_in, &answer) {
                (true, Ok(_)) => {}
                (false, Err(refusal)) if refusal.contains("of namespace acc-roles cannot") => {}
                _ => panic!("{method} {url}, account of {namespace}: {answer:#?}"),
            }
        }
    }
    tenant.end();
}

/// `polder access`, with a kubeconfig.
fn polder(kubeconfig: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_polder"))
        .arg("access")
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap()
}

/// The administrator's kubeconfig, acting as somebody else.
fn kubeconfig_as(user: &str, folder: &Path) -> std::path::PathBuf {
    let view = ["config", "view", "--minify", "--raw", "-o", "json"];
    let mut config: Value = serde_json::from_str(&run("kubectl", &view, "")).unwrap();
    config["users"][0]["user"]["as"] = json!(user);
    let path = folder.join(format!("kubeconfig-{user}"));
    fs::write(&path, config.to_string()).unwrap();
    path
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn the_command_tells_who_can_do_what_and_who_else() {
    let tenant = domain("acc-tell").await;
    let folder = &installation().await.folder;
    let admin = std::env::var("KUBECONFIG").unwrap();
    let stranger = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "acc-tell-stranger"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "mallory@example.com"}],
    });
    run("kubectl", &["apply", "-f", "-"], &stranger.to_string());
    let answer = polder(Path::new(&admin), &["acc-tell", "-o", "json"]);
    let table = polder(Path::new(&admin), &["acc-tell"]);
    let yaml = polder(Path::new(&admin), &["acc-tell", "-o", "yaml"]);
    run("kubectl", &["delete", "clusterrolebinding", "acc-tell-stranger"], "");
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(serde_yaml::from_slice::<Value>(&yaml.stdout).unwrap(), report);
    let table = text(&table.stdout);
    assert!(table.contains("User mallory@example.com"), "{table}");
    let others = report["others"].as_array().unwrap();
    let names: BTreeSet<_> =
        others.iter().map(|it| it["subject"]["name"].as_str().unwrap()).collect();
    assert!(names.contains("mallory@example.com") && names.contains("system:masters"), "{names:?}");
    agrees(&tenant, &report).await;
    let account = format!(
        "ServiceAccount {}",
        USER.rsplit(':')
            .take(2)
            .collect::<Vec<_>>()
            .iter()
            .rev()
            .copied()
            .collect::<Vec<_>>()
            .join("/")
    );
    assert!(table.contains(&account), "the operator itself is shown: {table}");

    // Without the right to read, each way ends in one line that says so.
    let said = |output: &Output| {
        let line = text(&output.stderr);
        assert!(!output.status.success() && line.lines().count() == 1, "{line}");
        line
    };
    assert!(said(&polder(Path::new(&admin), &["nobody"])).contains("there is no Domain nobody"));
    let stranger = kubeconfig_as("stranger", folder);
    assert!(said(&polder(&stranger, &["acc-tell"])).contains("cannot get resource \"domains\""));
    let nowhere = folder.join("no-such-kubeconfig");
    assert!(said(&polder(&nowhere, &["acc-tell"])).contains("no cluster is known"));
    partly(&tenant, folder).await;
    tenant.end();
}

/// What the command says of members is what the API server's authorizer says.
async fn agrees(tenant: &Tenant, report: &Value) {
    let questions = [
        ("workloads", "see", "get", "batchjobs.polder.dev"),
        ("workloads", "run", "create", "batchjobs.polder.dev"),
        ("pods", "exec", "create", "pods/exec"),
        ("pods", "delete", "delete", "pods"),
        ("pods", "create", "create", "pods"),
        ("pods", "forward", "create", "pods/portforward"),
        ("logs", "read", "get", "pods/log"),
        ("secrets", "read", "get", "secrets"),
        ("secrets", "write", "create", "secrets"),
        ("grants", "tokens", "create", "serviceaccounts/token"),
        ("grants", "bind", "create", "rolebindings.rbac.authorization.k8s.io"),
    ];
    for role in ROLES {
        let name = group("acc-tell", role);
        let members = report["members"].as_array().unwrap();
        let grant = members.iter().find(|grant| grant["subject"]["name"] == name).unwrap();
        for (area, word, verb, resource) in questions {
            let told = grant["may"][area].as_array().unwrap().contains(&json!(word));
            let is_so = may(tenant, &groups("acc-tell", role), verb, resource, "acc-tell").await;
            // An Analyst sees SqlEndpoints only, which is to see workloads too.
            let is_part = role == "Analyst" && (area, word) == ("workloads", "see");
            assert_eq!(told, is_so || is_part, "{role} {area} {word}");
        }
    }
}

/// Somebody who may read Domains and bindings of the namespace, and no ClusterRoleBindings.
async fn partly(_: &Tenant, folder: &Path) {
    let rights = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "acc-tell-partly"}, "rules": [
            {"apiGroups": ["polder.dev"], "resources": ["domains"], "verbs": ["get"]},
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings", "roles"], "verbs": ["get", "list"]},
        ]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "acc-tell-partly"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "acc-tell-partly"},
         "subjects": [{"kind": "User", "name": "partly"}]},
    ]});
    run("kubectl", &["apply", "-f", "-"], &rights.to_string());
    let kubeconfig = kubeconfig_as("partly", folder);
    let answer = eventually(PATIENCE, async || {
        let output = polder(&kubeconfig, &["acc-tell"]);
        (!output.stdout.is_empty()).then_some(output)
    });
    let answer = answer.await.expect("the Domain can be read");
    run("kubectl", &["delete", "clusterrole,clusterrolebinding", "acc-tell-partly"], "");
    let shown = text(&answer.stdout);
    assert!(shown.contains("NOT READ: ClusterRoleBindings: "), "{shown}");
    assert!(shown.contains("NOT READ: ClusterRole polder-domain-admin: "), "{shown}");
    assert!(!answer.status.success(), "{shown}");
    assert!(text(&answer.stderr).contains("the answer is not complete"));
}
