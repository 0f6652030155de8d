//! Argo CD: the two of its parts that sync, and the Redis that they share.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    api::{Api, documents},
    cluster::{eventually, install_crd},
    install::{installation, rendered},
    process::{kubeconfig_of, run, write_secret},
};

/// Its namespace.
pub const NAMESPACE: &str = "argocd";
/// Of this service account are all requests that it sends.
pub const ACCOUNT: &str = "argocd-application-controller";

/// What its installation manifests make, as far as it is needed here.
/// Source: <https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/>
const INSTALLATION: &str = "
{apiVersion: v1, kind: ServiceAccount, metadata: {name: argocd-application-controller, namespace: argocd}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: argocd-application-controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: argocd-application-controller, namespace: argocd}]
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ['*']
  destinations: [{server: '*', namespace: '*'}]
  clusterResourceWhitelist: [{group: '*', kind: '*'}]
";

/// A running Argo CD, one for all tests.
pub struct ArgoCd {
    /// Where repositories may lie.
    pub folder: PathBuf,
}

/// Starts it at the first call. Its processes end with this one.
pub async fn argocd() -> &'static ArgoCd {
    static DONE: OnceCell<ArgoCd> = OnceCell::const_new();
    DONE.get_or_init(start).await
}

async fn start() -> ArgoCd {
    let api = Api::new().await;
    // Its namespace is there, with Polder's roles in it.
    let folder = installation().await.folder.join("argocd");
    let program = run("sh", &["-c", "readlink -f \"$(command -v argocd)\""], "");
    let program = PathBuf::from(program.trim());
    for file in fs::read_dir(program.with_file_name("crds")).unwrap() {
        for crd in documents(&fs::read_to_string(file.unwrap().path()).unwrap()) {
            if crd["kind"] == "CustomResourceDefinition" {
                install_crd(&api.client, &crd).await;
            }
        }
    }
    let objects = [documents(INSTALLATION), configuration()].concat();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    run("kubectl", &["apply", "--server-side", "-f", "-"], &list.to_string());

    fs::create_dir_all(&folder).unwrap();
    let mut config = kubeconfig_of(ACCOUNT, NAMESPACE);
    config["contexts"][0]["context"]["namespace"] = json!(NAMESPACE);
    let kubeconfig = folder.join("kubeconfig");
    write_secret(&kubeconfig, &config.to_string());
    let [redis, repos, metrics, more_metrics] = ports();
    let database = format!("127.0.0.1:{redis}");
    let mut cache = Command::new("redis-server");
    cache.args(["--bind", "127.0.0.1", "--port", &redis, "--save", "", "--appendonly", "no"]);
    spawn(&folder, "redis", cache);
    let part = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .args(["--redis", &database])
            .env("KUBECONFIG", &kubeconfig)
            .env("TMPDIR", &folder)
            // Otherwise it insists on a pod's service account.
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .env("ARGOCD_GPG_ENABLED", "false");
        command
    };
    let server = ["argocd-repo-server", "--disable-tls", "--address", "127.0.0.1"];
    let ports = ["--port", &repos, "--metrics-port", &metrics];
    // It looks at Git each time, where it would take a branch to be unchanged for three minutes.
    let fresh = ["--revision-cache-expiration", "1s"];
    spawn(&folder, "repo-server", part(&[&server[..], &ports[..], &fresh[..]].concat()));
    let address = format!("127.0.0.1:{repos}");
    let controller = ["argocd-application-controller", "--repo-server-plaintext"];
    let servers = ["--repo-server", &address, "--metrics-port", &more_metrics];
    // It looks at every Application once a second, where the default is three minutes: twenty looks
    // are an hour of them.
    let often = ["--app-resync", "1", "--app-resync-jitter", "0"];
    // In the Application's status, where tests can read it.
    let health = ["--persist-resource-health"];
    let arguments = [&controller[..], &servers[..], &often[..], &health[..]].concat();
    spawn(&folder, "controller", part(&arguments));
    eprintln!("Argo CD's logs are in {}", folder.display());
    ArgoCd { folder }
}

/// Its own ConfigMaps and Secret, with the health checks that the chart offers. It watches the
/// types of these tests only.
fn configuration() -> Vec<Value> {
    let chart = documents(&rendered());
    let checks = chart.iter().find(|it| it["metadata"]["name"] == "polder-argocd-health").unwrap();
    let mut settings = checks["data"].clone();
    settings["resource.inclusions"] = json!(
        "[{apiGroups: [polder.dev], kinds: ['*'], clusters: ['*']}, \
          {apiGroups: [''], kinds: [ConfigMap, Namespace, ServiceAccount], clusters: ['*']}]"
    );
    let object = |kind: &str, name: &str| {
        let labels = json!({"app.kubernetes.io/part-of": "argocd"});
        json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels}})
    };
    let names = ["rbac", "cmd-params", "ssh-known-hosts", "tls-certs", "gpg-keys"];
    let mut objects: Vec<Value> =
        names.iter().map(|name| object("ConfigMap", &format!("argocd-{name}-cm"))).collect();
    let mut main = object("ConfigMap", "argocd-cm");
    main["data"] = settings;
    let mut secret = object("Secret", "argocd-secret");
    secret["stringData"] = json!({"server.secretkey": "of-tests"});
    objects.extend([main, secret]);
    objects
}

fn ports<const N: usize>() -> [String; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port().to_string())
}

/// Starts a process that ends when this one does.
fn spawn(folder: &Path, name: &str, mut command: Command) {
    let output = File::create(folder.join(format!("{name}.log"))).unwrap();
    let process = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}; run through `dev/test apiserver`"));
    let watchdog = Command::new("sh")
        .args(["-c", "cat >/dev/null; kill -9 $0 2>/dev/null", &process.id().to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // The watchdog's input closes with this process, and not before.
    std::mem::forget((process, watchdog));
}

/// Removes what an earlier run may have left, and nothing that it brought.
pub async fn forget(api: &Api, name: &str) {
    argocd().await;
    if api.get("Application", NAMESPACE, name).await.is_some() {
        let bare = json!({"metadata": {"finalizers": null}, "spec": {"syncPolicy": null}});
        api.patch("Application", NAMESPACE, name, bare).await;
        api.delete("Application", NAMESPACE, name).await;
    }
}

/// Waits until an Application is as it should be, and returns it.
pub async fn application(
    api: &Api,
    name: &str,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = None;
    let found = eventually(Duration::from_mins(2), async || {
        last = api.get("Application", NAMESPACE, name).await;
        last.clone().filter(&is_so)
    });
    found.await.unwrap_or_else(|| {
        let status = last.map_or(json!("it does not exist"), |mut it| it["status"].take());
        panic!("waited in vain for Application {name} {what}: {status:#}")
    })
}

/// Whether an Application is at this commit, with this sync status and health.
pub fn stands(application: &Value, commit: &str, sync: &str, health: &str) -> bool {
    let status = &application["status"];
    status["sync"]["revision"] == commit
        && status["sync"]["status"] == sync
        && status["health"]["status"] == health
}

/// Health of an object of an Application, and why.
pub fn health(application: &Value, kind: &str, name: &str) -> (String, String) {
    let resources = application["status"]["resources"].as_array();
    let found =
        resources.and_then(|all| all.iter().find(|it| it["kind"] == kind && it["name"] == name));
    let text = |field: &str| {
        let value = found.and_then(|it| it["health"][field].as_str());
        value.unwrap_or_default().to_owned()
    };
    (text("status"), text("message"))
}
