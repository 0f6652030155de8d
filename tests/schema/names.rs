//! Names of objects become names of children, Services and DNS, so they are bounded.

use rstest::rstest;

use crate::send::{
    Kind::{self, BatchJob, Domain, SparkCluster, SqlEndpoint},
    create, judge, ready,
};

#[rstest]
#[case::domain(Domain, 50)]
#[case::cluster(SparkCluster, 45)]
#[case::endpoint(SqlEndpoint, 45)]
#[case::job(BatchJob, 45)]
#[tokio::test]
async fn names_are_bounded(#[case] kind: Kind, #[case] limit: usize) {
    let client = ready().await;
    let rule = format!("metadata.name: at most {limit} lower case letters, digits and dashes");
    for (name, expected) in [
        ("n".repeat(limit), vec![]),
        ("a-b-2".to_owned(), vec![]),
        ("n".repeat(limit + 1), vec![rule.as_str()]),
        ("1st".to_owned(), vec![rule.as_str()]),
        ("a.b".to_owned(), vec![rule.as_str()]),
        ("Upper".to_owned(), vec!["metadata.name", "lowercase"]),
        ("under_score".to_owned(), vec!["metadata.name", "lowercase"]),
        ("dash-".to_owned(), vec!["metadata.name"]),
    ] {
        judge(&create(&client, kind, &kind.object(&name, "{}")).await, &expected);
    }
}

#[rstest]
#[case::longest(50, &[])]
#[case::too_long(51, &["spec.namespace.name", "Too long"])]
#[tokio::test]
async fn names_of_namespaces_are_bounded(#[case] length: usize, #[case] expected: &[&str]) {
    let client = ready().await;
    let patch = format!("namespace: {{name: {}}}", "n".repeat(length));
    judge(&create(&client, Domain, &Domain.object("named", &patch)).await, expected);
}

#[tokio::test]
async fn names_of_namespaces_are_lower_case() {
    let client = ready().await;
    for name in ["Sales", "sales.eu", "1st", "-s"] {
        let object = Domain.object("named", &format!("namespace: {{name: {name:?}}}"));
        let expected = ["spec.namespace.name", "should match"];
        judge(&create(&client, Domain, &object).await, &expected);
    }
}
