//! What people see before they read any page: `kubectl explain`, `kubectl get`, completion.

use std::{process::Command, time::Duration};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use rstest::rstest;

use crate::{cluster::eventually, send::ready};

fn crd(kind: &str) -> CustomResourceDefinition {
    polder::api::crds::all().into_iter().find(|crd| crd.spec.names.kind == kind).unwrap()
}

fn schema(crd: &CustomResourceDefinition) -> &JSONSchemaProps {
    crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap()
}

/// Paths of fields without a description.
fn undescribed(path: &str, schema: &JSONSchemaProps, found: &mut Vec<String>) {
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        let is_described = property.description.as_deref().is_some_and(|it| it.trim().len() > 3);
        // Those of every object are described by the API server.
        if !is_described && !matches!(path.as_str(), ".apiVersion" | ".kind" | ".metadata") {
            found.push(path.clone());
        }
        undescribed(&path, property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        undescribed(&format!("{path}[]"), items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        undescribed(&format!("{path}{{}}"), values, found);
    }
}

/// Paths of lists, maps and texts of the spec without an upper bound.
fn unbounded(path: &str, schema: &JSONSchemaProps, found: &mut Vec<String>) {
    let has_enum = schema.enum_.is_some();
    let is_open = match schema.type_.as_deref() {
        Some("array") => schema.max_items.is_none(),
        Some("string") => schema.max_length.is_none() && !has_enum,
        Some("object") => schema.additional_properties.is_some() && schema.max_properties.is_none(),
        _ => false,
    };
    if is_open {
        found.push(path.to_owned());
    }
    for (name, property) in schema.properties.iter().flatten() {
        unbounded(&format!("{path}.{name}"), property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        unbounded(&format!("{path}[]"), items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        unbounded(&format!("{path}{{}}"), values, found);
    }
}

#[rstest]
#[case("Domain")]
#[case("SparkCluster")]
#[case("SqlEndpoint")]
#[case("BatchJob")]
fn every_field_is_described(#[case] kind: &str) {
    let mut found = Vec::new();
    undescribed("", schema(&crd(kind)), &mut found);
    assert!(found.is_empty(), "without a description: {found:#?}");
}

#[rstest]
#[case("Domain")]
#[case("SparkCluster")]
#[case("SqlEndpoint")]
#[case("BatchJob")]
fn every_field_of_the_spec_is_bounded(#[case] kind: &str) {
    let crd = crd(kind);
    let spec = &schema(&crd).properties.as_ref().unwrap()["spec"];
    let mut found = Vec::new();
    unbounded("spec", spec, &mut found);
    // Types of Kubernetes itself.
    found.retain(|path| !path.contains("subjects[]") && !path.contains("tolerations[]"));
    assert!(found.is_empty(), "without a bound: {found:#?}");
}

#[rstest]
#[case("Domain", "dom", &["Ready", "Reason", "Namespace", "Team", "Workloads", "Quota", "Age", "Message"])]
#[case("SparkCluster", "spc", &["Ready", "Reason", "Workers", "Master", "Age", "Message"])]
#[case("SqlEndpoint", "sql", &["Ready", "Reason", "Jdbc", "Connect", "Age", "Message"])]
#[case("BatchJob", "bjob", &["Ready", "Reason", "Schedule", "Last Run", "Result", "Age", "Message"])]
fn names_and_columns(#[case] kind: &str, #[case] short: &str, #[case] columns: &[&str]) {
    let crd = crd(kind);
    let names = &crd.spec.names;
    assert_eq!(names.short_names.as_deref(), Some([short.to_owned()].as_slice()));
    assert_eq!(names.categories.as_deref(), Some(["polder".to_owned()].as_slice()));
    let version = &crd.spec.versions[0];
    let found: Vec<&str> = version
        .additional_printer_columns
        .iter()
        .flatten()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(found, columns);
    assert!(version.subresources.as_ref().is_some_and(|it| it.status.is_some()));
}

#[rstest]
#[case(&["explain", "domain.spec.quota.hard"], "Hard limits by resource")]
#[case(&["explain", "spc.spec.workers.volumes"], "Shuffle volumes of each worker")]
#[case(&["explain", "sql.spec.executors.idleTimeout"], "How long an executor may idle")]
#[case(&["explain", "bjob.spec.schedule.cron"], "Five fields")]
#[case(&["get", "polder", "-A"], "No resources found")]
#[case(&["api-resources", "--api-group=polder.dev", "--categories=polder", "--no-headers"], "sparkclusters")]
#[tokio::test]
async fn kubectl_knows(#[case] arguments: &[&str], #[case] expected: &str) {
    ready().await;
    // Discovery and OpenAPI are published a moment after a CRD is established.
    let mut said = String::new();
    let knows = eventually(Duration::from_secs(30), async || {
        let output = Command::new("kubectl").args(arguments).output().expect("kubectl is in PATH");
        said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let is_known = arguments[0] == "get" || said.contains(expected);
        (output.status.success() && is_known).then_some(())
    });
    assert!(knows.await.is_some(), "kubectl {} says: {said}", arguments.join(" "));
}
