//! Whether catalogs and secrets of the domain are there, as far as that can be known without
//! reading Secrets: from what the operators that bring them say, and from pods that lack one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    api::secrets::DomainSecret,
    build::{spark::catalogs::catalog_secrets, types},
    engine::{ObjectKey, Report, Served},
};

use super::{
    super::{Resolved, SPARK_CONFIG_MAP, scope::Scope},
    conditions::{Verdict, fault, no, yes},
};

/// CatalogsReady.
pub fn catalogs(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Verdict {
    let is_config =
        |key: &ObjectKey| key.resource == types::CONFIG_MAP && key.name == SPARK_CONFIG_MAP;
    if let Some(verdict) = fault(report, is_config) {
        return verdict;
    }
    let catalogs = &scope.spec.catalogs;
    if catalogs.is_empty() {
        return yes("NoCatalogs", "spec.catalogs is empty");
    }
    let secrets = catalog_secrets(catalogs);
    let names = secrets.iter().map(|secret| secret.secret.name.as_str());
    if let Some(message) = missing(resolved, names) {
        return no("SecretMissing", message);
    }
    let names: Vec<&str> = catalogs.iter().map(|catalog| catalog.name.as_str()).collect();
    let message = format!(
        "configured, not probed: {}; Polder reads no Secrets, so one that is missing shows here once \
         a workload needs it",
        names.join(", ")
    );
    yes("Configured", message)
}

/// SecretsReady.
pub fn secrets(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Verdict {
    let secrets = &scope.spec.secrets;
    if secrets.is_empty() {
        return yes("NoSecrets", "spec.secrets is empty");
    }
    let is_secret = |key: &ObjectKey| {
        [types::EXTERNAL_SECRET, types::SECRET_PROVIDER_CLASS].contains(&key.resource)
    };
    if let Some(verdict) = fault(report, is_secret).or_else(|| absent(scope, resolved)) {
        return verdict;
    }
    if let Some(verdict) = secrets.iter().find_map(|secret| unsynced(secret, resolved)) {
        return verdict;
    }
    if let Some(message) = missing(resolved, secrets.iter().map(|secret| secret.name.as_str())) {
        return no("SecretMissing", message);
    }
    let named = |wanted: fn(&DomainSecret) -> bool, note: &str| {
        let names: Vec<&str> =
            secrets.iter().filter(|it| wanted(it)).map(|it| it.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{note}: {}", names.join(", ")))
    };
    let parts = [
        named(|it| it.external.is_some(), "synced by the External Secrets Operator"),
        named(|it| it.vault.is_some(), "configured, and fetched when a pod mounts them"),
    ];
    yes("Ready", parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// What the domain asks for, and the cluster has not.
fn absent(scope: &Scope<'_>, resolved: &Resolved) -> Option<Verdict> {
    let secrets = &scope.spec.secrets;
    let external = secrets.iter().any(|secret| secret.external.is_some());
    let vault = secrets.iter().any(|secret| secret.vault.is_some());
    let of_external = || match resolved.external_secrets {
        Served::Yes => None,
        Served::NotInstalled => Some(no(
            "ExternalSecretsNotInstalled",
            "spec.secrets asks for the External Secrets Operator, and this cluster does not serve \
             externalsecrets.external-secrets.io/v1; install it, or take those secrets out",
        )),
        Served::Forbidden => Some(no(
            "ExternalSecretsNotAllowed",
            "spec.secrets asks for the External Secrets Operator, which Polder may not use; once it \
             is installed, set externalSecrets.enabled in the values of Polder's chart",
        )),
    };
    let of_vault = || match resolved.secrets_store {
        Served::Yes => None,
        Served::NotInstalled => Some(no(
            "SecretsStoreNotInstalled",
            "spec.secrets asks for the Secrets Store CSI driver, and this cluster does not serve \
             secretproviderclasses.secrets-store.csi.x-k8s.io/v1; install it with Vault's provider, \
             or take those secrets out",
        )),
        Served::Forbidden => Some(no(
            "SecretsStoreNotAllowed",
            "spec.secrets asks for the Secrets Store CSI driver, which Polder may not use; once it \
             is installed, set secretsStore.enabled in the values of Polder's chart",
        )),
    };
    external.then(of_external).flatten().or_else(|| vault.then(of_vault).flatten())
}

/// What the External Secrets Operator says of a secret that is not there.
/// Source: <https://external-secrets.io/latest/api/externalsecret/>
fn unsynced(secret: &DomainSecret, resolved: &Resolved) -> Option<Verdict> {
    let name = &secret.name;
    let record = resolved.secrets.get(name);
    let Some(record) = record else {
        return Some(no("Pending", format!("secret {name} is being set up")));
    };
    // Of files from Vault only the pods that mount them know.
    secret.external.as_ref()?;
    let conditions: Vec<Condition> = record.part("/status/conditions").unwrap_or_default();
    let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready");
    match ready {
        Some(ready) if ready.status == "True" => None,
        Some(ready) => Some(Verdict {
            holds: false,
            reason: ready.reason,
            message: format!(
                "secret {name}: {} (says the External Secrets Operator)",
                ready.message
            ),
        }),
        None => Some(no(
            "Pending",
            format!("secret {name}: the External Secrets Operator has not looked at it yet"),
        )),
    }
}

/// What workloads say of one of these Secrets.
fn missing<'a>(resolved: &Resolved, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let names_one = |(_, message): &&(String, String)| {
        // Kubernetes writes `secret "x" not found` and `couldn't find key k in Secret ns/x`.
        let words = message.split(|c: char| !is_inner(c));
        words.into_iter().any(|word| names.contains(&word.trim_end_matches('.')))
    };
    let (whose, message) = resolved.missing_secrets.iter().find(names_one)?;
    Some(format!("{whose}: {message}"))
}
