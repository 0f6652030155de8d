use rstest::rstest;
use serde_json::{Value, json};

use super::{deleting, domain, in_place, operator, record};
use crate::{
    api::{Domain, DomainStatus},
    engine::{Fault, Finalize, Record, Report, Served},
    kinds::domain::{
        Resolved, children::gitops::application_key, finalize::finalize, plan::plan, scope::Scope,
        status::status,
    },
};

const SPEC: &str = "
namespace: {name: shop}
gitops: {argocd: {repo: 'https://git.example.com/sales.git', path: prod, revision: main}}
";

fn told(domain: &Domain, resolved: &Resolved, report: &Report, type_: &str) -> Option<String> {
    let status: DomainStatus = status(domain, resolved, report);
    let found = status.conditions.into_iter().find(|condition| condition.type_ == type_)?;
    Some(format!("{} {}: {}", found.status, found.reason, found.message))
}

/// With the Application, made by this Domain, in this state.
fn with_application(domain: &Domain, status: &Value) -> Resolved {
    let key = application_key(&Scope::of(domain), &operator());
    let record = Record {
        controller: Some("uid-sales".into()),
        ..(*record(key, Some("sales"), json!({"status": status}))).clone()
    };
    Resolved { application: Some(record.into()), ..in_place(domain) }
}

#[test]
fn the_project_lets_one_repository_into_one_namespace() {
    let domain = domain(SPEC);
    let children = plan(&domain, &in_place(&domain), &operator()).children;
    let of = |kind: &str| {
        let child = children.iter().find(|child| child.resource.kind == kind).unwrap();
        assert_eq!(child.key().to_string(), format!("{kind} argocd/sales-gitops"));
        (child.rank, child.object.clone())
    };
    let (before, project) = of("AppProject");
    let kinds: Vec<&str> = project["spec"]["namespaceResourceWhitelist"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["SparkCluster", "SqlEndpoint", "BatchJob", "ConfigMap"]);
    assert_eq!(project["spec"]["sourceRepos"], json!(["https://git.example.com/sales.git"]));
    let here = json!({"server": "https://kubernetes.default.svc", "namespace": "shop"});
    assert_eq!(project["spec"]["destinations"], json!([here]));
    assert_eq!(project["spec"]["clusterResourceWhitelist"], Value::Null, "none is allowed");

    let (after, application) = of("Application");
    assert!(before < after && children.iter().all(|child| child.rank <= after));
    assert_eq!(application["spec"]["project"], "sales-gitops");
    assert_eq!(application["spec"]["destination"], here);
    let source = json!({"repoURL": "https://git.example.com/sales.git", "path": "prod", "targetRevision": "main"});
    assert_eq!(application["spec"]["source"], source);
    assert_eq!(application["metadata"]["finalizers"], Value::Null, "workloads outlive it");
}

#[test]
fn a_repository_is_enough() {
    let domain = domain("gitops: {argocd: {repo: 'git@git.example.com:sales.git'}}");
    let children = plan(&domain, &in_place(&domain), &operator()).children;
    let source = &children.last().unwrap().object["spec"]["source"];
    assert_eq!(
        (source["path"].as_str(), source["targetRevision"].as_str()),
        (Some("."), Some("HEAD"))
    );
}

#[rstest]
#[case(Served::NotInstalled, "ArgoCdNotInstalled", "take spec.gitops out")]
#[case(Served::Forbidden, "ArgoCdNotAllowed", "set argocd.enabled")]
fn a_cluster_without_argo_cd_is_told_and_stops_nothing_else(
    #[case] argocd: Served,
    #[case] reason: &str,
    #[case] expected: &str,
) {
    let domain = domain(SPEC);
    let resolved = Resolved { argocd, ..in_place(&domain) };
    let children = plan(&domain, &resolved, &operator()).children;
    assert!(children.len() > 5 && children.iter().all(|it| it.resource.group != "argoproj.io"));
    for type_ in ["GitOpsReady", "Ready"] {
        let told = told(&domain, &resolved, &Report::default(), type_).unwrap();
        assert!(told.starts_with(&format!("False {reason}")) && told.contains(expected), "{told}");
    }
}

