//! The control plane under test: a client, plain requests, the CRDs.

use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;
use tokio::sync::OnceCell;

/// A client of the administrator. One for each test: its connections die with the test's runtime.
pub async fn client() -> Client {
    assert!(
        std::env::var_os("KUBECONFIG").is_some(),
        "KUBECONFIG is not set: run these tests through `dev/test apiserver`, or \
         `eval \"$(dev/cluster env NAME)\"` first"
    );
    // An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_default().await.expect("KUBECONFIG leads to a cluster")
}

/// A client that asks as somebody else. `more` are further headers of the impersonation.
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/>
#[allow(dead_code, reason = "not every test impersonates")]
pub async fn client_as(user: &str, groups: &[&str], more: &[(&str, &str)]) -> Client {
    client().await;
    let mut config = kube::Config::infer().await.expect("KUBECONFIG leads to a cluster");
    let mut add = |name: &str, value: &str| {
        config.headers.push((name.parse().unwrap(), value.parse().unwrap()));
    };
    add("impersonate-user", user);
    for group in groups {
        add("impersonate-group", group);
    }
    for (name, value) in more {
        add(name, value);
    }
    Client::try_from(config).unwrap()
}

/// What the API server answers: an object, or its refusal in words.
pub type Answer = Result<Value, String>;

/// Sends a request as it is; the body is JSON.
pub async fn request(client: &Client, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let content = match (method, body) {
        ("PATCH", Some(_)) if path.contains("fieldManager=") => "application/apply-patch+yaml",
        ("PATCH", _) => "application/merge-patch+json",
        _ => "application/json",
    };
    // To YAML, which apply is sent as, these are line breaks.
    let escaped = |text: String| text.replace('\u{85}', r"\u0085").replace('\u{2028}', r"\u2028");
    let body = body.map(|body| escaped(body.to_string())).unwrap_or_default().into_bytes();
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", content)
        .body(body)
        .unwrap();
    match client.request_text(request).await {
        Ok(text) => Ok(serde_json::from_str(&text).unwrap_or(Value::String(text))),
        Err(kube::Error::Api(status)) => Err(status.message),
        Err(error) => panic!("{method} {path}: {error}"),
    }
}

/// Applies the CRDs of this source tree, once for each process, and waits until they are served.
pub async fn install_crds(client: &Client) {
    static DONE: OnceCell<()> = OnceCell::const_new();
    DONE.get_or_init(|| async {
        for crd in polder::api::crds::all() {
            install_crd(client, &serde_json::to_value(&crd).unwrap()).await;
        }
    })
    .await;
}

/// Applies a CRD and waits until it is served.
pub async fn install_crd(client: &Client, crd: &Value) {
    let name = crd["metadata"]["name"].as_str().unwrap();
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    let apply = format!("{path}?fieldManager=polder-tests&force=true");
    let wanted = request(client, "PATCH", &apply, Some(crd))
        .await
        .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let established = eventually(Duration::from_secs(30), async || {
        let live = request(client, "GET", &path, None).await.ok()?;
        let conditions = live["status"]["conditions"].as_array()?;
        conditions
            .iter()
            .any(|it| it["type"] == "Established" && it["status"] == "True")
            .then_some(())
    });
    established.await.unwrap_or_else(|| panic!("{name} is not served: {wanted:#}"));
}

/// Asks again and again until there is an answer or the time is over.
pub async fn eventually<T>(
    patience: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = probe().await {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
