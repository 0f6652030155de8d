//! Catalogs as Spark properties.
//!
//! Source: <https://iceberg.apache.org/docs/latest/spark-configuration/>

use crate::api::{
    catalog::{Catalog, HiveCatalog, IcebergCatalog},
    common::SecretKey,
};

use super::Conf;

const EXTENSIONS: &str = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions";
const ICEBERG: &str = "org.apache.iceberg.spark.SparkCatalog";

/// A Spark property whose value is a key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretProperty {
    /// The property.
    pub property: String,
    /// Where its value is.
    pub secret: SecretKey,
}

/// The properties of catalogs, without what is secret.
pub fn catalog_conf(catalogs: &[Catalog]) -> Conf {
    let mut conf = Conf::new();
    for catalog in catalogs {
        let mut set = |key: &str, value: &str| {
            conf.insert(property(catalog, key), value.to_owned());
        };
        // What has a field of its own goes over properties of the same key.
        for (key, value) in &catalog.properties.0 {
            set(key, value);
        }
        set("", class(catalog));
        if let Some(IcebergCatalog { rest: Some(rest), .. }) = &catalog.iceberg {
            set("type", "rest");
            set("uri", &rest.uri);
            if let Some(warehouse) = &rest.warehouse {
                set("warehouse", warehouse);
            }
            if rest.credential_secret.is_some() {
                set("rest.auth.type", "oauth2");
            }
        }
        if let Some(IcebergCatalog { jdbc: Some(jdbc), .. }) = &catalog.iceberg {
            set("type", "jdbc");
            set("uri", &jdbc.uri);
            set("warehouse", &jdbc.warehouse);
            set("jdbc.schema-version", "V1");
        }
        if let Some(HiveCatalog { uri, warehouse }) = &catalog.hive {
            set("type", "hive");
            set("uri", uri);
            if let Some(warehouse) = warehouse {
                set("warehouse", warehouse);
            }
        }
    }
    if catalogs.iter().any(|catalog| class(catalog).starts_with("org.apache.iceberg.")) {
        conf.insert("spark.sql.extensions".to_owned(), EXTENSIONS.to_owned());
    }
    conf
}

/// The properties of catalogs that are secret.
pub fn catalog_secrets(catalogs: &[Catalog]) -> Vec<SecretProperty> {
    let mut secrets = Vec::new();
    for catalog in catalogs {
        let mut add = |key: &str, secret: Option<&SecretKey>| {
            secrets.extend(secret.map(|secret| SecretProperty {
                property: property(catalog, key),
                secret: secret.clone(),
            }));
        };
        if let Some(IcebergCatalog { rest: Some(rest), .. }) = &catalog.iceberg {
            add("credential", rest.credential_secret.as_ref());
        }
        if let Some(IcebergCatalog { jdbc: Some(jdbc), .. }) = &catalog.iceberg {
            add("jdbc.user", jdbc.user_secret.as_ref());
            add("jdbc.password", jdbc.password_secret.as_ref());
        }
        for secret in &catalog.secret_properties {
            add(&secret.property, Some(&secret.secret));
        }
    }
    secrets
}

/// The class that implements a catalog.
fn class(catalog: &Catalog) -> &str {
    catalog.class.as_deref().unwrap_or(ICEBERG)
}

/// The Spark property for a property of a catalog; for the catalog itself if that is empty.
fn property(catalog: &Catalog, key: &str) -> String {
    let dot = if key.is_empty() { "" } else { "." };
    format!("spark.sql.catalog.{}{dot}{key}", catalog.name)
}

#[cfg(test)]
mod tests {
    use super::{catalog_conf, catalog_secrets};
    use crate::api::catalog::Catalog;

    fn catalogs(yaml: &str) -> Vec<Catalog> {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn any_class_with_properties_is_a_catalog() {
        let catalogs = catalogs(
            "[{name: pg, class: org.example.JdbcCatalog, properties: {driver: org.postgresql.Driver, url: 'jdbc:postgresql://pg/x'}, secretProperties: [{property: password, secret: {name: pg, key: password}}]}]",
        );
        insta::assert_yaml_snapshot!(catalog_conf(&catalogs), @r#"
        spark.sql.catalog.pg: org.example.JdbcCatalog
        spark.sql.catalog.pg.driver: org.postgresql.Driver
        spark.sql.catalog.pg.url: "jdbc:postgresql://pg/x"
        "#);
        let secrets = catalog_secrets(&catalogs);
        assert_eq!(secrets.len(), 1);
        assert_eq!(secrets[0].property, "spark.sql.catalog.pg.password");
        assert_eq!(secrets[0].secret.name, "pg");
    }

    #[test]
    fn properties_add_to_fields_and_never_replace_them() {
        let catalogs = catalogs(
            "[{name: lake, iceberg: {rest: {uri: 'https://c'}}, properties: {io-impl: org.apache.iceberg.aws.s3.S3FileIO, uri: 'https://evil'}}]",
        );
        let conf = catalog_conf(&catalogs);
        assert_eq!(conf["spark.sql.catalog.lake.uri"], "https://c");
        assert_eq!(conf["spark.sql.catalog.lake.io-impl"], "org.apache.iceberg.aws.s3.S3FileIO");
        assert!(conf["spark.sql.extensions"].contains("Iceberg"));
    }

    #[test]
    fn iceberg_by_class_brings_its_extensions() {
        let catalogs = catalogs(
            "[{name: glue, class: org.apache.iceberg.spark.SparkCatalog, properties: {catalog-impl: org.apache.iceberg.aws.glue.GlueCatalog}}]",
        );
        assert!(catalog_conf(&catalogs).contains_key("spark.sql.extensions"));
    }
}
