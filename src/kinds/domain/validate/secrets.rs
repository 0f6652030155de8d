//! Whether secrets of the domain can be brought, and used where they are named.

use crate::{
    api::{Domain, batch_job::Duration, secrets::RemoteKeys},
    build::{pods, spark::catalogs::catalog_secrets},
    engine::Problem,
};

use super::super::scope::Scope;

/// All that is wrong with them.
pub fn secrets(scope: &Scope<'_>, domain: &Domain) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, secret) in scope.spec.secrets.iter().enumerate() {
        let field = format!("spec.secrets[{index}]");
        let external = secret.external.as_ref();
        let refresh = external.and_then(|external| external.refresh.as_ref());
        if refresh.map(Duration::seconds).is_some_and(|seconds| seconds < 1) {
            let message = "must be at least 1s; leave it out for 1h";
            problems.push(Problem::new("TooShort", format!("{field}.external.refresh"), message));
        }
        let keys = [
            ("external", external.map(|source| &source.keys)),
            ("vault", secret.vault.as_ref().map(|source| &source.keys)),
        ];
        for (part, keys) in keys {
            problems
                .extend(keys.and_then(|keys| wrong_keys(&format!("{field}.{part}.keys"), keys)));
        }
    }
    problems.extend(files_in_catalogs(domain));
    problems
}

/// Source: <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data>
fn wrong_keys(field: &str, keys: &RemoteKeys) -> Option<Problem> {
    let is_key = |key: &str| {
        !key.is_empty()
            && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
            && !key.starts_with("..")
            && key != "."
    };
    let is_remote = |path: &str, property: Option<&str>| {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.contains(|c: char| c == '#' || c.is_whitespace() || c.is_control())
        };
        is_part(path) && property.is_none_or(is_part)
    };
    let (key, ..) =
        keys.iter().find(|(key, path, property)| !is_key(key) || !is_remote(path, *property))?;
    let message = format!(
        "{key:?} must be a key of letters, digits, dots, dashes and underscores, with a value such \
         as path/in/the/store#property"
    );
    Some(Problem::new("KeyInvalid", field, message))
}

/// Catalogs take their credentials from Secrets, and files from Vault are none.
fn files_in_catalogs(domain: &Domain) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, catalog) in domain.spec.catalogs.iter().enumerate() {
        let secrets = catalog_secrets(std::slice::from_ref(catalog));
        let files = secrets.iter().find(|it| pods::comes_as_files(Some(domain), &it.secret.name));
        if let Some(files) = files {
            let message = format!(
                "{} is brought from Vault as files, and {} needs a Secret; bring it with external, \
                 or name another Secret",
                files.secret.name, files.property
            );
            let field = format!("spec.catalogs[{index}]");
            problems.push(Problem::new("SecretIsFiles", field, message));
        }
    }
    problems
}
