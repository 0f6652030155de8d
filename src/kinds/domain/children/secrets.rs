//! What brings secrets from stores outside of the cluster: objects of the External Secrets Operator
//! and of the Secrets Store CSI driver. Their values never pass through here.

use serde_json::{Map, Value, json};

use crate::{
    api::{
        batch_job::Duration,
        secrets::{DomainSecret, ExternalSource, StoreKind, VaultSource},
    },
    build::types,
    engine::{Child, ResourceType, Served},
};

use super::super::{Resolved, plan::rank, scope::Scope};

/// Seconds between two looks at a store, where the Domain does not say.
const REFRESH_SECONDS: i64 = 3600;

/// The objects for all secrets whose kind the cluster has.
pub fn children(scope: &Scope<'_>, resolved: &Resolved) -> Vec<Child> {
    let object = |secret: &DomainSecret| {
        let (resource, served, spec) = match (&secret.external, &secret.vault) {
            (Some(external), _) => (
                types::EXTERNAL_SECRET,
                resolved.external_secrets,
                external_spec(&secret.name, external),
            ),
            (None, Some(vault)) => {
                (types::SECRET_PROVIDER_CLASS, resolved.secrets_store, vault_spec(vault))
            }
            (None, None) => return None,
        };
        (served == Served::Yes).then(|| {
            Child::new(resource, rank::CONTENTS, &wrapped(scope, resource, &secret.name, &spec))
        })
    };
    scope.spec.secrets.iter().filter_map(object).collect()
}

fn wrapped(scope: &Scope<'_>, resource: ResourceType, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "metadata": scope.identity().meta(name, "secret"),
        "spec": spec,
    })
}

/// Source: <https://external-secrets.io/latest/api/externalsecret/>
fn external_spec(name: &str, source: &ExternalSource) -> Value {
    let seconds = source.refresh.as_ref().map_or(REFRESH_SECONDS, Duration::seconds);
    let kind = match source.store.kind.unwrap_or_default() {
        StoreKind::ClusterSecretStore => "ClusterSecretStore",
        StoreKind::SecretStore => "SecretStore",
    };
    let data: Vec<Value> = source
        .keys
        .iter()
        .map(|(key, path, property)| {
            let mut remote = Map::from_iter([("key".to_owned(), json!(path))]);
            remote.extend(property.map(|property| ("property".to_owned(), json!(property))));
            json!({"secretKey": key, "remoteRef": remote})
        })
        .collect();
    json!({
        "refreshInterval": format!("{seconds}s"),
        "secretStoreRef": {"kind": kind, "name": source.store.name},
        // The Secret goes with this object.
        "target": {"name": name, "creationPolicy": "Owner"},
        "data": data,
    })
}

/// Source: <https://developer.hashicorp.com/vault/docs/platform/k8s/csi/configurations>
fn vault_spec(source: &VaultSource) -> Value {
    let objects: Vec<Value> = source
        .keys
        .iter()
        .map(|(file, path, key)| {
            let mut object = Map::from_iter([
                ("objectName".to_owned(), json!(file)),
                ("secretPath".to_owned(), json!(path)),
            ]);
            object.extend(key.map(|key| ("secretKey".to_owned(), json!(key))));
            Value::Object(object)
        })
        .collect();
    // The provider reads YAML, which JSON is.
    let objects = Value::Array(objects).to_string();
    let optional = [
        ("vaultAddress", source.address.as_ref()),
        ("vaultKubernetesMountPath", source.auth_path.as_ref()),
        ("vaultNamespace", source.vault_namespace.as_ref()),
        ("audience", source.audience.as_ref()),
    ];
    let parameters: Map<String, Value> = [("roleName", &source.role), ("objects", &objects)]
        .into_iter()
        .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({"provider": "vault", "parameters": parameters})
}
