//! What a Domain depends on, gathered from the stores.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    api::{Domain, domain::SharedVolume},
    build::{spark::SparkImages, types},
    engine::{ObjectKey, Record, Served, View},
    kinds::common::policy::{DriverSecrets, Policy, driver_secrets},
};

use super::{
    OperatorIdentity, blocked,
    children::gitops,
    quotas,
    scope::{ROLES, Scope, claimant},
    workloads::{self, Roots, Workloads},
};

/// What a Domain depends on.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// Its namespace, if there is one of that name, whoever made it.
    pub namespace: Option<Arc<Record>>,
    /// Another Domain that has the namespace.
    pub rival: Option<String>,
    /// Its ResourceQuotas that exist, by name.
    pub quotas: BTreeMap<String, Arc<Record>>,
    /// Claims of its shared volumes that exist, by claim name.
    pub claims: BTreeMap<String, Arc<Record>>,
    /// Whether the cluster has the External Secrets Operator. Looked at only if it is needed.
    pub external_secrets: Served,
    /// Whether the cluster has the Secrets Store CSI driver. Looked at only if it is needed.
    pub secrets_store: Served,
    /// What brings the domain's secrets, as far as it exists, by name of the secret.
    pub secrets: BTreeMap<String, Arc<Record>>,
    /// Whether the cluster has Argo CD. Looked at only if it is needed.
    pub argocd: Served,
    /// What Argo CD syncs into the domain, if it exists, whoever made it.
    pub application: Option<Arc<Record>>,
    /// Whether the cluster has the Prometheus Operator. Looked at only if it is needed.
    pub prometheus_operator: Served,
    /// Network policies and bindings of the plan that exist.
    pub present: BTreeSet<ObjectKey>,
    /// Workloads by kind and state.
    pub workloads: Workloads,
    /// What workloads say of Secrets that are not there, as (whose, message).
    pub missing_secrets: Vec<(String, String)>,
    /// What its workloads may use.
    pub policy: Policy,
    /// Secrets that its workloads' executors may use.
    pub driver_secrets: DriverSecrets,
    /// What still runs, or could start something, in words such as `Pod etl-worker-0`. Looked at
    /// only while the domain is suspended or being deleted.
    pub running: Vec<String>,
    /// Pods and volumes that are going and are held by others, in words. Looked at only while the
    /// domain or its namespace is going, or is suspended.
    pub held: Vec<String>,
    /// Volume claims of the namespace. Looked at only while the Domain is being deleted.
    pub kept: Vec<String>,
    /// Bindings of members that exist. Looked at only while the Domain is being deleted.
    pub access: Vec<ObjectKey>,
}

impl Resolved {
    /// A quota, if it exists.
    pub fn quota(&self, key: &ObjectKey) -> Option<&Record> {
        self.quotas.get(&key.name).map(Arc::as_ref)
    }

    /// What Argo CD syncs into the domain, if this Domain made it.
    pub fn own_application(&self, domain: &Domain) -> Option<&Record> {
        let uid = domain.metadata.uid.as_deref();
        self.application.as_deref().filter(|record| record.controller.as_deref() == uid)
    }

    /// The claim of a shared volume, if it exists.
    pub fn claim(&self, scope: &Scope<'_>, volume: &SharedVolume) -> Option<&Record> {
        self.claims.get(&scope.claim_key(volume).name).map(Arc::as_ref)
    }
}

