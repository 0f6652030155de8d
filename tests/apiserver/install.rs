//! What the chart installs, but for the Deployment: this process plays that part.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use crate::process::{Installation, NAMESPACE, run};
use crate::{
    api::{Api, documents},
    cluster,
};

/// Shards that the chart gives leases for. Operators have one unless told otherwise.
pub const SHARDS: usize = 6;
/// The operator, as the API server knows it.
pub const USER: &str = "system:serviceaccount:polder-system:polder";

/// Installs CRDs and chart, once for each run.
pub async fn installation() -> &'static Installation {
    static DONE: OnceCell<Installation> = OnceCell::const_new();
    DONE.get_or_init(|| async {
        let api = Api::new().await;
        cluster::install_crds(&api.client).await;
        for name in [NAMESPACE, "argocd"] {
            let namespace =
                format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
            api.apply("", &namespace).await;
        }
        let chart = documents(&rendered());
        let (deployments, others): (Vec<_>, Vec<_>) =
            chart.into_iter().partition(|object| object["kind"] == "Deployment");
        let is_wanted = |object: &&Value| {
            let kind = object["kind"].as_str().unwrap();
            kind == "ServiceAccount" || kind.contains("Role") || kind.contains("Admission")
        };
        let wanted: Vec<&Value> = others.iter().filter(is_wanted).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": wanted});
        run(
            "kubectl",
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            &list.to_string(),
        );

        policies_act(&api).await;

        let program = env!("CARGO_BIN_EXE_polder").into();
        Installation::new(program, &deployments[0])
    })
    .await
}

/// The objects of the chart.
pub fn rendered() -> String {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/polder");
    run(
        "helm",
        &[
            "template",
            "polder",
            chart,
            "--namespace",
            NAMESPACE,
            "--set",
            &format!(
                "crds.enabled=false,externalSecrets.enabled=true,secretsStore.enabled=true,argocd.enabled=true,argocd.healthChecks.enabled=true,monitoring.podMonitors.enabled=true,monitoring.podMonitors.labels.release=prometheus,shards={SHARDS}"
            ),
            "--set",
            "members.serviceAccountNamespaces={ci}",
            // Plays the kubelet of simulated nodes.
            "--set",
            "admissionPolicies.exempt.users={system:apiserver,system:kube-controller-manager,system:kube-scheduler,system:dev:kwok}",
        ],
        "",
    )
}

/// Waits until the policies refuse: it takes about a second until new ones act.
async fn policies_act(api: &Api) {
    let forged = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "p-probe", "labels": {"polder.dev/team": "x"}}});
    let acts = cluster::eventually(Duration::from_secs(30), async || {
        let path = "/api/v1/namespaces?dryRun=All";
        let answer = cluster::request(&api.client, "POST", path, Some(&forged)).await;
        answer.is_err_and(|refusal| refusal.contains("for Polder to set")).then_some(())
    });
    acts.await.expect("the admission policies do not act");
}
