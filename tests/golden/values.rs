//! The chart's values: described, with a default of the right kind, and in the reference.

use std::{fmt::Write, fs, path::Path};

use serde_json::Value;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/polder");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/values.md");

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(CHART).join(name)).unwrap()
}

/// One line of the reference.
struct Row {
    path: String,
    default: String,
    description: String,
}

/// The leaves of the schema, each with its default. Those of `global` are a parent chart's.
fn rows(path: &str, parent: &Value, value: &Value, rows: &mut Vec<Row>) {
    for (name, schema) in parent["properties"].as_object().unwrap() {
        let of = if path.is_empty() { "" } else { parent["description"].as_str().unwrap() };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let value = value.get(name);
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "{path} has no description in values.schema.json");
        match value {
            _ if path == "global" => {}
            Some(value) if has_values_of_its_own(schema, value) => {
                self::rows(&path, schema, value, rows);
            }
            Some(value) => rows.push(Row {
                path,
                default: value.to_string(),
                description: format!("{of} {description}{}", bounds(schema)),
            }),
            None => panic!("{path} has no default in values.yaml"),
        }
    }
}

/// Whether its fields are values of their own. Fields without a default are Kubernetes' own.
fn has_values_of_its_own(schema: &Value, value: &Value) -> bool {
    let properties = schema["properties"].as_object();
    properties.is_some_and(|fields| fields.keys().all(|name| value.get(name).is_some()))
}

/// What the schema allows, in words.
fn bounds(schema: &Value) -> String {
    let choice = |field: &str| schema[field].as_array().or(schema["items"][field].as_array());
    if let Some(choices) = choice("enum") {
        let words: Vec<String> =
            choices.iter().map(|it| format!("`{}`", it.as_str().unwrap())).collect();
        return format!(" One of {}.", words.join(", "));
    }
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, _) => String::new(),
        (least, Value::Null) => format!(" At least {least}."),
        (least, most) => format!(" {least} to {most}."),
    }
}

fn reference() -> String {
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let values: Value = serde_yaml::from_str(&read("values.yaml")).unwrap();
    let known = schema["properties"].as_object().unwrap();
    for name in values.as_object().unwrap().keys() {
        assert!(known.contains_key(name), "{name} of values.yaml is not in values.schema.json");
    }
    let mut found = Vec::new();
    rows("", &schema, &values, &mut found);
    let mut page = "# Values of the chart\n\n\
        Generated from `charts/polder/values.schema.json` and `values.yaml` by `make generate`. An\n\
        unknown value, or one of the wrong kind, is refused before anything is sent. Comments in\n\
        [values.yaml](https://github.com/polder-dev/polder/blob/main/charts/polder/values.yaml)\n\
        say more.\n\n\
        | value | default | |\n|---|---|---|\n"
        .to_owned();
    for Row { path, default, description } in found {
        let cell = |text: &str| text.replace('|', "\\|");
        writeln!(page, "| `{path}` | `{}` | {} |", cell(&default), cell(description.trim()))
            .unwrap();
    }
    page
}

/// `make generate` writes it: POLDER_GENERATE is set.
#[test]
fn the_reference_of_the_values_is_what_the_schema_says() {
    let fresh = reference();
    if std::env::var_os("POLDER_GENERATE").is_some() {
        fs::write(REFERENCE, &fresh).unwrap();
    }
    let found = fs::read_to_string(REFERENCE).unwrap_or_default();
    assert!(found == fresh, "docs/reference/values.md is not up to date: run `make generate`");
}

#[test]
fn chart_and_operator_have_one_version() {
    let chart: Value = serde_yaml::from_str(&read("Chart.yaml")).unwrap();
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}
