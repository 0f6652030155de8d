//! What the chart installs, but for the Deployment: this process plays that part.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    api::{Api, documents},
    cluster,
};

/// Namespace of the release.
pub const NAMESPACE: &str = "polder-system";
/// Shards that the chart gives leases for. Operators have one unless told otherwise.
pub const SHARDS: usize = 6;
/// The operator, as the API server knows it.
pub const USER: &str = "system:serviceaccount:polder-system:polder";

/// An installed chart.
pub struct Installation {
    /// Files of this run.
    pub folder: PathBuf,
    /// Kubeconfig of the operator's service account.
    pub kubeconfig: PathBuf,
    /// Arguments of the operator, as the Deployment has them.
    pub arguments: Vec<String>,
}

/// Installs CRDs and chart, once for each run.
pub async fn installation() -> &'static Installation {
    static DONE: OnceCell<Installation> = OnceCell::const_new();
    DONE.get_or_init(|| async {
        let api = Api::new().await;
        cluster::install_crds(&api.client).await;
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}");
        api.apply("", &namespace).await;
        let chart = documents(&helm());
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

        let folder = std::env::temp_dir().join(format!("polder-apiserver-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let kubeconfig = folder.join("kubeconfig");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&kubeconfig).unwrap();
        file.write_all(operators_kubeconfig().to_string().as_bytes()).unwrap();
        Installation { folder, kubeconfig, arguments: arguments(&deployments[0]) }
    })
    .await
}

fn helm() -> String {
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
                "crds.enabled=false,externalSecrets.enabled=true,secretsStore.enabled=true,shards={SHARDS}"
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

fn arguments(deployment: &Value) -> Vec<String> {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    container["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap().replace("$(POD_NAMESPACE)", NAMESPACE))
        .filter(|argument| {
            !["--http-address", "--admin-address", "--lease-duration", "--log-format", "--shards"]
                .iter()
                .any(|own| argument.starts_with(own))
        })
        .collect()
}

/// The administrator's, with the service account's token.
fn operators_kubeconfig() -> Value {
    let token =
        run("kubectl", &["create", "token", "polder", "-n", NAMESPACE, "--duration=6h"], "");
    let view = ["config", "view", "--minify", "--raw", "-o", "json"];
    let mut config: Value = serde_json::from_str(&run("kubectl", &view, "")).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    config
}

/// Runs a program; panics with all it said if it fails.
pub fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; run through `dev/test apiserver`"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
