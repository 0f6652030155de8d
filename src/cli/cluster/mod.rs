//! The cluster that a command is about, and requests to it with the rights of whoever asks.

mod arguments;
mod busy;
mod children;
mod find;
mod names;
mod object;
mod progress;

use std::path::PathBuf;

use clap::Args;
use kube::{
    Api, Client, Config,
    api::{GetParams, ListParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{NamespaceResourceScope, ObjectList, Request},
};
use serde::de::DeserializeOwned;

pub(super) use arguments::{Any, AnyDomain, Endpoint, Job, Named, OneDomain, Workload};
pub(super) use children::{Child, Children, children, children_with_state, of_newest_run, pods};
pub(super) use object::{Object, RootKind, called};
pub(super) use progress::waiting;

use super::error::{Error, chain, one_line, root};
use crate::engine::{ResourceType, collection};

/// Objects of one answer: a list comes in pages of this many.
const PAGE: u32 = 500;

/// Which cluster.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Connection {
    /// Kubeconfig file. Default: those that KUBECONFIG names, else ~/.kube/config, else the account
    /// of the pod that this runs in.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME", add = names::contexts())]
    context: Option<String>,
}

/// Which cluster, and which namespace of it.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Scope {
    /// Namespace of the object, mostly named as its domain. Default: that of the context.
    #[arg(short, long, value_name = "NAME", add = names::namespaces())]
    namespace: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// A cluster, and the namespace that objects without one are in.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
    server: String,
}

impl Connection {
    pub(super) async fn connect(&self) -> Result<Cluster, Error> {
        let config = self.config().await?;
        let (namespace, server) =
            (config.default_namespace.clone(), config.cluster_url.to_string());
        let client = busy::patient(config).map_err(|error| Error::Credentials(chain(&error)))?;
        Ok(Cluster { client, namespace, server })
    }

    async fn config(&self) -> Result<Config, Error> {
        let failed = |error: &dyn std::error::Error| Error::Kubeconfig(chain(error));
        let kubeconfig = match (&self.kubeconfig, &self.context) {
            (None, None) => {
                let outside = std::env::var_os("KUBERNETES_SERVICE_HOST").is_none();
                let failed = |error: &dyn std::error::Error| match error.source() {
                    // Whoever is in no pod does not miss its account.
                    Some(of_kubeconfig) if outside => failed(of_kubeconfig),
                    _ => failed(error),
                };
                return Config::infer().await.map_err(|error| failed(&error));
            }
            (Some(file), _) => Kubeconfig::read_from(file),
            (None, Some(_)) => Kubeconfig::read(),
        };
        let kubeconfig = kubeconfig.map_err(|error| failed(&error))?;
        if let Some(wanted) = &self.context {
            let known: Vec<&str> = kubeconfig.contexts.iter().map(|it| it.name.as_str()).collect();
            if !known.contains(&wanted.as_str()) {
                let known = known.join(", ");
                return Err(Error::Usage(format!(
                    "there is no context {wanted} in the kubeconfig; there is {known}"
                )));
            }
        }
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| failed(&error))
    }
}

impl Scope {
    pub(super) async fn connect(&self) -> Result<Cluster, Error> {
        let cluster = self.connection.connect().await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| cluster.namespace.clone());
        Ok(Cluster { namespace, ..cluster })
    }
}

impl Cluster {
    /// An object; `None` if there is none.
    pub(super) async fn get<T: DeserializeOwned + Clone + std::fmt::Debug>(
        &self,
        resource: ResourceType,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<T>, Error> {
        let url = Request::new(collection(&resource, namespace));
        let request = url.get(name, &GetParams::default()).map_err(|error| build(&error))?;
        match self.client.request::<T>(request).await {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 && names(&status.message, name) => {
                Ok(None)
            }
            Err(error) => Err(self.refused(&error, resource)),
        }
    }

    /// All objects of a type, in one namespace or everywhere.
    pub(super) async fn list<T: DeserializeOwned + Clone>(
        &self,
        resource: ResourceType,
        namespace: Option<&str>,
        which: ListParams,
    ) -> Result<Vec<T>, Error> {
        self.pages(resource, namespace, which, Request::list).await
    }

    /// The same without spec and status.
    pub(super) async fn list_metadata<T: DeserializeOwned + Clone>(
        &self,
        resource: ResourceType,
        namespace: Option<&str>,
        which: ListParams,
    ) -> Result<Vec<T>, Error> {
        self.pages(resource, namespace, which, Request::list_metadata).await
    }

    async fn pages<T: DeserializeOwned + Clone>(
        &self,
        resource: ResourceType,
        namespace: Option<&str>,
        which: ListParams,
        build_request: impl Fn(
            &Request,
            &ListParams,
        ) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Vec<T>, Error> {
        let url = Request::new(collection(&resource, namespace));
        let mut page = ListParams { limit: Some(PAGE), ..which };
        let mut all = Vec::new();
        loop {
            let request = build_request(&url, &page).map_err(|error| build(&error))?;
            let answer: ObjectList<T> = self
                .client
                .request(request)
                .await
                .map_err(|error| self.refused(&error, resource))?;
            all.extend(answer.items);
            match answer.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(all),
            }
        }
    }

    /// Typed requests, for what plain ones cannot do.
    pub(super) fn api<T>(&self, namespace: &str) -> Api<T>
    where
        T: kube::Resource<Scope = NamespaceResourceScope>,
        T::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// An error of a request about objects of a type, in words.
    pub(super) fn refused(&self, error: &kube::Error, resource: ResourceType) -> Error {
        match error {
            kube::Error::Api(status) => match status.code {
                404 if resource.group == crate::api::GROUP => {
                    Error::NotInstalled(resource.plural.to_owned())
                }
                // It names an object that is not there.
                404 if !status.message.contains('"') => {
                    Error::NotServed(resource.plural.to_owned())
                }
                401 => Error::Unauthorized(one_line(&status.message)),
                403 => Error::Forbidden(one_line(&status.message)),
                _ => Error::Refused(one_line(&status.message)),
            },
            other => Error::Unreachable { server: self.server.clone(), why: root(other) },
        }
    }
}

/// A server that does not know a type says "page not found", one that does names the object.
fn names(message: &str, name: &str) -> bool {
    message.contains(&format!("\"{name}\""))
}

fn build(error: &kube::core::request::Error) -> Error {
    Error::Usage(chain(error))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use axum::{Router, http::StatusCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::build::types::CONFIG_MAP;

    /// A cluster that answers the first request with this code, and those after it with a list of one.
    async fn refuses_once(code: u16) -> Cluster {
        let asked = Arc::new(AtomicU32::new(0));
        let answer = async move || {
            let (code, answer) = match asked.fetch_add(1, Ordering::Relaxed) {
                0 => (code, json!({"kind": "Status", "code": code, "message": "no time"})),
                _ => (200, json!({"metadata": {}, "items": [{"metadata": {"name": "a"}}]})),
            };
            (StatusCode::from_u16(code).unwrap(), answer.to_string())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = busy::patient(Config::new(server.parse().unwrap())).unwrap();
        Cluster { client, namespace: "n".to_owned(), server }
    }

    #[tokio::test]
    async fn a_busy_api_server_is_asked_again_and_one_that_refuses_is_not() {
        let list = async |cluster: Cluster| {
            cluster.list::<Value>(CONFIG_MAP, None, ListParams::default()).await
        };
        assert_eq!(list(refuses_once(429).await).await.unwrap().len(), 1);
        let error = list(refuses_once(503).await).await.unwrap_err();
        assert!(error.to_string().contains("no time"), "{error}");
    }
}
