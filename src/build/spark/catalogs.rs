//! Catalogs as Spark properties.
//!
//! Source: <https://iceberg.apache.org/docs/latest/spark-configuration/>

use crate::api::{
    common::SecretKey,
    domain::{Catalog, HiveCatalog, IcebergCatalog},
};

use super::Conf;

const EXTENSIONS: &str = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions";

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
        let prefix = format!("spark.sql.catalog.{}", catalog.name);
        let mut set = |key: &str, value: &str| {
            conf.insert(format!("{prefix}{key}"), value.to_owned());
        };
        set("", "org.apache.iceberg.spark.SparkCatalog");
        if let Some(IcebergCatalog { rest: Some(rest), .. }) = &catalog.iceberg {
            set(".type", "rest");
            set(".uri", &rest.uri);
            if let Some(warehouse) = &rest.warehouse {
                set(".warehouse", warehouse);
            }
            if rest.credential_secret.is_some() {
                set(".rest.auth.type", "oauth2");
            }
        }
        if let Some(IcebergCatalog { jdbc: Some(jdbc), .. }) = &catalog.iceberg {
            set(".type", "jdbc");
            set(".uri", &jdbc.uri);
            set(".warehouse", &jdbc.warehouse);
            set(".jdbc.schema-version", "V1");
        }
        if let Some(HiveCatalog { uri, warehouse }) = &catalog.hive {
            set(".type", "hive");
            set(".uri", uri);
            if let Some(warehouse) = warehouse {
                set(".warehouse", warehouse);
            }
        }
    }
    if !catalogs.is_empty() {
        conf.insert("spark.sql.extensions".to_owned(), EXTENSIONS.to_owned());
    }
    conf
}

/// The properties of catalogs that are secret.
pub fn catalog_secrets(catalogs: &[Catalog]) -> Vec<SecretProperty> {
    let mut secrets = Vec::new();
    for catalog in catalogs {
        let mut add = |key: &str, secret: &Option<SecretKey>| {
            secrets.extend(secret.iter().map(|secret| SecretProperty {
                property: format!("spark.sql.catalog.{}.{key}", catalog.name),
                secret: secret.clone(),
            }));
        };
        if let Some(IcebergCatalog { rest: Some(rest), .. }) = &catalog.iceberg {
            add("credential", &rest.credential_secret);
        }
        if let Some(IcebergCatalog { jdbc: Some(jdbc), .. }) = &catalog.iceberg {
            add("jdbc.user", &jdbc.user_secret);
            add("jdbc.password", &jdbc.password_secret);
        }
    }
    secrets
}
