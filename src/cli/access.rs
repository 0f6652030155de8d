//! `polder access`: who can do what in a domain. Reads RBAC with the rights of whoever asks.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use clap::{Args, ValueEnum};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef,
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::operator;
use crate::{
    access::{Binding, Report},
    api::Domain,
    build::labels,
    engine::client,
};

/// Which domain, and how the answer looks.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Name of the Domain.
    domain: String,
    /// How the answer looks.
    #[arg(short, long, default_value = "table")]
    output: Output,
    /// Context of the kubeconfig. Default: its current one.
    #[arg(long)]
    context: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
    Yaml,
}

/// Why there is no answer, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Threads or a client are not to be had.
    #[error(transparent)]
    Start(#[from] operator::Error),
    /// No cluster is known.
    #[error("no cluster is known: {0}; set KUBECONFIG, or give --context")]
    Kubeconfig(String),
    /// There is no such Domain.
    #[error("there is no Domain {0}; `kubectl get domains` lists them")]
    NotFound(String),
    /// Not for whoever asks.
    #[error("{0}")]
    Forbidden(String),
    /// The API server is not there, or does not serve Domains.
    #[error("cannot ask the API server: {0}")]
    Request(String),
    /// The answer was printed, and is not whole.
    #[error(
        "the answer is not complete: {0} of its sources could not be read (see NOT READ, or `unread`)"
    )]
    Incomplete(usize),
    /// The output cannot be written.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    /// It does not serialise: a bug.
    #[error("cannot print: {0}")]
    Json(#[from] serde_json::Error),
    /// It does not serialise: a bug.
    #[error("cannot print: {0}")]
    Yaml(#[from] serde_yaml::Error),
}

pub(super) fn execute(arguments: &Arguments) -> Result<(), Error> {
    let report = operator::threads()?.block_on(report(arguments))?;
    let text = match arguments.output {
        Output::Table => report.table(),
        Output::Json => serde_json::to_string_pretty(&report)? + "\n",
        Output::Yaml => serde_yaml::to_string(&report)?,
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    match report.unread.len() {
        0 => Ok(()),
        unread => Err(Error::Incomplete(unread)),
    }
}

async fn report(arguments: &Arguments) -> Result<Report, Error> {
    let client = client(config(arguments).await?).map_err(operator::Error::from)?;
    let domains: Api<Domain> = Api::all(client.clone());
    let domain = match domains.get(&arguments.domain).await {
        Ok(domain) => domain,
        Err(error) => return Err(refused(error, &arguments.domain)),
    };
    let namespace = domain.namespace_name();
    let mut reader = Reader { client, roles: BTreeMap::new(), unread: Vec::new() };
    let mut bindings = reader.role_bindings(&arguments.domain, &namespace).await;
    bindings.extend(reader.cluster_role_bindings().await);
    Ok(Report::new(&arguments.domain, &namespace, bindings, reader.unread))
}

async fn config(arguments: &Arguments) -> Result<Config, Error> {
    let failed = |error: String| Error::Kubeconfig(one_line(&error));
    if let Some(context) = &arguments.context {
        let kubeconfig = Kubeconfig::read().map_err(|error| failed(error.to_string()))?;
        let options =
            KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        return config.map_err(|error| failed(error.to_string()));
    }
    Config::infer().await.map_err(|error| failed(error.to_string()))
}

fn refused(error: kube::Error, domain: &str) -> Error {
    match error {
        // A server that has no Domains says "page not found", one that has them names the object.
        kube::Error::Api(status) if status.code == 404 && status.message.contains(domain) => {
            Error::NotFound(domain.to_owned())
        }
        kube::Error::Api(status) if status.code == 404 => {
            Error::Request("it knows no Domains: Polder is not installed there".to_owned())
        }
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
            Error::Forbidden(one_line(&status.message))
        }
        kube::Error::Api(status) => Error::Request(one_line(&status.message)),
        other => Error::Request(chain(&other)),
    }
}

/// An error and what it comes from, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads RBAC objects, and notes what it may not read.
struct Reader {
    client: Client,
    roles: BTreeMap<String, Option<Vec<PolicyRule>>>,
    unread: Vec<String>,
}

impl Reader {
    async fn role_bindings(&mut self, domain: &str, namespace: &str) -> Vec<Binding> {
        let api: Api<RoleBinding> = Api::namespaced(self.client.clone(), namespace);
        let what = format!("RoleBindings of namespace {namespace}");
        let Some(found) = self.note(&what, api.list(&ListParams::default()).await) else {
            return Vec::new();
        };
        let mut bindings = Vec::new();
        for binding in found {
            let labels = binding.labels();
            let is_ours = labels.get(labels::MANAGED_BY).is_some_and(|it| it == labels::POLDER)
                && labels.get(labels::DOMAIN).is_some_and(|it| it == domain);
            bindings.push(Binding {
                name: format!("RoleBinding {namespace}/{}", binding.name_any()),
                is_ours,
                namespace: namespace.to_owned(),
                rules: self.rules(&binding.role_ref, namespace).await,
                role: binding.role_ref,
                subjects: binding.subjects.unwrap_or_default(),
            });
        }
        bindings
    }

    async fn cluster_role_bindings(&mut self) -> Vec<Binding> {
        let api: Api<ClusterRoleBinding> = Api::all(self.client.clone());
        let Some(found) = self.note("ClusterRoleBindings", api.list(&ListParams::default()).await)
        else {
            return Vec::new();
        };
        let mut bindings = Vec::new();
        for binding in found {
            bindings.push(Binding {
                name: format!("ClusterRoleBinding {}", binding.name_any()),
                is_ours: false,
                namespace: String::new(),
                rules: self.rules(&binding.role_ref, "").await,
                role: binding.role_ref,
                subjects: binding.subjects.unwrap_or_default(),
            });
        }
        bindings
    }

    /// Rules of a role, asked for once. A role that does not exist has none.
    async fn rules(&mut self, role: &RoleRef, namespace: &str) -> Option<Vec<PolicyRule>> {
        let what = format!("{} {}", role.kind, role.name);
        if let Some(known) = self.roles.get(&what) {
            return known.clone();
        }
        let answer = if role.kind == "Role" {
            let api: Api<Role> = Api::namespaced(self.client.clone(), namespace);
            api.get_opt(&role.name).await.map(|found| found.and_then(|role| role.rules))
        } else {
            let api: Api<ClusterRole> = Api::all(self.client.clone());
            api.get_opt(&role.name).await.map(|found| found.and_then(|role| role.rules))
        };
        let rules = self.note(&what, answer).map(Option::unwrap_or_default);
        self.roles.insert(what, rules.clone());
        rules
    }

    fn note<T>(&mut self, what: &str, answer: Result<T, kube::Error>) -> Option<T> {
        match answer {
            Ok(found) => Some(found),
            Err(kube::Error::Api(status)) => {
                self.unread.push(format!("{what}: {}", one_line(&status.message)));
                None
            }
            Err(error) => {
                self.unread.push(format!("{what}: {}", chain(&error)));
                None
            }
        }
    }
}
