//! What differs between an object as it is wanted now and as it would be, and what that restarts.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::build::{labels, quantity};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Path; items of lists that have names go by them: `spec.template.spec.containers[driver].image`.
    pub field: String,
    /// What it was; `None` if it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it becomes; `None` if it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// All fields that differ, in the order of their paths.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            let (one, other) = (named(one), named(other));
            let names: BTreeSet<&String> = one.iter().chain(&other).map(|(name, _)| name).collect();
            let of = |all: &[(String, Value)], name: &String| {
                all.iter().find(|(it, _)| it == name).map(|(_, item)| item.clone())
            };
            for name in names {
                let (one, other) = (of(&one, name), of(&other, name));
                compare(&format!("{path}[{name}]"), one.as_ref(), other.as_ref(), found);
            }
        }
        (Some(Value::String(one)), Some(Value::String(other))) if one.contains('\n') => {
            lines(path, one, other, found);
        }
        (Some(Value::String(one)), Some(Value::String(other)))
            if is_same_amount(path, one, other) => {}
        _ => {
            let field = path.to_owned();
            found.push(Change { field, before: before.cloned(), after: after.cloned() });
        }
    }
}

/// Whether two texts are the same amount, as `1` and `1000m` are: the API server writes them in one way.
fn is_same_amount(path: &str, one: &str, other: &str) -> bool {
    let is_amount =
        [".requests.", ".limits.", ".hard.", ".sizeLimit"].iter().any(|it| path.contains(it));
    is_amount
        && matches!((quantity::milli(one), quantity::milli(other)), (Some(a), Some(b)) if a == b)
}

/// Items by their names, if all have one, or else by their places.
fn named(items: &[Value]) -> Vec<(String, Value)> {
    let name = |item: &Value| Some(item.get("name")?.as_str()?.to_owned());
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    let names = names.unwrap_or_else(|| (0..items.len()).map(|index| index.to_string()).collect());
    names.into_iter().zip(items.iter().cloned()).collect()
}

/// Lines of a text that differ; of properties, by their keys.
fn lines(path: &str, one: &str, other: &str, found: &mut Vec<Change>) {
    let split = |text: &str| -> Vec<(String, String)> {
        let pair = |line: &str| match line.split_once('=') {
            Some((key, value)) if !key.contains(' ') => (key.to_owned(), value.to_owned()),
            _ => (line.to_owned(), String::new()),
        };
        text.lines().map(pair).collect()
    };
    let (one, other) = (split(one), split(other));
    let keys: BTreeSet<&String> = one.iter().chain(&other).map(|(key, _)| key).collect();
    for key in keys {
        let of = |all: &[(String, String)]| {
            all.iter().find(|(it, _)| it == key).map(|(_, value)| Value::String(value.clone()))
        };
        let (before, after) = (of(&one), of(&other));
        if before != after {
            found.push(Change { field: format!("{path}: {key}"), before, after });
        }
    }
}

/// What a change does to pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// What happens, and to which pods.
    pub what: String,
    /// Why: the fields of the pods, or the keys of their configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

/// What becomes of pods when this child changes. `others` are the changes of the other children of
/// its root: a changed configuration restarts pods through a hash in their template.
pub fn effect(before: Option<&Value>, after: Option<&Value>, others: &[Change]) -> Vec<Effect> {
    let kind =
        |object: &Value| object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(kind) = after.or(before).map(kind) else { return Vec::new() };
    match (kind.as_str(), before, after) {
        ("StatefulSet", Some(before), Some(after)) => of_set(before, after, others),
        ("StatefulSet", None, Some(after)) => simple("starts", &pods(after, 0, replicas(after))),
        ("StatefulSet", Some(before), None) => simple("stops", &pods(before, 0, replicas(before))),
        ("Job", None, Some(after)) => simple("starts a run", &name(after)),
        ("Job", Some(before), None) => simple("ends the run", &name(before)),
        ("CronJob", Some(_), Some(_)) => simple("changes only runs that start later", ""),
        _ => Vec::new(),
    }
}

