//! JSON schemas for kubeconform, out of what this API server publishes of itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

type Map = serde_json::Map<String, Value>;

use crate::{
    api::prometheus_type,
    cluster::{client, eventually, install_crd},
    process::run,
};

/// Types of others that the chart makes objects of.
const OF_OTHERS: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];

/// Writes a schema for each kind into a folder; returns the location as kubeconform wants it.
pub async fn location(folder: &Path) -> String {
    let client = client().await;
    for kind in OF_OTHERS {
        install_crd(&client, &prometheus_type(kind)).await;
    }
    // They are published a moment after they are served.
    let published = eventually(Duration::from_mins(2), async || {
        let published = run("kubectl", &["get", "--raw", "/openapi/v2"], "");
        let has = |kind: &&str| published.contains(&format!("\"kind\":\"{kind}\""));
        OF_OTHERS.iter().all(has).then_some(published)
    });
    let published = published.await.unwrap_or_else(|| panic!("{OF_OTHERS:?} are not published"));
    let published: Value = serde_json::from_str(&published).unwrap();
    let definitions = published["definitions"].as_object().unwrap();
    for definition in definitions.values() {
        for kind in definition["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let mut needed = BTreeMap::new();
            let schema = strict(definition, definitions, &mut needed);
            let mut schema = schema.as_object().unwrap().clone();
            schema.insert("definitions".to_owned(), json!(needed));
            std::fs::write(folder.join(file(kind)), Value::from(schema).to_string()).unwrap();
        }
    }
    let name = "{{ .Group }}-{{ .ResourceAPIVersion }}-{{ .ResourceKind }}.json";
    folder.join(name).display().to_string()
}

/// Kubeconform takes the version for the group where there is none.
fn file(kind: &Value) -> PathBuf {
    let part = |name: &str| kind[name].as_str().unwrap().to_lowercase();
    let group = if part("group").is_empty() { part("version") } else { part("group") };
    format!("{group}-{}-{}.json", part("version"), part("kind")).into()
}

/// A schema that takes no unknown field. What it refers to goes to `needed`.
fn strict(schema: &Value, all: &Map, needed: &mut BTreeMap<String, Value>) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/definitions/");
        if !needed.contains_key(name) {
            // Some refer to themselves.
            needed.insert(name.to_owned(), json!({}));
            let found = strict(&all[name], all, needed);
            needed.insert(name.to_owned(), found);
        }
        return json!({"$ref": format!("#/definitions/{name}")});
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("format") == "int-or-string" || text("description").starts_with("Quantity is") {
        return json!({"type": ["string", "number"]});
    }
    let mut strict_fields = Map::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "properties" => {
                let properties = value.as_object().unwrap().iter();
                properties.map(|(name, it)| (name.clone(), strict(it, all, needed))).collect()
            }
            "items" | "additionalProperties" => strict(value, all, needed),
            // What kubeconform does not know.
            name if name.starts_with("x-") || name == "format" => continue,
            _ => value.clone(),
        };
        strict_fields.insert(name.clone(), value);
    }
    if strict_fields.contains_key("properties") {
        strict_fields.entry("additionalProperties").or_insert(json!(false));
    }
    strict_fields.into()
}
