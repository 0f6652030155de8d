//! The floor: the children of Domains written raw, by a loop with the same client and as many
//! writes at once as the operator has, which watches and checks nothing.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use http::Request;
use kube::Client;
use serde_json::{Value, json};

use crate::{
    error::Result,
    load::{IN_FLIGHT, send},
};

/// Types that a Domain has children of, with the URL of their version.
const TYPES: [(&str, &str); 8] = [
    ("/api/v1", "resourcequotas"),
    ("/api/v1", "limitranges"),
    ("/apis/networking.k8s.io/v1", "networkpolicies"),
    ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    ("/api/v1", "serviceaccounts"),
    ("/api/v1", "configmaps"),
    ("/api/v1", "persistentvolumeclaims"),
    ("/api/v1", "services"),
];
/// Marks of ours: left on, the operator would take the floor's objects for its own.
const MARKS: [(&str, &str); 3] = [
    ("polder.dev/", "floors.dev/"),
    ("\"app.kubernetes.io/managed-by\":\"polder\"", "\"app.kubernetes.io/managed-by\":\"floors\""),
    ("\"app.kubernetes.io/part-of\":\"polder\"", "\"app.kubernetes.io/part-of\":\"floors\""),
];

/// The children of one Domain, as the operator made them.
pub struct Floor {
    client: Client,
    /// Name of that Domain.
    name: String,
    /// URL of the collection, name, and body as text; the namespace first.
    children: Vec<Child>,
}

struct Child {
    collection: String,
    name: String,
    body: String,
    owners: Option<Value>,
}

impl Floor {
    /// Reads the children of a Domain whose namespace has its name.
    pub async fn of(client: Client, domain: &str) -> Result<Self> {
        let namespace = send(&client, "GET", &format!("/api/v1/namespaces/{domain}"), None).await?;
        let mut children = vec![child("/api/v1/namespaces", "v1", "Namespace", namespace)?];
        for (api, plural) in TYPES {
            let collection = format!("{api}/namespaces/{domain}/{plural}");
            let selector = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dpolder";
            let list = send(&client, "GET", &format!("{collection}?{selector}"), None).await?;
            let version = list["apiVersion"].as_str().unwrap_or_default().to_owned();
            let kind =
                list["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
            for item in list["items"].as_array().cloned().unwrap_or_default() {
                children.push(child(&collection, &version, &kind, item)?);
            }
        }
        Ok(Self { client, name: domain.to_owned(), children })
    }

    /// How many objects each Domain has.
    pub fn children(&self) -> usize {
        self.children.len()
    }

    /// Writes the children of as many Domains as there are names; how long that took.
    pub async fn write(&self, names: &[String]) -> Result<Duration> {
        let started = Instant::now();
        let mut running =
            stream::iter(names.iter().map(|name| self.write_one(name))).buffer_unordered(IN_FLIGHT);
        while let Some(result) = running.next().await {
            result?;
        }
        Ok(started.elapsed())
    }

    async fn write_one(&self, name: &str) -> Result<()> {
        for child in &self.children {
            let mut body: Value = serde_json::from_str(&child.body.replace(&self.name, name))?;
            if let Some(owners) = &child.owners {
                body["metadata"]["ownerReferences"] = owners.clone();
            }
            let url = format!(
                "{}/{}?fieldManager=floor&force=true",
                child.collection.replace(&self.name, name),
                child.name.replace(&self.name, name)
            );
            let request = Request::builder()
                .method("PATCH")
                .uri(url)
                .header("Content-Type", "application/apply-patch+yaml")
                .header("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
                .body(body.to_string().into_bytes())?;
            self.client.request_text(request).await.map_err(|error| {
                format!("the floor's {} {}: {error}", child.collection, child.name)
            })?;
        }
        Ok(())
    }
}

/// What to send for an object that is to be like this one.
fn child(collection: &str, version: &str, kind: &str, mut object: Value) -> Result<Child> {
    let metadata = object["metadata"].take();
    let name = metadata["name"].as_str().ok_or("an object without a name")?.to_owned();
    let mut kept = json!({"name": name, "labels": metadata["labels"]});
    for field in ["namespace", "annotations"] {
        if !metadata[field].is_null() {
            kept[field] = metadata[field].clone();
        }
    }
    object["metadata"] = kept;
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        // Put in by the API server.
        if kind == "Namespace" {
            fields.remove("spec");
        }
    }
    let mut body = object.to_string();
    for (ours, theirs) in MARKS {
        body = body.replace(ours, theirs);
    }
    // They stay the warm-up Domain's: a name that does not fit its uid is collected.
    let owners =
        (!metadata["ownerReferences"].is_null()).then(|| metadata["ownerReferences"].clone());
    Ok(Child { collection: collection.to_owned(), name, body, owners })
}
