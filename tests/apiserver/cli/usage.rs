//! `polder top` and the API of what pods use (metrics.k8s.io), served as metrics-server does.

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{Uri, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use polder::audit::tls::{Files, TlsListener};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{look::domain, polder};
use crate::{
    install::{NAMESPACE, installation, run},
    tenant::Tenant,
};

const API: &str = "v1beta1.metrics.k8s.io";

/// The API, for as long as this lives. No other test is to find one that is broken.
struct MetricsApi;

impl MetricsApi {
    fn register(port: u16) -> Self {
        let itself = Self;
        // An aggregated API stands behind a Service, and this one outside the cluster; domains may
        // not have such.
        let service = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "metrics", "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"}});
        let api = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": API},
            "spec": {"group": "metrics.k8s.io", "version": "v1beta1",
                "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
                "service": {"name": "metrics", "namespace": NAMESPACE, "port": port}}});
        for object in [service, api] {
            run("kubectl", &["apply", "-f", "-"], &object.to_string());
        }
        run(
            "kubectl",
            &["wait", "--for=condition=Available", "apiservice", API, "--timeout=2m"],
            "",
        );
        itself
    }
}

impl Drop for MetricsApi {
    fn drop(&mut self) {
        run("kubectl", &["delete", "apiservice", API, "--ignore-not-found"], "");
    }
}

/// What metrics-server says of a pod: its labels, and usage in nanocores and KiB.
/// Source: <https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go>
fn measured(pod: &Value) -> Value {
    let meta = &pod["metadata"];
    json!({
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "labels": meta["labels"],
            "creationTimestamp": "2026-01-01T00:00:00Z"},
        "timestamp": "2026-01-01T00:00:00Z", "window": "15.013s",
        "containers": [{"name": "main", "usage": {"cpu": "123456789n", "memory": "262144Ki"}}],
    })
}

fn answer(body: &Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], body.to_string())
}

async fn pods(State(pods): State<Arc<Vec<Value>>>, uri: Uri) -> impl IntoResponse {
    let asked = uri.query().unwrap_or_default();
    let is_asked = |pod: &&Value| {
        let domain = pod["metadata"]["labels"]["polder.dev/domain"].as_str().unwrap();
        asked.contains(&format!("polder.dev%2Fdomain%3D{domain}&")) || !asked.contains("%3D")
    };
    let items: Vec<Value> = pods.iter().filter(is_asked).map(measured).collect();
    answer(
        &json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {},
        "items": items}),
    )
}

/// Serves what pods use; ends when the task does.
async fn serve(folder: &Path, measured: Vec<Value>) -> (SocketAddr, JoinHandle<()>) {
    let file = |name: &str| folder.join(name);
    let (key, certificate) = (file("metrics.key"), file("metrics.crt"));
    let paths = ["-keyout", key.to_str().unwrap(), "-out", certificate.to_str().unwrap()];
    let made =
        ["-subj", "/CN=localhost", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    run("openssl", &[&["req", "-x509", "-nodes"], &paths[..], &made[..]].concat(), "");
    let config = Files { certificate, key, client_ca: None }.load().unwrap();
    let (_, config) = watch::channel(config);
    let tcp = TcpListener::bind("localhost:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let resources = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
        "resources": [{"name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": ["get", "list"]}]});
    let router = Router::new()
        .route("/apis/metrics.k8s.io/v1beta1", get(async move || answer(&resources)))
        .route("/apis/metrics.k8s.io/v1beta1/pods", get(pods))
        .with_state(Arc::new(measured));
    let server = axum::serve(TlsListener::new(tcp, config), router);
    (address, tokio::spawn(async move { server.await.unwrap() }))
}

// The server goes on while commands are waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn top_tells_what_pods_use_if_that_is_measured() {
    let tenant: Tenant = domain("cli-used").await;
    let top = |arguments: &[&str]| polder(&[&["top", "cli-used"], arguments].concat());
    let none = top(&[]);
    assert!(none.ended(0).contains("is not known: there is no metrics-server"), "{}", none.out);

    let pods = tenant.list("Pod", "").await;
    let running: Vec<Value> =
        pods.into_iter().filter(|pod| pod["status"]["phase"] == "Running").collect();
    let (address, server) = serve(&installation().await.folder, running).await;
    let api = MetricsApi::register(address.port());
    let line = top(&["-o", "json"]).json(0)[0].clone();
    let number = |name: &str| line[name].as_f64().unwrap();
    // Three pods with a container each, in thousandths of a core, rounded up.
    assert!((number("usedCores") - 0.372).abs() < 1e-6, "{line:#}");
    assert!((number("usedMemoryGib") - 0.75).abs() < 1e-6, "{line:#}");
    assert_eq!(line["pods"], 4, "also the one that no node takes: {line:#}");
    let table = top(&[]);
    let table = table.ended(0);
    assert!(table.contains("CPU USED") && table.contains("0.8 GiB"), "{table}");
    assert!(!table.contains("not known"), "{table}");
    let all = polder(&["top", "-o", "json"]).json(0);
    let of = |name: &str| all.as_array().unwrap().iter().find(|line| line["name"] == name).unwrap();
    assert_eq!(of("cli-used")["usedMemoryGib"], line["usedMemoryGib"], "{all:#}");

    // Gone, and the API server does not know it yet: first something takes its calls and says
    // nothing, then nothing does.
    server.abort();
    let _ = server.await;
    let mute = std::net::TcpListener::bind(address).unwrap();
    let silent = top(&[]);
    let says =
        "is not known: its API does not answer (nothing within 5 s); see `kubectl get apiservice";
    assert!(silent.ended(0).contains(says), "{}", silent.out);
    drop(mute);
    let silent = top(&[]);
    // The API server's own words, which are others once it knows.
    let says = silent.ended(0).lines().find(|line| line.contains("its API does not answer ("));
    assert!(says.is_some_and(|it| !it.contains("nothing within")), "{}", silent.out);
    assert!(!silent.out.contains("CPU USED"), "{}", silent.out);
    drop(api);
    tenant.end();
}
