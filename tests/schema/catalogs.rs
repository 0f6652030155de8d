//! Catalogs by properties: what stays in its catalog, and what would show a credential.

use rstest::rstest;

use crate::send::{
    Kind::{self, Domain, SparkCluster, SparkJob, SqlEndpoint},
    create, judge, ready,
};

const REFUSED: &str = "a credential would be readable here";

#[rstest]
#[case::by_class("{class: org.example.Catalog}")]
#[case::by_class_with_everything(
    "{class: org.apache.iceberg.spark.SparkCatalog, properties: {catalog-impl: org.apache.iceberg.aws.glue.GlueCatalog, type: x, uri: 'https://c'}, secretProperties: [{property: token, secret: {name: s, key: k}}]}"
)]
#[case::more_of_iceberg(
    "{iceberg: {rest: {uri: 'https://c'}}, properties: {io-impl: org.apache.iceberg.aws.s3.S3FileIO, s3.endpoint: 'https://s3', token-refresh-enabled: 'false', client.credentials-provider: a.B}, secretProperties: [{property: s3.secret-access-key, secret: {name: s, key: k}}]}"
)]
#[case::more_of_hive("{hive: {uri: 'thrift://m:9083'}, properties: {clients: '4'}}")]
#[tokio::test]
async fn lets_in(#[case] catalog: &str) {
    let client = ready().await;
    let catalog = catalog.replacen('{', "{name: c, ", 1);
    let object = Domain.object("catalogs", &format!("catalogs: [{catalog}]"));
    judge(&create(&client, Domain, &object).await, &[]);
}

#[rstest]
#[case::no_class("{properties: {a: b}}", &["set exactly one of iceberg, hive and class"])]
#[case::class_and_hive("{class: a.B, hive: {uri: 'thrift://m:1'}}", &["set exactly one of iceberg, hive and class"])]
#[case::no_java_class("{class: 'a b'}", &["spec.catalogs[0].class", "should match"])]
#[case::another_catalog("{class: a.B, properties: {spark.sql.catalog.other.uri: x}}", &["spec.catalogs[0].properties", "keys are properties of this catalog", "spark.sql.catalog.other.uri"])]
#[case::in_capitals("{class: a.B, properties: {Spark.master: x}}", &["keys are properties of this catalog", "Spark.master"])]
#[case::a_line_in_a_key("{class: a.B, properties: {\"a\\nspark.master\": x}}", &["keys are properties of this catalog"])]
#[case::a_line_in_a_value("{class: a.B, properties: {a: \"x\\nspark.master=local\"}}", &["spec.catalogs[0].properties.a", "should match"])]
#[case::password("{class: a.B, properties: {password: x}}", &["spec.catalogs[0].properties", REFUSED, "secretProperties", "password"])]
#[case::key_of_s3("{iceberg: {rest: {uri: 'https://c'}}, properties: {s3.Secret-Access-Key: x}}", &[REFUSED, "s3.Secret-Access-Key"])]
#[case::token("{iceberg: {rest: {uri: 'https://c'}}, properties: {token: x}}", &[REFUSED, "token"])]
#[case::header("{iceberg: {rest: {uri: 'https://c'}}, properties: {header.Authorization: x}}", &[REFUSED, "header.Authorization"])]
#[case::password_in_an_address("{class: a.B, properties: {url: 'jdbc:postgresql://pg/x?user=u&password=p'}}", &["spec.catalogs[0].properties", "the address holds a password"])]
#[case::user_in_an_address("{class: a.B, properties: {url: 'https://u:p@c/x'}}", &["spec.catalogs[0].properties", "the address holds a password"])]
#[case::property_with_a_field("{iceberg: {rest: {uri: 'https://c'}}, properties: {uri: 'https://d'}}", &["spec.catalogs[0]", "come from fields of iceberg and hive"])]
#[case::secret_with_a_field("{iceberg: {rest: {uri: 'https://c'}}, secretProperties: [{property: credential, secret: {name: s, key: k}}]}", &["spec.catalogs[0]", "use those, or give the catalog by class"])]
#[case::in_both("{class: a.B, properties: {a: b}, secretProperties: [{property: a, secret: {name: s, key: k}}]}", &["spec.catalogs[0]", "keep it in one"])]
#[case::secret_twice("{class: a.B, secretProperties: [{property: a, secret: {name: s, key: k}}, {property: a, secret: {name: s, key: l}}]}", &["spec.catalogs[0].secretProperties[1]", "Duplicate value"])]
#[tokio::test]
async fn refuses(#[case] catalog: &str, #[case] expected: &[&str]) {
    let client = ready().await;
    let catalog = catalog.replacen('{', "{name: c, ", 1);
    let object = Domain.object("catalogs", &format!("catalogs: [{catalog}]"));
    judge(&create(&client, Domain, &object).await, expected);
}

#[rstest]
#[case::domain(Domain, "compute: {sparkConf: {KEY: x}}", "spec.compute.sparkConf")]
#[case::cluster(SparkCluster, "sparkConf: {KEY: x}", "spec.sparkConf")]
#[case::endpoint(SqlEndpoint, "sparkConf: {KEY: x}", "spec.sparkConf")]
#[case::job(SparkJob, "spark: {sparkConf: {KEY: x}}", "spec.spark.sparkConf")]
#[tokio::test]
async fn spark_configuration_holds_no_credentials(
    #[case] kind: Kind,
    #[case] patch: &str,
    #[case] field: &str,
) {
    let client = ready().await;
    for key in [
        "spark.hadoop.fs.s3a.access.key",
        "spark.hadoop.fs.s3a.secret.key",
        "spark.sql.catalog.other.jdbc.password",
        "spark.hadoop.javax.jdo.option.ConnectionPassword",
    ] {
        let object = kind.object("exposed", &patch.replace("KEY", key));
        judge(&create(&client, kind, &object).await, &[field, REFUSED, key]);
    }
    let harmless = "spark.hadoop.fs.s3a.aws.credentials.provider";
    let object = kind.object("exposed", &patch.replace("KEY", harmless));
    judge(&create(&client, kind, &object).await, &[]);
}
