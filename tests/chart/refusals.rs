//! What is refused: one message, the exit code 1, and nothing half done.

use std::process::Command;

use rstest::rstest;
use serde_json::json;

use crate::{
    helm::{CHART, HELMS, Said, alone, say},
    process::{NAMESPACE, run},
};

/// Helm 3 and Helm 4 name a property each in its own way: `place` is what both say.
#[rstest]
#[case::typo("replicas=2", "replicas")]
#[case::typo_inside("leaderElection.enable=false", "enable")]
#[case::in_monitoring("monitoring.serviceMonitors.enabled=true", "serviceMonitors")]
#[case::in_resources("resources.limit.cpu=1", "limit")]
#[case::not_supported("watchNamespaces={a}", "watchNamespaces")]
#[case::kind("replicaCount=two", "replicaCount")]
#[case::out_of_range("shards=100", "shards")]
#[case::not_one_of("log.format=xml", "format")]
#[case::label_of_the_chart("commonLabels.app\\.kubernetes\\.io/name=x", "app.kubernetes.io/name")]
#[case::kube_namespace(
    "members.serviceAccountNamespaces={kube-system}",
    "serviceAccountNamespaces"
)]
#[case::together(
    "replicaCount=2,leaderElection.enabled=false",
    "replicaCount: more than one replica needs leaderElection.enabled"
)]
#[case::default_version(
    "sparkImages.default=9.9",
    "sparkImages.default: 9.9 is not one of sparkImages.versions"
)]
#[case::account("serviceAccount.create=false", "serviceAccount.name: give the name")]
fn wrong_values(#[case] values: &str, #[case] place: &str) {
    for helm in HELMS {
        let said = say(helm, &["template", "polder", CHART, "--set", values]).badly();
        assert!(said.contains(place), "{helm}: {said}");
    }
}

#[rstest]
#[case("1.33.9", false)]
#[case("1.34.0", true)]
#[case("1.35.2-gke.100", true)]
fn old_api_servers(#[case] version: &str, #[case] is_fit: bool) {
    for helm in HELMS {
        let said = say(helm, &["template", "polder", CHART, "--kube-version", version]);
        if is_fit {
            said.well();
        } else {
            let said = said.badly();
            assert!(said.contains("kubeVersion: >=1.34.0-0"), "{helm}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_api_server() {
    let _alone = alone().await;
    let before = everything();
    let version = json!({"major": "1", "minor": "33", "gitVersion": "v1.33.9"});
    let older = crate::older::server(version).await;
    for helm in HELMS {
        let said = install(helm, "polder", NAMESPACE, &["--kubeconfig", &older]).badly();
        let wanted = "kubeVersion: >=1.34.0-0 which is incompatible with Kubernetes v1.33.9";
        assert!(said.contains(wanted), "{helm}: {said}");
    }
    assert_eq!(everything(), before);
    // For those who installed without Helm.
    let wanted = "Kubernetes v1.33.9 is too old: upgrade the cluster to 1.34 or newer";
    let said = polder(&["operator", "--http-address=127.0.0.1:0"], &older);
    assert!(said.code == 2 && said.err.contains(&format!("polder: {wanted}\n")), "{}", said.err);
    let said = polder(&["check"], &older);
    assert!(said.code == 1 && said.out.contains(wanted), "{}{}", said.out, said.err);
}

fn polder(arguments: &[&str], kubeconfig: &str) -> Said {
    let mut polder = Command::new(env!("CARGO_BIN_EXE_polder"));
    polder.args(arguments).env("KUBECONFIG", kubeconfig).output().unwrap().into()
}

fn install(helm: &str, name: &str, namespace: &str, more: &[&str]) -> Said {
    let arguments = ["install", name, CHART, "-n", namespace, "--create-namespace"];
    say(helm, &[&arguments[..], more].concat())
}

/// Names of everything that an installation could have left.
fn everything() -> String {
    let kinds = "crd,namespaces,clusterroles,clusterrolebindings,validatingadmissionpolicies,\
                 validatingadmissionpolicybindings";
    let cluster = run("kubectl", &["get", kinds, "-o", "name"], "");
    let kinds =
        "deployments,services,serviceaccounts,secrets,roles,rolebindings,pdb,networkpolicies";
    cluster + &run("kubectl", &["get", kinds, "-A", "-o", "name"], "")
}

#[tokio::test]
async fn a_cluster_takes_one_release() {
    let _alone = alone().await;
    install("helm", "polder", NAMESPACE, &["--set", "crds.enabled=true"]).well();
    let before = everything();
    for helm in HELMS {
        for more in [&[][..], &["--set", "crds.enabled=false"], &["--set", "rbac.create=false"]] {
            let said = install(helm, "second", "elsewhere", more).badly();
            let wanted =
                "Polder is in this cluster already, as release polder in namespace polder-system";
            assert!(said.contains(wanted), "{helm} {more:?}: {said}");
        }
        assert_eq!(everything(), before, "{helm}");
    }
    crate::release::remove("helm");
}

#[tokio::test]
async fn one_that_kubectl_made_is_seen_too() {
    let _alone = alone().await;
    let rendered = say("helm", &["template", "polder", CHART, "-n", "default"]).well();
    let apply = ["apply", "--server-side", "-n", "default", "-f", "-"];
    run("kubectl", &apply, &rendered);
    let said = install("helm", "polder", NAMESPACE, &[]).badly();
    assert!(said.contains("Polder is in this cluster already, without Helm"), "{said}");
    run("kubectl", &["delete", "-n", "default", "--ignore-not-found", "-f", "-"], &rendered);
}

#[tokio::test]
async fn missing_definitions() {
    let _alone = alone().await;
    let before = everything();
    for helm in HELMS {
        let said = install(helm, "polder", NAMESPACE, &["--set", "crds.enabled=false"]).badly();
        assert!(
            said.contains("batchjobs.polder.dev is missing: set crds.enabled"),
            "{helm}: {said}"
        );
        assert!(said.contains("polder crds | kubectl apply"), "{helm}: {said}");
    }
    assert_eq!(everything(), before);
}

#[tokio::test]
async fn no_permission() {
    let _alone = alone().await;
    let before = everything();
    for helm in HELMS {
        let said = install(helm, "polder", "default", &["--kube-as-user", "ana"]).badly();
        assert!(said.contains("forbidden: User \"ana\" cannot"), "{helm}: {said}");
    }
    assert_eq!(everything(), before);
}

#[test]
fn a_kubeconfig_that_points_nowhere() {
    for helm in HELMS {
        let said = install(helm, "polder", "default", &["--kube-apiserver", "https://127.0.0.1:1"]);
        let said = said.badly();
        assert!(said.contains("127.0.0.1:1"), "{helm}: {said}");
    }
}