#[rstest]
#[case(json!({}), "False Pending: Application argocd/sales-gitops: Argo CD has not looked at it yet")]
#[case(
    json!({"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Degraded"}}),
    "True Synced: Application argocd/sales-gitops is at abc; health: Degraded"
)]
#[case(
    json!({"sync": {"status": "OutOfSync"}, "operationState": {"phase": "Succeeded"}}),
    "False OutOfSync: Application argocd/sales-gitops: Git and the namespace differ; Argo CD is about to sync"
)]
#[case(
    json!({"sync": {"status": "OutOfSync"}, "operationState": {"phase": "Failed", "message": "denied"}}),
    "False SyncFailed: Application argocd/sales-gitops: denied (says Argo CD); what runs goes on as it was"
)]
#[case(
    json!({
        "sync": {"status": "OutOfSync"}, "operationState": {"phase": "Error", "message": "denied"},
        "conditions": [{"type": "SyncError", "message": "Failed last sync attempt"}],
    }),
    "False SyncFailed: Application argocd/sales-gitops: denied (says Argo CD); what runs goes on as it was"
)]
// A commit that takes the broken one back needs no sync.
#[case(
    json!({"sync": {"status": "Synced", "revision": "b"}, "operationState": {"phase": "Failed"}, "health": {"status": "Healthy"}}),
    "True Synced: Application argocd/sales-gitops is at b; health: Healthy"
)]
#[case(
    json!({"sync": {"status": "Unknown"}, "conditions": [{"type": "OrphanedResourceWarning"}, {"type": "ComparisonError", "message": "no such path"}]}),
    "False ComparisonError: Application argocd/sales-gitops: no such path (says Argo CD)"
)]
fn what_argo_cd_says_is_passed_on_and_the_namespace_serves_all_the_same(
    #[case] state: Value,
    #[case] expected: &str,
) {
    let domain = domain(SPEC);
    let resolved = with_application(&domain, &state);
    let report = Report::default();
    assert_eq!(told(&domain, &resolved, &report, "GitOpsReady").unwrap(), expected);
    assert!(told(&domain, &resolved, &report, "Ready").unwrap().starts_with("True Ready"));
}

#[test]
fn an_application_of_others_is_a_conflict() {
    let domain = domain(SPEC);
    let key = application_key(&Scope::of(&domain), &operator());
    let conflicts = vec![Fault { key, message: "it is not Polder's".to_owned() }];
    let report = Report { conflicts, ..Report::default() };
    for type_ in ["GitOpsReady", "Ready"] {
        let told = told(&domain, &in_place(&domain), &report, type_).unwrap();
        assert_eq!(told, "False Conflict: it is not Polder's");
    }
}

#[test]
fn without_git_there_is_no_condition() {
    let domain = domain("");
    assert_eq!(told(&domain, &in_place(&domain), &Report::default(), "GitOpsReady"), None);
}

#[rstest]
#[case("")]
#[case("deletionPolicy: Delete")]
fn nothing_comes_from_git_into_a_domain_that_goes(#[case] policy: &str) {
    let domain = deleting(domain(&format!("{SPEC}\n{policy}")));
    let application = application_key(&Scope::of(&domain), &operator());
    let resolved = with_application(&domain, &Value::Null);
    let Finalize::Wait { delete } = finalize(&domain, &resolved) else { panic!() };
    assert_eq!(delete, std::slice::from_ref(&application));
    // That of somebody else is neither deleted nor waited for.
    let theirs = record(application.clone(), None, Value::Null);
    let resolved = Resolved { application: Some(theirs), ..in_place(&domain) };
    match finalize(&domain, &resolved) {
        Finalize::Wait { delete } => assert!(!delete.contains(&application)),
        Finalize::Mark(_) | Finalize::Done => {}
    }
}
