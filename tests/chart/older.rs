//! An API server that says to be older: the real one, but for its answer to `/version`.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use kube::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves for as long as the runtime lives; returns a kubeconfig for it.
pub async fn server(version: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/version", get(async move || version.to_string()))
        .fallback(forward)
        .with_state(crate::cluster::client().await);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let named = |key: &str, value: Value| json!([{"name": "older", key: value}]);
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "older",
        "clusters": named("cluster", json!({"server": format!("http://{address}")})),
        "users": named("user", json!({})),
        "contexts": named("context", json!({"cluster": "older", "user": "older"}))});
    let path = std::env::temp_dir().join(format!("polder-older-{}", address.port()));
    crate::process::write_secret(&path, &kubeconfig.to_string());
    path.display().to_string()
}

async fn forward(State(client): State<Client>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    match client.send(Request::from_parts(parts, body.into())).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
