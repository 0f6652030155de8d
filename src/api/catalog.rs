//! Catalogs of tables, as a Domain offers them to its workloads.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{common::SecretKey, properties::Properties};

/// Properties of iceberg and hive catalogs that have fields of their own; the schema says the same.
pub const OWNED_PROPERTIES: [&str; 9] = [
    "type",
    "uri",
    "warehouse",
    "catalog-impl",
    "credential",
    "rest.auth.type",
    "jdbc.user",
    "jdbc.password",
    "jdbc.schema-version",
];

/// A catalog of tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.iceberg), has(self.hive), has(self.class)].filter(x, x).size() == 1")
        .message("set exactly one of iceberg, hive and class"),
    validation = Rule::new("self.name != 'spark_catalog'")
        .message("spark_catalog is Spark's own; choose another name"),
    validation = Rule::new("has(self.class) || !has(self.properties) || !self.properties.exists(k, k in ['type', 'uri', 'warehouse', 'catalog-impl', 'credential', 'rest.auth.type', 'jdbc.user', 'jdbc.password', 'jdbc.schema-version'])")
        .message("properties: type, uri, warehouse, catalog-impl, credential, rest.auth.type, jdbc.user, jdbc.password and jdbc.schema-version come from fields of iceberg and hive; use those, or give the catalog by class"),
    validation = Rule::new("has(self.class) || !has(self.secretProperties) || !self.secretProperties.exists(s, s.property in ['type', 'uri', 'warehouse', 'catalog-impl', 'credential', 'rest.auth.type', 'jdbc.user', 'jdbc.password', 'jdbc.schema-version'])")
        .message("secretProperties: credential, jdbc.user and jdbc.password come from credentialSecret, userSecret and passwordSecret; use those, or give the catalog by class"),
    validation = Rule::new("!has(self.properties) || !has(self.secretProperties) || !self.secretProperties.exists(s, s.property in self.properties)")
        .message("a property stands in both properties and secretProperties; keep it in one")
)]
pub struct Catalog {
    /// Its name in SQL: `SELECT * FROM <name>.db.table`.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub name: String,
    /// Apache Iceberg tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iceberg: Option<IcebergCatalog>,
    /// Iceberg tables listed in a Hive metastore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hive: Option<HiveCatalog>,
    /// Any other catalog, by the Java class that implements it, such as
    /// `org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog`; `properties` tell it
    /// the rest. The image must have the class.
    /// Source: <https://spark.apache.org/docs/latest/sql-ref-syntax-ddl.html>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 256),
        regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_$][A-Za-z0-9_$]*)+$")
    )]
    pub class: Option<String>,
    /// More properties of the catalog, without the `spark.sql.catalog.<name>.` in front:
    /// `io-impl: org.apache.iceberg.aws.s3.S3FileIO`. Credentials go into `secretProperties`.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Properties of the catalog whose values are secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["property".to_owned()]))]
    pub secret_properties: Vec<SecretProperty>,
}

/// A property of a catalog whose value is a key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretProperty {
    /// The property, without the `spark.sql.catalog.<name>.` in front.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub property: String,
    /// Where its value is: a Secret of the domain's namespace.
    pub secret: SecretKey,
}

/// Where an Iceberg catalog is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.rest), has(self.jdbc)].filter(x, x).size() == 1")
        .message("set exactly one of rest and jdbc")
)]
pub struct IcebergCatalog {
    /// An Iceberg REST catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<RestCatalog>,
    /// A relational database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc: Option<JdbcCatalog>,
}

/// An Iceberg REST catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestCatalog {
    /// Its address.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https?://[^\s]+$"))]
    pub uri: String,
    /// Warehouse name or location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[^\s]+$"))]
    pub warehouse: Option<String>,
    /// OAuth2 client credential, `id:secret`, from a Secret of the domain's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_secret: Option<SecretKey>,
}

/// An Iceberg catalog in a relational database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JdbcCatalog {
    /// JDBC address: `jdbc:postgresql://host:5432/database`. Credentials come from Secrets.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^jdbc:[^\s]+$"))]
    pub uri: String,
    /// Where tables are kept: `s3a://bucket/path` or `file:///warehouse`.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[^\s]+$"))]
    pub warehouse: String,
    /// User name, from a Secret of the domain's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_secret: Option<SecretKey>,
    /// Password, from a Secret of the domain's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<SecretKey>,
}

/// Iceberg tables listed in a Hive metastore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HiveCatalog {
    /// Address of the metastore: `thrift://metastore:9083`.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^thrift://[^\s]+$"))]
    pub uri: String,
    /// Where tables are kept. Default: the metastore's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[^\s]+$"))]
    pub warehouse: Option<String>,
}
