//! A control plane of the bench's own with the chart installed, and what makes sure that both are
//! gone in the end.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use http::HeaderValue;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use polder::engine;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{audit::Audit, error::Result, load::send, operator::usage};

/// Namespace of the release.
pub const NAMESPACE: &str = "polder-system";
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A running control plane.
pub struct Bed {
    pub audit: Audit,
    pub client: Client,
    /// The operator's arguments, as the chart's Deployment has them.
    pub arguments: Vec<String>,
    /// Its environment, as far as it is the same everywhere.
    pub environment: Vec<(String, String)>,
    /// Version of the API server.
    pub kubernetes: String,
    folder: PathBuf,
    /// Stops everything when this process lets go of its standard input, however it ends.
    watchdog: Child,
}

impl Bed {
    /// Starts a control plane and installs CRDs and chart.
    pub async fn new(nodes: usize) -> Result<Self> {
        let name = format!("bench-{}", std::process::id());
        let folder = dev_home().join("clusters").join(&name);
        let watchdog = watch_over(&name)?;
        // From here on, whatever goes wrong is tidied up.
        let started = start(&name, nodes);
        let unfinished = Unfinished(Some(watchdog));
        started?;
        let client = client(&folder.join("kubeconfig"), "polder-bench").await?;
        let version = send(&client, "GET", "/version", None).await?;
        let deployment = install(&client, &folder).await?;
        Ok(Self {
            audit: Audit::new(folder.join("logs/audit.log")),
            client,
            arguments: arguments_of(&deployment),
            environment: environment_of(&deployment),
            kubernetes: version["gitVersion"].as_str().unwrap_or("unknown").to_owned(),
            folder,
            watchdog: unfinished.done().ok_or("the watchdog is gone")?,
        })
    }

    /// Files of this run; gone with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A client of the administrator that the audit log knows by another name.
    pub async fn client_named(&self, agent: &str) -> Result<Client> {
        client(&self.folder.join("kubeconfig"), agent).await
    }

    /// A kubeconfig with a token of its own for the operator's service account.
    pub fn operator_kubeconfig(&self, identity: &str) -> Result<PathBuf> {
        let account = ["create", "token", "polder", "-n", NAMESPACE, "--duration=24h"];
        let token = self.program("kubectl", &account, "")?;
        let admin = std::fs::read_to_string(self.folder.join("kubeconfig"))?;
        let mut config: Value = serde_yaml::from_str(&admin)?;
        config["users"][0]["user"] = json!({ "token": token.trim() });
        let path = self.folder.join(format!("{identity}.kubeconfig"));
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(config.to_string().as_bytes())?;
        Ok(path)
    }

    /// CPU seconds that the control plane has used so far.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let mut total = 0.0;
        for entry in std::fs::read_dir(self.folder.join("pids"))? {
            let record: Value = serde_json::from_slice(&std::fs::read(entry?.path())?)?;
            let pid = record["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            total += usage(pid.ok_or("a process without a pid")?)?.cpu_seconds;
        }
        Ok(total)
    }

    /// Runs a program of the cluster's to its end.
    pub fn program(&self, program: &str, arguments: &[&str], input: &str) -> Result<String> {
        run(&self.folder, program, arguments, input)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        end(&mut self.watchdog);
    }
}

/// A watchdog that ends with the attempt to start what it watches.
struct Unfinished(Option<Child>);

impl Unfinished {
    fn done(mut self) -> Option<Child> {
        self.0.take()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(watchdog) = &mut self.0 {
            end(watchdog);
        }
    }
}

/// Lets the watchdog do its work and waits for it.
fn end(watchdog: &mut Child) {
    drop(watchdog.stdin.take());
    let _ = watchdog.wait();
}

/// Out of reach of Ctrl-C, and at the end of its input it takes the cluster down, and with it every
/// process that carries the cluster's mark.
fn watch_over(name: &str) -> Result<Child> {
    let script =
        "trap '' INT TERM HUP; cat >/dev/null; exec dev/cluster down \"$0\" >/dev/null 2>&1";
    Ok(Command::new("sh")
        .args(["-c", script, name])
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("sh cannot be run, nothing was started: {error}"))?)
}