/// Gathers what a Domain depends on.
pub fn resolve(
    domain: &Domain,
    view: &View<'_>,
    images: &SparkImages,
    operator: &OperatorIdentity,
) -> Resolved {
    let scope = Scope::of(domain);
    let namespace = view.object(&scope.namespace_key());
    let rival = namespace
        .as_deref()
        .and_then(claimant)
        .filter(|claimant| *claimant != scope.name)
        .and_then(|claimant| view.root::<Domain>(None, claimant))
        .filter(|other| other.namespace_name() == scope.namespace)
        .and_then(|other| other.metadata.name.clone());
    let is_deleting = domain.metadata.deletion_timestamp.is_some();
    let is_ours = namespace.as_deref().is_some_and(|record| scope.is_ours(record));

    let claims = scope
        .spec
        .volumes
        .iter()
        .map(|volume| scope.claim_key(volume))
        .filter_map(|key| view.object(&key).map(|record| (key.name, record)))
        .collect();
    let is_going = is_deleting || namespace.as_ref().is_some_and(|record| record.deleting);
    let served = |is_needed: bool, resource| {
        if is_needed { view.served(resource) } else { Served::default() }
    };
    let is_from_git = scope.spec.gitops.is_some();
    let argocd =
        [types::APPLICATION, types::APP_PROJECT].map(|resource| served(is_from_git, resource));
    let secrets = &scope.spec.secrets;
    let external = secrets.iter().any(|secret| secret.external.is_some());
    let vault = secrets.iter().any(|secret| secret.vault.is_some());
    let roots = if is_ours { Roots::of(view, &scope.namespace) } else { Roots::default() };
    Resolved {
        external_secrets: served(external, types::EXTERNAL_SECRET),
        secrets_store: served(vault, types::SECRET_PROVIDER_CLASS),
        prometheus_operator: served(domain.spec.is_monitored(), types::POD_MONITOR),
        argocd: argocd.into_iter().find(|it| *it != Served::Yes).unwrap_or_default(),
        application: is_from_git
            .then(|| view.object(&gitops::application_key(&scope, operator)))
            .flatten(),
        secrets: secrets
            .iter()
            .filter_map(|secret| {
                Some((secret.name.clone(), view.object(&scope.secret_key(secret))?))
            })
            .collect(),
        namespace,
        rival,
        quotas: quotas::wanted(&scope)
            .into_iter()
            .filter_map(|quota| Some((quota.key.name.clone(), view.object(&quota.key)?)))
            .collect(),
        claims,
        present: scope
            .policy_keys()
            .into_iter()
            .chain(scope.access_keys())
            .filter(|key| view.object(key).is_some_and(|record| !record.deleting))
            .collect(),
        workloads: roots.count(),
        missing_secrets: roots.missing_secrets(),
        policy: Policy::of(domain, images),
        driver_secrets: driver_secrets(
            roots.batch_jobs.iter().map(Arc::as_ref),
            roots.sql_endpoints.iter().map(Arc::as_ref),
        ),
        running: if is_ours && (is_deleting || scope.spec.suspend) {
            running(&scope, view)
        } else {
            Vec::new()
        },
        held: if is_ours && (is_going || scope.spec.suspend) {
            held(&scope, view)
        } else {
            Vec::new()
        },
        kept: if is_ours && is_deleting { kept(&scope, view) } else { Vec::new() },
        access: if is_ours && is_deleting { access(&scope, view) } else { Vec::new() },
    }
}

/// Pods that have not ended, and objects that could start some, in the domain.
fn running(scope: &Scope<'_>, view: &View<'_>) -> Vec<String> {
    [types::POD, types::JOB, types::CRON_JOB, types::STATEFUL_SET]
        .into_iter()
        .flat_map(|resource| view.all_in(resource, &scope.namespace))
        .filter(|record| scope.is_ours(record) && workloads::is_active(record))
        .map(|record| format!("{} {}", record.key.resource.kind, record.key.name))
        .collect()
}

fn held(scope: &Scope<'_>, view: &View<'_>) -> Vec<String> {
    [types::POD, types::CLAIM]
        .into_iter()
        .flat_map(|resource| view.all_in(resource, &scope.namespace))
        .filter_map(|record| blocked::held(&record))
        .collect()
}

fn kept(scope: &Scope<'_>, view: &View<'_>) -> Vec<String> {
    let claims = view.all_in(types::CLAIM, &scope.namespace);
    claims.iter().filter(|it| !it.deleting).map(|it| it.key.name.clone()).collect()
}

fn access(scope: &Scope<'_>, view: &View<'_>) -> Vec<ObjectKey> {
    ROLES
        .into_iter()
        .map(|role| scope.member_key(role))
        .filter(|key| view.object(key).is_some_and(|record| scope.is_ours(&record)))
        .collect()
}
