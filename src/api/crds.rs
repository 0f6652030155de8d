//! The CustomResourceDefinitions of all kinds, as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::{BatchJob, Domain, SparkCluster, SqlEndpoint};

/// The CRDs of all kinds.
pub fn all() -> Vec<CustomResourceDefinition> {
    [Domain::crd(), SparkCluster::crd(), BatchJob::crd(), SqlEndpoint::crd()]
        .into_iter()
        .map(with_unseen_status)
        .collect()
}

/// A new object says that nobody has looked at it yet, so that no tool takes it for current:
/// kstatus takes an object without `observedGeneration` for current.
fn with_unseen_status(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    for schema in schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()) {
        refuse_null(schema);
        if let Some(status) =
            schema.properties.as_mut().and_then(|properties| properties.get_mut("status"))
        {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
        }
    }
    crd
}

/// Fields are set or left out, never null: CEL's `has` would take null for set.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
        .for_each(refuse_null);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        refuse_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = schema.additional_properties.as_mut() {
        refuse_null(values);
    }
}
