//! What a cluster holds of the domains that manifests are about.

use http::Request;
use kube::Client;
use serde_json::{Value, json};

use super::Error;
use crate::{
    api::API_VERSION,
    engine::ResourceType,
    operator::{OPTIONAL_WATCHES, WATCHES},
};

/// Objects of a cluster.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Roots.
    pub(super) roots: Vec<Value>,
    /// What roots look at, and their children.
    pub(super) objects: Vec<Value>,
    /// Types that could not be read, and why.
    pub(super) unread: Vec<String>,
}

impl Live {
    /// Reads these namespaces, and the Domains they belong to.
    pub(super) async fn read(client: &Client, namespaces: &[String]) -> Result<Self, Error> {
        let mut live = Self::default();
        let domains = list(client, &format!("/apis/{API_VERSION}/domains"), "").await?;
        let is_here = |domain: &Value| namespaces.contains(&namespace_of(domain));
        live.roots.extend(
            domains.into_iter().map(|it| of_type(it, API_VERSION, "Domain")).filter(is_here),
        );
        for namespace in namespaces {
            live.namespace(client, namespace).await?;
        }
        Ok(live)
    }

    async fn namespace(&mut self, client: &Client, namespace: &str) -> Result<(), Error> {
        match get(client, &format!("/api/v1/namespaces/{namespace}")).await {
            Ok(object) => self.objects.push(of_type(object, "v1", "Namespace")),
            Err(error) => return if is(&error, 404) { Ok(()) } else { Err(error.into()) },
        }
        for (kind, plural) in [
            ("SparkCluster", "sparkclusters"),
            ("SqlEndpoint", "sqlendpoints"),
            ("BatchJob", "batchjobs"),
        ] {
            let path = format!("/apis/{API_VERSION}/namespaces/{namespace}/{plural}");
            let roots = list(client, &path, "").await?;
            self.roots.extend(roots.into_iter().map(|it| of_type(it, API_VERSION, kind)));
        }
        for watch in WATCHES.iter().chain(OPTIONAL_WATCHES).filter(|it| it.resource.namespaced) {
            let path = collection(&watch.resource, namespace);
            let (version, kind) = (watch.resource.api_version(), watch.resource.kind);
            match list(client, &path, watch.selector.unwrap_or_default()).await {
                Ok(items) => {
                    self.objects.extend(items.into_iter().map(|it| of_type(it, &version, kind)));
                }
                // Types of others may not be there.
                Err(error) if is(&error, 404) => {}
                Err(error) if is(&error, 403) => self.unread.push(format!("{kind} in {namespace}")),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn collection(resource: &ResourceType, namespace: &str) -> String {
    let root = if resource.group.is_empty() {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{}", resource.api_version())
    };
    format!("{root}/namespaces/{namespace}/{}", resource.plural)
}

/// Items of lists do not say what they are.
fn of_type(mut object: Value, api_version: &str, kind: &str) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.insert("apiVersion".to_owned(), json!(api_version));
        fields.insert("kind".to_owned(), json!(kind));
    }
    object
}

/// The namespace of a Domain.
pub(super) fn namespace_of(domain: &Value) -> String {
    let text = |pointer: &str| domain.pointer(pointer).and_then(Value::as_str);
    text("/spec/namespace/name").or_else(|| text("/metadata/name")).unwrap_or_default().to_owned()
}

fn is(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

async fn get(client: &Client, path: &str) -> Result<Value, kube::Error> {
    let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    client.request(request).await
}

/// All items, page by page.
async fn list(client: &Client, path: &str, selector: &str) -> Result<Vec<Value>, kube::Error> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let query = format!(
            "{path}?limit=500&labelSelector={}&continue={next}",
            selector.replace('=', "%3D").replace('/', "%2F")
        );
        let mut page = get(client, &query).await?;
        if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
            items.extend(found);
        }
        match page.pointer("/metadata/continue").and_then(Value::as_str) {
            Some(token) if !token.is_empty() => token.clone_into(&mut next),
            _ => return Ok(items),
        }
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            error if is(&error, 404) => Self::NoKinds,
            error if is(&error, 403) => Self::Forbidden(error.to_string()),
            error => Self::Request(Box::new(error)),
        }
    }
}