fn simple(what: &str, pods: &str) -> Vec<Effect> {
    if pods.is_empty() && what.starts_with("st") {
        return Vec::new();
    }
    vec![Effect { what: format!("{what} {pods}").trim_end().to_owned(), because: Vec::new() }]
}

fn of_set(before: &Value, after: &Value, others: &[Change]) -> Vec<Effect> {
    let (was, will_be) = (replicas(before), replicas(after));
    let mut effects = Vec::new();
    let template = |set: &Value| set.pointer("/spec/template").cloned().unwrap_or_default();
    let mut because = Vec::new();
    for change in changes(&template(before), &template(after)) {
        if change.field.ends_with("-hash") {
            because.extend(
                others.iter().filter_map(|it| it.field.strip_prefix("data.")).map(str::to_owned),
            );
        } else {
            because.push(change.field.strip_prefix("spec.").unwrap_or(&change.field).to_owned());
        }
    }
    let stay = was.min(will_be);
    if !because.is_empty() && stay > 0 {
        effects.push(Effect { what: format!("restarts {}", pods(after, 0, stay)), because });
    }
    let (more, fewer) = (pods(after, stay, will_be), pods(before, stay, was));
    effects.extend(simple("starts", &more));
    effects.extend(simple("stops", &fewer));
    effects
}

fn replicas(set: &Value) -> u64 {
    // Where the domain has no room for all of them, fewer are asked for.
    let room = set
        .get("metadata")
        .and_then(|it| it.get("annotations")?.get(labels::ROOM)?.as_str()?.parse().ok());
    let wanted = set.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    room.map_or(wanted, |room: u64| room.min(wanted))
}

fn name(object: &Value) -> String {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn pods(set: &Value, from: u64, to: u64) -> String {
    let name = name(set);
    (from..to).map(|number| format!("{name}-{number}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(replicas: u64, image: &str, hash: &str) -> Value {
        json!({"kind": "StatefulSet", "metadata": {"name": "w"}, "spec": {"replicas": replicas, "template": {
            "metadata": {"annotations": {"polder.dev/config-hash": hash}},
            "spec": {"containers": [{"name": "main", "image": image, "env": [{"name": "A", "value": hash}]}]}}}})
    }

    #[test]
    fn fields_go_by_names_and_properties_by_keys() {
        let one =
            json!({"a": {"b": 1}, "c": [{"name": "x", "v": 1}, {"name": "y"}], "t": "k=1\nl=2\n"});
        let other =
            json!({"a": {}, "c": [{"name": "y"}, {"name": "x", "v": 2}], "t": "k=1\nl=3\n"});
        let found: Vec<String> = changes(&one, &other).into_iter().map(|it| it.field).collect();
        assert_eq!(found, ["a.b", "c[x].v", "t: l"]);
        assert!(changes(&one, &one).is_empty());
        let cpu = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}, "cpu": cpu});
        assert_eq!(changes(&cpu("1"), &cpu("1000m")).len(), 1, "other texts are no amounts");
    }

    #[test]
    fn pods_restart_for_a_reason() {
        let told = |one: &Value, other: &Value| effect(Some(one), Some(other), &[]);
        let effects = told(&set(2, "a", "h"), &set(2, "b", "h"));
        assert_eq!(
            effects,
            [Effect {
                what: "restarts w-0, w-1".to_owned(),
                because: vec!["containers[main].image".to_owned()],
            }]
        );
        assert!(told(&set(2, "a", "h"), &set(2, "a", "h")).is_empty());
        let grown: Vec<String> =
            told(&set(1, "a", "h"), &set(3, "a", "h")).into_iter().map(|it| it.what).collect();
        assert_eq!(grown, ["starts w-1, w-2"]);
        let shrunk = told(&set(2, "a", "h"), &set(0, "b", "h"));
        assert_eq!(
            shrunk.iter().map(|it| it.what.as_str()).collect::<Vec<_>>(),
            ["stops w-0, w-1"]
        );
    }
}
