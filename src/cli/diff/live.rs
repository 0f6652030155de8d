//! What a cluster holds of the domains that manifests are about.

use kube::api::ListParams;
use serde_json::{Value, json};

use super::{
    super::{
        cluster::{Cluster, RootKind},
        error,
    },
    Error,
};
use crate::{
    build::types::NAMESPACE,
    engine::{ResourceType, Watch},
    operator::{OPTIONAL_WATCHES, WATCHES},
};

/// Objects of a cluster.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Roots.
    pub(super) roots: Vec<Value>,
    /// What roots look at, and their children.
    pub(super) objects: Vec<Value>,
    /// Types that could not be read, and where.
    pub(super) unread: Vec<String>,
}

impl Live {
    /// Reads these namespaces, and the Domains they belong to. Whoever may not read Domains, as members
    /// may not, has to give them: these are then taken for what is there.
    pub(super) async fn read(
        cluster: &Cluster,
        namespaces: &[String],
        wanted: &[Value],
    ) -> Result<Self, Error> {
        let mut live = Self::default();
        let domains = match list(cluster, RootKind::Domain.resource(), None, "").await {
            Ok(domains) => domains,
            Err(error::Error::Forbidden(_)) => live.given(namespaces, wanted)?,
            Err(error) => return Err(error.into()),
        };
        let is_here = |domain: &Value| namespaces.contains(&namespace_of(domain));
        live.roots.extend(domains.into_iter().filter(is_here));
        for namespace in namespaces {
            live.namespace(cluster, namespace).await?;
        }
        Ok(live)
    }

    /// The Domains of these namespaces, as they were given.
    fn given(&mut self, namespaces: &[String], wanted: &[Value]) -> Result<Vec<Value>, Error> {
        self.unread.push("Domains (those of the files are taken for what is there)".to_owned());
        let domains = wanted.iter().filter(|it| it.get("kind").is_some_and(|it| it == "Domain"));
        let domains: Vec<Value> = domains.cloned().collect();
        let lacks = |it: &&String| domains.iter().all(|domain| namespace_of(domain) != **it);
        match namespaces.iter().find(lacks) {
            Some(namespace) => Err(Error::NoDomain(namespace.clone())),
            None => Ok(domains),
        }
    }

    async fn namespace(&mut self, cluster: &Cluster, namespace: &str) -> Result<(), error::Error> {
        match cluster.get::<Value>(NAMESPACE, None, namespace).await? {
            Some(object) => self.objects.push(of_type(object, NAMESPACE)),
            None => return Ok(()),
        }
        for kind in RootKind::WORKLOADS {
            self.roots.extend(list(cluster, kind.resource(), Some(namespace), "").await?);
        }
        for Watch { resource, selector, .. } in WATCHES.iter().chain(OPTIONAL_WATCHES) {
            if !resource.namespaced {
                continue;
            }
            let selector = selector.unwrap_or_default();
            match list(cluster, *resource, Some(namespace), selector).await {
                Ok(items) => self.objects.extend(items),
                // Types of others may not be there.
                Err(error::Error::NotServed(_)) => {}
                Err(error::Error::Forbidden(_)) => {
                    self.unread.push(format!("{} in {namespace}", resource.kind));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

async fn list(
    cluster: &Cluster,
    resource: ResourceType,
    namespace: Option<&str>,
    selector: &str,
) -> Result<Vec<Value>, error::Error> {
    let which = ListParams::default().labels(selector);
    let items = cluster.list::<Value>(resource, namespace, which).await?;
    Ok(items.into_iter().map(|item| of_type(item, resource)).collect())
}

/// Items of lists do not say what they are.
fn of_type(mut object: Value, resource: ResourceType) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.insert("apiVersion".to_owned(), json!(resource.api_version()));
        fields.insert("kind".to_owned(), json!(resource.kind));
    }
    object
}

/// The namespace of a Domain.
fn namespace_of(domain: &Value) -> String {
    let text = |pointer: &str| domain.pointer(pointer).and_then(Value::as_str);
    text("/spec/namespace/name").or_else(|| text("/metadata/name")).unwrap_or_default().to_owned()
}
