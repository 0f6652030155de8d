//! Secrets that a Domain brings into its namespace from elsewhere.

use std::{borrow::Cow, collections::BTreeMap};

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::batch_job::Duration;

/// A secret that workloads of the domain use by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.external), has(self.vault)].filter(x, x).size() == 1")
        .message("set exactly one of external and vault")
)]
pub struct DomainSecret {
    /// Its name: workloads give it where they name a Secret.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// A Secret of this name, kept up to date by the External Secrets Operator.
    /// Source: <https://external-secrets.io>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalSource>,
    /// Files from HashiCorp Vault, brought into pods by the Secrets Store CSI driver. There is no
    /// Secret of that name: pods mount it, and nothing else can use it.
    /// Source: <https://secrets-store-csi-driver.sigs.k8s.io>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultSource>,
}

/// Where the External Secrets Operator takes a Secret from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSource {
    /// The store to ask.
    pub store: StoreRef,
    /// Keys of the Secret, each with where its value is: `path/in/the/store`, or
    /// `path/in/the/store#property`.
    pub keys: RemoteKeys,
    /// How often the store is asked again, such as `15m`. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Duration>,
}

/// A store of the External Secrets Operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreRef {
    /// Default: ClusterSecretStore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<StoreKind>,
    /// Its name.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

/// Kinds of stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StoreKind {
    /// One for the whole cluster.
    #[default]
    ClusterSecretStore,
    /// One of the domain's namespace.
    SecretStore,
}

/// Where the Secrets Store CSI driver takes files from.
/// Source: <https://developer.hashicorp.com/vault/docs/platform/k8s/csi/configurations>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultSource {
    /// Address of Vault, such as `https://vault.example.com:8200`. Default: that of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https?://[^\s/@]+(/[^\s@]*)?$"))]
    pub address: Option<String>,
    /// Vault's role to log in with. It has to be bound to the service accounts `spark` and
    /// `spark-driver` of the domain's namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub role: String,
    /// Where Vault's Kubernetes authentication is mounted. Default: that of the provider,
    /// `kubernetes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._/-]+$"))]
    pub auth_path: Option<String>,
    /// Vault's namespace. Default: that of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._/-]+$"))]
    pub vault_namespace: Option<String>,
    /// Audience of the token that pods show to Vault. Default: that of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[^\s]+$"))]
    pub audience: Option<String>,
    /// Files, each with where its content is: `secret/data/pg#password`.
    pub keys: RemoteKeys,
}

/// Keys of a secret, each with where its value is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteKeys(pub BTreeMap<String, String>);

impl RemoteKeys {
    /// Key, path in the store, and property there.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
        self.0.iter().map(|(key, remote)| match remote.split_once('#') {
            Some((path, property)) => (key.as_str(), path, Some(property)),
            None => (key.as_str(), remote.as_str(), None),
        })
    }
}

impl JsonSchema for RemoteKeys {
    fn schema_name() -> Cow<'static, str> {
        "RemoteKeys".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Source: <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data>
        let is_key = "k.matches('^[A-Za-z0-9._-]{1,253}$') && !k.startsWith('..') && k != '.'";
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": 64,
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "maxLength": 1024,
                "pattern": r"^[^#\s\x00-\x1f\x7f]+(#[^#\s\x00-\x1f\x7f]+)?$",
            },
            "x-kubernetes-validations": [{
                "rule": format!("self.all(k, {is_key})"),
                "message": "keys hold letters, digits, dots, dashes and underscores",
            }],
        })
    }
}
