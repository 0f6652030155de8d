//! `polder access`: who can do what in a domain. Reads RBAC with the rights of whoever asks.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef,
};
use kube::{Api, Client, ResourceExt, api::ListParams};

use super::{
    cluster::{Cluster, Connection, OneDomain, waiting},
    error::{Error, chain, one_line},
    show::{Output, note},
};
use crate::{
    access::{Binding, Report},
    build::labels,
};

/// Which domain, and how the answer looks.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    domain: OneDomain,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// Shows, and ends with 1 if something could not be read.
pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.connection.connect().await?;
    let report = waiting("reading roles and bindings", report(cluster, &arguments.domain)).await?;
    arguments.output.print(&report, |_| report.table())?;
    match report.unread.len() {
        0 => Ok(ExitCode::SUCCESS),
        unread => {
            note(&format!(
                "polder: the answer is not complete: {unread} of its sources could not be read (see NOT READ, or `unread`)"
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn report(cluster: Cluster, domain: &OneDomain) -> Result<Report, Error> {
    let found = domain.find(&cluster).await?;
    let domain = domain.name();
    let namespace = found.status_text("/namespace").unwrap_or(domain).to_owned();
    let mut reader = Reader { client: cluster.client, roles: BTreeMap::new(), unread: Vec::new() };
    let mut bindings = reader.role_bindings(domain, &namespace).await;
    bindings.extend(reader.cluster_role_bindings().await);
    Ok(Report::new(domain, &namespace, bindings, reader.unread))
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
