//! The page of a kind, made of its schema: every field with type, default, bounds and meaning.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use super::markdown::{MARK, cell, codes};

/// Fields with fields of their own, by their path.
type Sections<'a> = Vec<(String, &'a JSONSchemaProps)>;

/// The page.
pub(super) fn page(crd: &CustomResourceDefinition) -> String {
    let (names, group) = (&crd.spec.names, &crd.spec.group);
    let mut page = String::new();
    for version in &crd.spec.versions {
        let Some(root) = version.schema.as_ref().and_then(|it| it.open_api_v3_schema.as_ref())
        else {
            continue;
        };
        let (kind, version) = (&names.kind, &version.name);
        let scope = if crd.spec.scope == "Cluster" { "cluster-scoped" } else { "in a namespace" };
        let about = cell(root.description.as_deref().unwrap_or_default());
        let short = codes(names.short_names.iter().flatten().map(String::as_str));
        let command = format!("kubectl explain {}.spec", names.singular.as_deref().unwrap_or(kind));
        let _ = write!(
            page,
            "{MARK}# {kind}\n\n{about}\n\n`apiVersion: {group}/{version}`, `kind: {kind}`; {scope}; short \
             name {short}. `{command}` says the same at the terminal.\n",
        );
        for (path, schema) in sections(root) {
            section(&mut page, &path, schema);
        }
    }
    page
}

/// Spec and status, each followed by what is in it.
fn sections(root: &JSONSchemaProps) -> Sections<'_> {
    let mut found = Vec::new();
    for part in ["spec", "status"] {
        if let Some(schema) = root.properties.as_ref().and_then(|fields| fields.get(part)) {
            gather(part, schema, &mut found);
        }
    }
    found
}

fn gather<'a>(path: &str, schema: &'a JSONSchemaProps, found: &mut Sections<'a>) {
    let (suffix, inner) = inner(schema);
    let Some(fields) = &inner.properties else { return };
    let path = format!("{path}{suffix}");
    found.push((path.clone(), inner));
    for (name, field) in fields {
        gather(&format!("{path}.{name}"), field, found);
    }
}

/// What a list or a map holds, and how that is written after its path.
fn inner(schema: &JSONSchemaProps) -> (&'static str, &JSONSchemaProps) {
    match (&schema.items, &schema.additional_properties) {
        (Some(JSONSchemaPropsOrArray::Schema(items)), _) => ("[]", items),
        (_, Some(JSONSchemaPropsOrBool::Schema(values))) => ("{}", values),
        _ => ("", schema),
    }
}

fn section(page: &mut String, path: &str, schema: &JSONSchemaProps) {
    let level = if path.contains('.') { "###" } else { "##" };
    let about = cell(schema.description.as_deref().unwrap_or_default());
    let _ = write!(
        page,
        "\n{level} {path}\n\n{about}\n\n| field | type | | meaning |\n|---|---|---|---|\n"
    );
    for (name, field) in schema.properties.iter().flatten() {
        let is_required = schema.required.iter().flatten().any(|it| it == name);
        let text = [
            cell(field.description.as_deref().unwrap_or_default()),
            bounds(field),
            if inner(field).1.properties.is_some() {
                String::new()
            } else {
                told_apart(&refusals(field))
            },
        ];
        let text: Vec<&str> = text.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        let (name, type_) = (linked(path, name, field), type_of(field));
        let needed = if is_required { "required".to_owned() } else { default(field) };
        let _ = writeln!(page, "| {name} | {type_} | {needed} | {} |", text.join(" "));
    }
    let refusals = refusals(schema);
    if !refusals.is_empty() {
        let _ = write!(page, "\nRules:\n\n- {}\n", refusals.join("\n- "));
    }
}

