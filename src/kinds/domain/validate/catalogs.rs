//! Whether catalogs and Spark configuration stay what they are, and show no credential: both are
//! readable in the Domain, in ConfigMaps, and in Spark's web pages.

use std::collections::BTreeSet;

use crate::{
    api::{
        catalog::{Catalog, OWNED_PROPERTIES},
        properties::{has_credentials, is_key, is_secret},
    },
    engine::Problem,
    kinds::common::problems::exposed_conf,
};

use super::super::scope::Scope;

/// What is wrong with catalogs.
pub fn catalogs(scope: &Scope<'_>) -> Vec<Problem> {
    let catalogs = scope.spec.catalogs.iter().enumerate();
    catalogs
        .flat_map(|(index, catalog)| {
            let field = format!("spec.catalogs[{index}]");
            [addresses(&field, catalog), properties(&field, catalog)].concat()
        })
        .collect()
}

/// What is wrong with the Spark configuration of the domain.
pub fn spark_conf(scope: &Scope<'_>) -> Vec<Problem> {
    let compute = scope.spec.compute.as_ref();
    compute
        .map(|compute| exposed_conf("spec.compute.sparkConf", &compute.spark_conf))
        .unwrap_or_default()
}

fn addresses(field: &str, catalog: &Catalog) -> Vec<Problem> {
    let iceberg = catalog.iceberg.as_ref();
    let rest = iceberg.and_then(|iceberg| iceberg.rest.as_ref());
    let jdbc = iceberg.and_then(|iceberg| iceberg.jdbc.as_ref());
    let mut problems = Vec::new();
    if rest.is_some_and(|rest| has_credentials(&rest.uri)) {
        problems.push(exposed(&format!("{field}.iceberg.rest.uri"), "credentialSecret"));
    }
    if jdbc.is_some_and(|jdbc| has_credentials(&jdbc.uri)) {
        let instead = "userSecret and passwordSecret";
        problems.push(exposed(&format!("{field}.iceberg.jdbc.uri"), instead));
    }
    let values = catalog.properties.0.iter().filter(|(_, value)| has_credentials(value));
    problems.extend(
        values.map(|(key, _)| exposed(&format!("{field}.properties[{key}]"), "secretProperties")),
    );
    problems
}

fn exposed(field: &str, instead: &str) -> Problem {
    let message = format!(
        "the address holds a password, which everybody who sees this Domain could read; take it out \
         of the address and give it with {instead}"
    );
    Problem::new("SecretExposed", field, message)
}

/// Properties that leave their catalog, say what a field says, or hold a credential.
fn properties(field: &str, catalog: &Catalog) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut found = |reason, field: String, message: String| {
        problems.push(Problem::new(reason, field, message));
    };
    let is_owned = |key: &str| catalog.class.is_none() && OWNED_PROPERTIES.contains(&key);
    for (key, value) in &catalog.properties.0 {
        let field = format!("{field}.properties[{}]", key.escape_debug());
        if !is_key(key) || value.contains(char::is_control) {
            found("PropertyInvalid", field, invalid());
        } else if is_secret(key) {
            let message = format!(
                "{key} holds a credential, which everybody who sees this Domain could read; give it \
                 with secretProperties"
            );
            found("SecretExposed", field, message);
        } else if is_owned(key) {
            found("ReservedKey", field, owned(key));
        }
    }
    let mut seen: BTreeSet<&str> = catalog.properties.0.keys().map(String::as_str).collect();
    for (index, secret) in catalog.secret_properties.iter().enumerate() {
        let key = secret.property.as_str();
        let field = format!("{field}.secretProperties[{index}].property");
        if !is_key(key) {
            found("PropertyInvalid", field, invalid());
        } else if is_owned(key) {
            found("ReservedKey", field, owned(key));
        } else if !seen.insert(key) {
            found("Duplicate", field, format!("{key} is given twice; remove one"));
        }
    }
    problems
}

fn invalid() -> String {
    "keys are properties of this catalog, of letters, digits, dots, dashes and underscores, without \
     spark.sql.catalog.<name>. in front; values hold no control characters"
        .to_owned()
}

fn owned(key: &str) -> String {
    format!("{key} comes from a field of iceberg or hive; use that, or give the catalog by class")
}
