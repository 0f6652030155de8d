//! What an object's schema says of it, in the API server's words where they are good ones.
//!
//! The structural schemas of CRDs are a dialect of their own (`x-kubernetes-*`), so they are read
//! here as the API server does, with `--validate=strict`: fields that do not exist are mistakes.
//! Source: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

mod pass;
mod transition;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use regex::Regex;
use serde_json::{Map, Value, json};

use self::pass::Pass;
use super::cel::{self, Rules};
use crate::{api::crds, engine::Problem};

/// The schemas of our kinds.
pub struct Schemas {
    kinds: BTreeMap<String, JSONSchemaProps>,
    metadata: JSONSchemaProps,
    rules: Rules,
    patterns: Mutex<HashMap<String, Option<Arc<Regex>>>>,
}

impl Schemas {
    /// Those of this version of Polder.
    pub fn new() -> Result<Self, cel::Twice> {
        let kinds = crds::all().into_iter().filter_map(of_kind).collect();
        let metadata = serde_json::from_value(metadata()).unwrap_or_default();
        Ok(Self { kinds, metadata, rules: Rules::new()?, patterns: Mutex::default() })
    }

    /// Names of the kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// All that is wrong with an object of a kind, as far as it alone can tell.
    pub fn problems(&self, kind: &str, object: &Map<String, Value>) -> Vec<Problem> {
        let mut pass = Pass { schemas: self, problems: Vec::new() };
        let Some(schema) = self.kinds.get(kind) else { return Vec::new() };
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        pass.value(&self.metadata, metadata, "metadata");
        if metadata.get("name").is_none() && metadata.get("generateName").is_none() {
            pass.add("Required", "metadata.name", "Required value: every object needs a name");
        }
        // What users send as status is dropped by the API server.
        let mut rest = object.clone();
        rest.remove("status");
        rest.insert("metadata".to_owned(), json!({"name": metadata.get("name")}));
        pass.value(schema, &Value::Object(rest), "");
        pass.problems
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| cel::regex(pattern).ok().map(Arc::new))
            .clone();
        drop(patterns);
        compiled.is_none_or(|regex| regex.is_match(text))
    }
}

/// The schema of a kind, whose metadata is what rules may look at.
fn of_kind(crd: CustomResourceDefinition) -> Option<(String, JSONSchemaProps)> {
    let version = crd.spec.versions.into_iter().next()?;
    let mut schema = version.schema?.open_api_v3_schema?;
    let properties = schema.properties.get_or_insert_default();
    let text = JSONSchemaProps { type_: Some("string".to_owned()), ..Default::default() };
    let names = [("apiVersion", &text), ("kind", &text)];
    properties.extend(names.map(|(name, schema)| (name.to_owned(), schema.clone())));
    let metadata = JSONSchemaProps {
        properties: Some([("name".to_owned(), text)].into()),
        ..Default::default()
    };
    properties.insert("metadata".to_owned(), metadata);
    Some((crd.spec.names.kind, schema))
}

/// The part of `ObjectMeta` that people write, and the names of the rest.
fn metadata() -> Value {
    let (text, map) = (
        json!({"type": "string"}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    );
    let any = json!({});
    json!({"type": "object", "properties": {
        "name": {"type": "string", "maxLength": 253, "pattern": NAME}, "generateName": text,
        "namespace": {"type": "string", "maxLength": 63}, "labels": map, "annotations": map,
        "finalizers": {"type": "array", "items": text}, "ownerReferences": any, "uid": text,
        "resourceVersion": text, "generation": {"type": "integer"}, "creationTimestamp": any,
        "deletionTimestamp": any, "deletionGracePeriodSeconds": any, "selfLink": text, "managedFields": any,
    }})
}

/// A lowercase RFC 1123 subdomain.
const NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// `; did you mean "x"?` if there is something near.
pub fn near<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = word.to_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).clamp(1, 3))
        .map(|(_, known)| format!("; did you mean {known:?}?"))
        .unwrap_or_default()
}