/// Name of a field, as a link where it has a section.
fn linked(path: &str, name: &str, field: &JSONSchemaProps) -> String {
    if inner(field).1.properties.is_none() {
        return format!("`{name}`");
    }
    let target: String = format!("{path}.{name}").to_lowercase();
    let target: String =
        target.chars().filter(|it| it.is_alphanumeric() || "-_".contains(*it)).collect();
    format!("[`{name}`](#{target})")
}

fn default(field: &JSONSchemaProps) -> String {
    field.default.as_ref().map(|value| format!("default `{}`", value.0)).unwrap_or_default()
}

fn type_of(schema: &JSONSchemaProps) -> String {
    let (suffix, held) = inner(schema);
    let plain = |schema: &JSONSchemaProps| match schema.type_.as_deref() {
        _ if schema.x_kubernetes_int_or_string == Some(true) => "quantity".to_owned(),
        Some("string") if schema.format.as_deref() == Some("date-time") => "time".to_owned(),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    };
    match suffix {
        "[]" => format!("list of {}", plain(held)),
        "{}" => format!("map to {}", plain(held)),
        _ => plain(schema),
    }
}

/// What the schema allows, in words.
fn bounds(schema: &JSONSchemaProps) -> String {
    let (suffix, held) = inner(schema);
    let mut all = own_bounds(schema);
    if !suffix.is_empty() {
        all.extend(own_bounds(held).into_iter().map(|bound| format!("each: {bound}")));
    }
    if all.is_empty() { String::new() } else { format!("*{}.*", all.join("; ")) }
}

fn own_bounds(schema: &JSONSchemaProps) -> Vec<String> {
    let choices = schema.enum_.as_ref().map(|values| {
        let values: Vec<String> =
            values.iter().filter_map(|value| Some(value.0.as_str()?.to_owned())).collect();
        format!("one of {}", codes(values.iter().map(String::as_str)))
    });
    let number = |value: f64| value.to_string();
    let count = |value: i64| value.to_string();
    [
        choices,
        range(schema.minimum.map(number), schema.maximum.map(number), ""),
        range(schema.min_length.map(count), schema.max_length.map(count), " characters"),
        range(schema.min_items.map(count), schema.max_items.map(count), " items"),
        range(schema.min_properties.map(count), schema.max_properties.map(count), " entries"),
        schema.pattern.as_ref().map(|pattern| format!("matches `{}`", pattern.replace('|', "\\|"))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn range(least: Option<String>, most: Option<String>, of: &str) -> Option<String> {
    match (least.filter(|it| it != "0" || of.is_empty()), most) {
        (Some(least), Some(most)) if least == most => Some(format!("{least}{of}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most}{of}")),
        (Some(least), None) => Some(format!("at least {least}{of}")),
        (None, Some(most)) => Some(format!("at most {most}{of}")),
        (None, None) => None,
    }
}

/// Rules of a field without a section of its own.
fn told_apart(refusals: &[String]) -> String {
    if refusals.is_empty() { String::new() } else { format!("Rules: {}.", refusals.join("; ")) }
}

/// What the API server says where a rule of the schema is broken.
fn refusals(schema: &JSONSchemaProps) -> Vec<String> {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    let said = rules.filter_map(|rule| {
        let expression = rule.message_expression.as_deref();
        let fixed = expression.and_then(|it| it.strip_prefix('\'')?.split('\'').next());
        rule.message.as_deref().or(fixed)
    });
    said.map(|text| cell(text.trim_end_matches(": "))).collect()
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::api::crds;

    #[test]
    fn fields_have_type_default_bounds_and_meaning() {
        let domain = crds::all().into_iter().find(|it| it.spec.names.kind == "Domain").unwrap();
        let page = page(&domain);
        for part in [
            "`apiVersion: polder.dev/v1alpha1`, `kind: Domain`; cluster-scoped; short name `dom`.",
            "\n### spec.quota.storage[]\n",
            "| [`quota`](#specquota) | object |",
            "| `suspend` | boolean |",
            "one of `Retain`, `Delete`",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}
