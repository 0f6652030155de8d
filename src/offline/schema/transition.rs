//! Rules about a change (`oldSelf`): what the API server would say of a new version of an object.
//!
//! Source: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules>

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

use super::{super::cel, Schemas};
use crate::engine::Problem;

impl Schemas {
    /// All that may not become of an object of a kind. Both are taken to be right for themselves.
    pub fn forbidden(&self, kind: &str, old: &Value, new: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let spec = self.kinds.get(kind).and_then(|it| it.properties.as_ref()?.get("spec"));
        if let (Some(schema), Some(old), Some(new)) = (spec, old.get("spec"), new.get("spec")) {
            self.compare(schema, old, new, "spec", &mut problems);
        }
        problems
    }

    /// A rule is asked only where there was a value, and is one.
    fn compare(
        &self,
        schema: &JSONSchemaProps,
        old: &Value,
        new: &Value,
        path: &str,
        problems: &mut Vec<Problem>,
    ) {
        if old.is_null() || new.is_null() {
            return;
        }
        let rules = schema.x_kubernetes_validations.iter().flatten();
        for rule in rules.filter(|rule| cel::is_about_change(rule)) {
            let (was, itself) = (cel::value(schema, old), cel::value(schema, new));
            if let Some(message) = self.rules.broken(rule, &itself, Some(&was)) {
                problems.push(Problem::new("RuleBroken", path, message));
            }
        }
        for (name, schema, old, new) in pairs(schema, old, new) {
            self.compare(schema, old, new, &format!("{path}{name}"), problems);
        }
    }
}

/// Values that are the same one, before and after: fields by name, items of lists with keys by them.
/// Items of other lists are not compared.
fn pairs<'a>(
    schema: &'a JSONSchemaProps,
    old: &'a Value,
    new: &'a Value,
) -> Vec<(String, &'a JSONSchemaProps, &'a Value, &'a Value)> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let each = match &schema.additional_properties {
                Some(JSONSchemaPropsOrBool::Schema(each)) => Some(&**each),
                _ => None,
            };
            let of = |name: &str| schema.properties.as_ref().and_then(|it| it.get(name)).or(each);
            new.iter()
                .filter_map(|(name, new)| {
                    Some((format!(".{name}"), of(name)?, old.get(name)?, new))
                })
                .collect()
        }
        (Value::Array(old), Value::Array(new)) => {
            let (Some(JSONSchemaPropsOrArray::Schema(each)), Some(keys)) =
                (&schema.items, &schema.x_kubernetes_list_map_keys)
            else {
                return Vec::new();
            };
            let is_same =
                |one: &Value, other: &Value| keys.iter().all(|key| one.get(key) == other.get(key));
            new.iter()
                .enumerate()
                .filter_map(|(index, new)| {
                    let old = old.iter().find(|old| is_same(old, new))?;
                    Some((format!("[{index}]"), &**each, old, new))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::namespace_changed("Domain", json!({"namespace": {"name": "a"}}), json!({"namespace": {"name": "b"}}), Some("spec"))]
    #[case::namespace_removed("Domain", json!({"namespace": {"name": "a"}}), json!({}), Some("spec"))]
    #[case::namespace_kept("Domain", json!({"namespace": {"name": "a"}}), json!({"namespace": {"name": "a", "labels": {"x": "y"}}}), None)]
    #[case::quota("Domain", json!({"quota": {"hard": {"pods": "1"}}}), json!({}), None)]
    #[case::storage("SparkCluster", json!({"master": {"storage": {"size": "1Gi"}}}), json!({"master": {"storage": {"size": "2Gi"}}}), Some("spec.master.storage"))]
    #[case::volumes("SparkCluster", json!({"workers": [{"name": "w", "volumes": [{"name": "d", "size": "1Gi"}]}]}), json!({"workers": [{"name": "w"}]}), Some("spec.workers"))]
    #[case::another_pool("SparkCluster", json!({"workers": [{"name": "w"}]}), json!({"workers": [{"name": "x", "volumes": [{"name": "d", "size": "1Gi"}]}]}), None)]
    fn a_change_is_judged_as_the_api_server_does(
        #[case] kind: &str,
        #[case] old: Value,
        #[case] new: Value,
        #[case] field: Option<&str>,
    ) {
        let schemas = Schemas::new().unwrap();
        let object = |spec: Value| json!({"spec": spec});
        let found = schemas.forbidden(kind, &object(old), &object(new));
        let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, field.into_iter().collect::<Vec<_>>(), "{found:?}");
    }
}
