//! The schemas of our kinds as JSON Schema, for kubeconform and editors.

use serde_json::{Value, json};

use crate::api::{API_VERSION, crds};

/// Keyword that holds schemas by name.
const NAMED: &str = "properties";

/// JSON schemas by file name, as kubeconform looks for them:
/// `{{.ResourceKind}}{{.KindSuffix}}.json`, such as `batchjob-polder-v1alpha1.json`.
/// Source: <https://github.com/yannh/kubeconform#crd-support>
pub fn all() -> Vec<(String, Value)> {
    let suffix = API_VERSION.replace(".dev/", "-");
    crds::all()
        .into_iter()
        .filter_map(|crd| {
            let kind = crd.spec.names.kind;
            let schema = crd.spec.versions.into_iter().next()?.schema?.open_api_v3_schema?;
            let schema = of(&kind, serde_json::to_value(schema).ok()?);
            Some((format!("{}-{suffix}.json", kind.to_lowercase()), schema))
        })
        .collect()
}

fn of(kind: &str, mut schema: Value) -> Value {
    convert(&mut schema);
    let Value::Object(fields) = &mut schema else { return schema };
    fields.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    fields.insert("title".to_owned(), json!(kind));
    fields.insert("required".to_owned(), json!(["apiVersion", "kind", "metadata", "spec"]));
    if let Some(Value::Object(properties)) = fields.get_mut(NAMED) {
        properties.insert("apiVersion".to_owned(), json!({"const": API_VERSION}));
        properties.insert("kind".to_owned(), json!({"const": kind}));
        properties.insert("metadata".to_owned(), json!({"type": "object", "required": ["name"]}));
        // What users send as status is dropped.
        properties.insert("status".to_owned(), json!({"type": "object"}));
    }
    schema
}

/// Fields that do not exist are mistakes, and what Kubernetes says in its own words is said in those
/// of JSON Schema. Rules in CEL have no counterpart.
fn convert(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if fields.remove("x-kubernetes-int-or-string").is_some() {
        fields.insert("type".to_owned(), json!(["integer", "string"]));
    }
    fields.retain(|keyword, _| !keyword.starts_with("x-kubernetes-"));
    if fields.contains_key(NAMED) && !fields.contains_key("additionalProperties") {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(Value::Object(properties)) = fields.get_mut(NAMED) {
        properties.values_mut().for_each(convert);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(schema) = fields.get_mut(keyword) {
            convert(schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_strict_schema_under_the_name_that_kubeconform_asks_for() {
        let all = all();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["domain", "sparkcluster", "batchjob", "sqlendpoint"]
                .map(|it| format!("{it}-polder-v1alpha1.json"))
        );
        for (name, schema) in &all {
            let spec = &schema["properties"]["spec"];
            assert_eq!(
                (&spec["additionalProperties"], &spec["type"]),
                (&json!(false), &json!("object")),
                "{name}"
            );
            assert!(!schema.to_string().contains("x-kubernetes"), "{name}");
        }
        let cpu = "/properties/spec/properties/container/properties/resources/properties/cpu/type";
        assert_eq!(all[2].1.pointer(cpu), Some(&json!(["integer", "string"])));
    }
}
