//! One pass over an object along its schema.

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::{Map, Value, json};

use super::{super::cel, NAME, Schemas, near};
use crate::engine::Problem;

/// One pass over an object.
pub(super) struct Pass<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) problems: Vec<Problem>,
}

impl Pass<'_> {
    pub(super) fn add(&mut self, reason: &'static str, path: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(reason, path, message));
    }

    pub(super) fn value(&mut self, schema: &JSONSchemaProps, value: &Value, path: &str) {
        if value.is_null() {
            return;
        }
        let before = self.problems.len();
        if !is_of_type(schema, value) {
            let wanted = schema.type_.as_deref().unwrap_or("integer or string");
            self.add(
                "WrongType",
                path,
                format!("must be of type {wanted}, and is {}", type_of(value)),
            );
            return;
        }
        if let Some(allowed) = &schema.enum_
            && !allowed.iter().any(|it| it.0 == *value)
        {
            let all: Vec<String> = allowed.iter().map(|it| it.0.to_string()).collect();
            let hint = near(
                value.as_str().unwrap_or_default(),
                allowed.iter().filter_map(|it| it.0.as_str()),
            );
            self.add(
                "NotSupported",
                path,
                format!("Unsupported value: {value}; supported values: {}{hint}", all.join(", ")),
            );
        }
        match value {
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or_default(), path),
            Value::Array(items) => self.items(schema, items, path),
            Value::Object(fields) => self.fields(schema, fields, path),
            Value::Null | Value::Bool(_) => {}
        }
        // Rules may rest on what the schema says.
        if self.problems.len() == before {
            self.rules(schema, value, path);
        }
    }

    fn rules(&mut self, schema: &JSONSchemaProps, value: &Value, path: &str) {
        let Some(rules) =
            schema.x_kubernetes_validations.as_ref().filter(|rules| !rules.is_empty())
        else {
            return;
        };
        let itself = cel::value(schema, value);
        for rule in rules.iter().filter(|rule| !cel::is_about_change(rule)) {
            if let Some(message) = self.schemas.rules.broken(rule, &itself, None) {
                self.add("RuleBroken", path, message);
            }
        }
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, path: &str) {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(most) = schema.max_length.filter(|most| length > *most) {
            self.add(
                "TooLong",
                path,
                format!("Too long: {length} characters, may not be more than {most}"),
            );
        }
        if let Some(least) = schema.min_length.filter(|least| length < *least) {
            self.add("TooShort", path, format!("should be at least {least} chars long"));
        }
        if let Some(pattern) = &schema.pattern
            && !self.schemas.matches(pattern, text)
        {
            let hint = if pattern == NAME {
                " (a lowercase name of letters, digits, dashes and dots)"
            } else {
                ""
            };
            self.add("NoMatch", path, format!("{text:?} should match '{pattern}'{hint}"));
        }
    }

    fn number(&mut self, schema: &JSONSchemaProps, number: f64, path: &str) {
        let range = if schema.format.as_deref() == Some("int32") {
            f64::from(i32::MAX)
        } else {
            f64::INFINITY
        };
        let (least, most) = (schema.minimum.unwrap_or(-range), schema.maximum.unwrap_or(range));
        if number < least {
            self.add(
                "TooSmall",
                path,
                format!("{number} should be greater than or equal to {least}"),
            );
        }
        if number > most {
            self.add("TooLarge", path, format!("{number} should be less than or equal to {most}"));
        }
    }

    fn items(&mut self, schema: &JSONSchemaProps, items: &[Value], path: &str) {
        self.count(items.len(), (schema.min_items, schema.max_items), "items", path);
        if let Some(JSONSchemaPropsOrArray::Schema(each)) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                self.value(each, item, &format!("{path}[{index}]"));
            }
        }
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(key) = key_of(schema, item)
                && !seen.insert(key.to_string())
            {
                self.add(
                    "Duplicate",
                    &format!("{path}[{index}]"),
                    format!("Duplicate value: {key} stands here twice; keep one"),
                );
            }
        }
    }

    fn count(
        &mut self,
        count: usize,
        (least, most): (Option<i64>, Option<i64>),
        what: &str,
        path: &str,
    ) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(most) = most.filter(|most| count > *most) {
            self.add(
                "TooMany",
                path,
                format!("Too many: {count}: must have at most {most} {what}"),
            );
        }
        if let Some(least) = least.filter(|least| count < *least) {
            self.add("TooFew", path, format!("should have at least {least} {what}"));
        }
    }

    fn fields(&mut self, schema: &JSONSchemaProps, fields: &Map<String, Value>, path: &str) {
        let below =
            |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in schema.required.iter().flatten() {
            if fields.get(name).is_none_or(Value::is_null) {
                self.add("Required", &below(name), "Required value: this field must be set");
            }
        }
        let none = BTreeMap::new();
        let known = schema.properties.as_ref().unwrap_or(&none);
        if let Some(JSONSchemaPropsOrBool::Schema(each)) = &schema.additional_properties {
            self.count(
                fields.len(),
                (schema.min_properties, schema.max_properties),
                "properties",
                path,
            );
            for (name, value) in fields {
                self.value(each, value, &below(name));
            }
            return;
        }
        self.count(
            fields.len(),
            (schema.min_properties, schema.max_properties),
            "properties",
            path,
        );
        for (name, value) in fields {
            match known.get(name) {
                Some(schema) => self.value(schema, value, &below(name)),
                None if known.is_empty() => {}
                None => {
                    let field = below(name);
                    let hint = near(name, known.keys().map(String::as_str));
                    let hint = if hint.is_empty() {
                        format!("; there are: {}", names(known))
                    } else {
                        hint
                    };
                    self.add("UnknownField", &field, format!("unknown field {field:?}{hint}"));
                }
            }
        }
    }
}

fn names(known: &BTreeMap<String, JSONSchemaProps>) -> String {
    known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn is_of_type(schema: &JSONSchemaProps, value: &Value) -> bool {
    if schema.x_kubernetes_int_or_string == Some(true) {
        return value.is_string() || value.as_i64().is_some();
    }
    match schema.type_.as_deref() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    }
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => {
            format!("the boolean {value}; put it in quotes if it is meant as text")
        }
        Value::Number(value) => {
            format!("the number {value}; put it in quotes if it is meant as text")
        }
        Value::String(value) => format!("the text {value:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// What may stand only once in a list: an item of a set, the keys of one of a map.
fn key_of(schema: &JSONSchemaProps, item: &Value) -> Option<Value> {
    match schema.x_kubernetes_list_type.as_deref()? {
        "set" => Some(item.clone()),
        "map" => {
            let keys = schema.x_kubernetes_list_map_keys.as_ref()?;
            let found = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
            Some(Value::Object(found.collect())).filter(|key| *key != json!({}))
        }
        _ => None,
    }
}
