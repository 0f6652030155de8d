//! Names of one domain, as its children need them.

use crate::{
    api::{
        Domain, DomainSpec,
        domain::{DeletionPolicy, Isolation, Role, SharedVolume},
        secrets::DomainSecret,
    },
    build::{
        labels::{self, Identity, Map},
        names,
        spark::runtime::shared_claim,
        types,
    },
    engine::{Kind, ObjectKey, Ownership, Record},
};

use super::DomainKind;

/// Role of the policy that closes the namespace.
pub const ISOLATION: &str = "isolation";
/// Role of the policy that opens the way to the API server.
pub const API_SERVER: &str = "apiserver";
/// Role of drivers, in the names of their binding and ClusterRole.
pub const SPARK_DRIVER: &str = "spark-driver";

/// A domain and its names.
#[derive(Debug)]
pub struct Scope<'a> {
    /// Name of the Domain.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: String,
    /// What it is to be.
    pub spec: &'a DomainSpec,
    /// Labels with its team and cost centre.
    pub owner: Map,
}

impl<'a> Scope<'a> {
    /// The names of a domain.
    pub fn of(domain: &'a Domain) -> Self {
        Self {
            name: domain.metadata.name.as_deref().unwrap_or_default(),
            namespace: domain.namespace_name(),
            spec: &domain.spec,
            owner: labels::ownership(domain.spec.owner.as_ref()),
        }
    }

    /// Who the children belong to.
    pub fn identity(&self) -> Identity<'_> {
        Identity {
            app: DomainKind::NAME,
            instance: self.name,
            domain: self.name,
            namespace: &self.namespace,
            owner: &self.owner,
        }
    }

    /// `<domain>-<role>`
    pub fn child(&self, role: &str) -> String {
        names::child(self.name, role, names::LABEL_LIMIT)
    }

    /// The namespace.
    pub fn namespace_key(&self) -> ObjectKey {
        ObjectKey::cluster(types::NAMESPACE, &self.namespace)
    }

    /// The claim of a shared volume.
    pub fn claim_key(&self, volume: &SharedVolume) -> ObjectKey {
        let name = shared_claim(self.name, &volume.name);
        ObjectKey::namespaced(types::CLAIM, &self.namespace, name)
    }

    /// What brings a secret of the domain.
    pub fn secret_key(&self, secret: &DomainSecret) -> ObjectKey {
        let resource = match secret.vault {
            None => types::EXTERNAL_SECRET,
            Some(_) => types::SECRET_PROVIDER_CLASS,
        };
        ObjectKey::namespaced(resource, &self.namespace, &secret.name)
    }

    /// The binding of members with a role.
    pub fn member_key(&self, role: Role) -> ObjectKey {
        self.binding_key(role_name(role))
    }

    /// The binding of something to a role.
    pub fn binding_key(&self, role: &str) -> ObjectKey {
        ObjectKey::namespaced(types::ROLE_BINDING, &self.namespace, format!("polder-{role}"))
    }

    /// The bindings that let members and drivers in.
    pub fn access_keys(&self) -> Vec<ObjectKey> {
        let members = self.spec.members.iter().map(|member| self.member_key(member.role));
        members.chain([self.binding_key(SPARK_DRIVER)]).collect()
    }

    /// The network policies; none if the domain is not to be isolated.
    pub fn policy_keys(&self) -> Vec<ObjectKey> {
        let roles = match self.isolation() {
            Isolation::Strict => [ISOLATION, API_SERVER].as_slice(),
            Isolation::None => &[],
        };
        let key = |role: &&str| {
            ObjectKey::namespaced(types::NETWORK_POLICY, &self.namespace, self.child(role))
        };
        roles.iter().map(key).collect()
    }

    /// Kept when the Domain goes, and taken up again by a Domain of the same name.
    pub fn retained(&self) -> Ownership {
        Ownership::Retained { consent: (labels::DOMAIN.to_owned(), self.name.to_owned()) }
    }

    /// Whether an object carries the label of this domain.
    pub fn is_ours(&self, record: &Record) -> bool {
        claimant(record) == Some(self.name)
    }

    /// How closed the namespace is.
    pub fn isolation(&self) -> Isolation {
        self.spec.network.as_ref().and_then(|network| network.isolation).unwrap_or_default()
    }

    /// What deleting the Domain does.
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.spec.deletion_policy.unwrap_or_default()
    }
}

/// The domain whose label an object carries.
pub fn claimant(record: &Record) -> Option<&str> {
    record.labels.get(labels::DOMAIN).map(String::as_str)
}

/// All roles that members can have.
pub const ROLES: [Role; 4] = [Role::Admin, Role::Engineer, Role::Analyst, Role::Auditor];

/// A role in lower case, as names of bindings and ClusterRoles have it.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Engineer => "engineer",
        Role::Analyst => "analyst",
        Role::Auditor => "auditor",
    }
}