fn start(name: &str, nodes: usize) -> Result<()> {
    eprintln!("starting a control plane with {nodes} simulated nodes");
    let started = Instant::now();
    let nodes = nodes.to_string();
    let output = Command::new("dev/cluster")
        .args(["up", name, "--node", "simulated", "--nodes", &nodes])
        .current_dir(ROOT)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            format!("dev/cluster cannot be run: {error}; run the bench from a checkout")
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "no control plane, nothing was measured:\n{}\n{}",
            said.trim(),
            String::from_utf8_lossy(&output.stdout).trim(),
        )
        .into());
    }
    eprintln!("  up after {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Where dev/cluster keeps its clusters.
fn dev_home() -> PathBuf {
    match std::env::var_os("POLDER_DEV_HOME") {
        Some(home) => PathBuf::from(home),
        None => Path::new(ROOT).join(".dev"),
    }
}

async fn client(kubeconfig: &Path, agent: &str) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    let agent = HeaderValue::from_str(agent).map_err(|error| error.to_string())?;
    config.headers.push((http::header::USER_AGENT, agent));
    Ok(engine::client(config)?)
}

fn run(folder: &Path, program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut child = Command::new(program)
        .args(arguments)
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            format!("{program} cannot be run: {error}; `dev/cluster build` builds what is missing")
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} {}: {}", arguments.join(" "), said.trim()).into());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}").into())
}

/// CRDs and chart, but for the Deployment, whose part the bench plays: the answer.
async fn install(client: &Client, folder: &Path) -> Result<Value> {
    let chart = format!("{ROOT}/charts/polder");
    // The same objects written raw are written by the administrator, and kwok plays the kubelet.
    let exempt = "admissionPolicies.exempt.users={system:apiserver,system:kube-controller-manager,\
                  system:kube-scheduler,system:dev:kwok,kubernetes-admin}";
    let template =
        ["template", "polder", &chart, "--namespace", NAMESPACE, "--include-crds", "--set", exempt];
    let rendered = run(folder, "helm", &template, "")?;
    let objects = serde_yaml::Deserializer::from_str(&rendered)
        .map(Value::deserialize)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let is_left_out = |object: &Value| {
        object.is_null()
            || ["Deployment", "Service", "PodDisruptionBudget"]
                .map(Some)
                .contains(&object["kind"].as_str())
    };
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment");
    let deployment = deployment.ok_or("the chart has no Deployment")?.clone();
    let (crds, others): (Vec<&Value>, Vec<&Value>) = objects
        .iter()
        .filter(|object| !is_left_out(object))
        .partition(|object| object["kind"] == "CustomResourceDefinition");
    run(folder, "kubectl", &["create", "namespace", NAMESPACE], "")?;
    for items in [crds, others] {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        run(folder, "kubectl", &apply, &list.to_string())?;
    }
    served(client).await?;
    Ok(deployment)
}

/// Waits until the API server serves the kinds.
async fn served(client: &Client) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    for plural in ["domains", "sparkclusters", "sqlendpoints", "batchjobs"] {
        let path = format!("/apis/polder.dev/v1alpha1/{plural}?limit=1");
        while let Err(error) = send(client, "GET", &path, None).await {
            if Instant::now() > deadline {
                return Err(format!("{plural} are not served: {error}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

fn environment_of(deployment: &Value) -> Vec<(String, String)> {
    let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array();
    let of = |variable: &Value, key: &str| variable[key].as_str().map(str::to_owned);
    let variables = variables.into_iter().flatten();
    variables.filter_map(|it| Some((of(it, "name")?, of(it, "value")?))).collect()
}

fn arguments_of(deployment: &Value) -> Vec<String> {
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let own = ["--http-address", "--admin-address", "--log-format", "--log-level"];
    arguments
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|argument| !own.iter().any(|name| argument.starts_with(name)))
        .map(|argument| argument.replace("$(POD_NAMESPACE)", NAMESPACE))
        .collect()
}
