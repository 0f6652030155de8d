//! Programs that tests start, and what an operator outside of the cluster needs: this process plays
//! the part of the chart's Deployment.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

/// Namespace of the release.
pub const NAMESPACE: &str = "polder-system";

/// An installed chart.
pub struct Installation {
    /// The operator.
    pub program: PathBuf,
    /// Files of this run.
    pub folder: PathBuf,
    /// Kubeconfig of the operator's service account.
    pub kubeconfig: PathBuf,
    /// Arguments of the operator, as the Deployment has them.
    pub arguments: Vec<String>,
    /// Whether this version answers administrators at an address of its own.
    pub has_admin: bool,
}

impl Installation {
    /// Of this Deployment, whose service account is there.
    pub fn new(program: PathBuf, deployment: &Value) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("polder-apiserver-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let kubeconfig = folder.join("kubeconfig");
        write_secret(&kubeconfig, &kubeconfig_of("polder", NAMESPACE).to_string());
        let has_admin = deployment.to_string().contains("--admin-address");
        Self { program, folder, kubeconfig, arguments: arguments(deployment), has_admin }
    }
}

/// Writes a file that nobody else may read.
pub fn write_secret(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).unwrap().write_all(text.as_bytes()).unwrap();
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

/// The administrator's, with the token of a service account.
pub fn kubeconfig_of(account: &str, namespace: &str) -> Value {
    let token = run("kubectl", &["create", "token", account, "-n", namespace, "--duration=6h"], "");
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
