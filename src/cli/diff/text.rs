//! Differences for people.

use std::fmt::Write;

use serde_json::Value;

use super::{
    compare::{Difference, Found},
    running::HERE,
};
use crate::offline::changes::Change;

/// What the manifests change; before that, what this version would change without them.
pub(super) fn text(found: &Found) -> String {
    if found.without_files.is_empty() {
        return paragraphs(&found.by_files);
    }
    let without = paragraphs(&found.without_files);
    let by_files = match paragraphs(&found.by_files) {
        none if none.is_empty() => "nothing\n".to_owned(),
        some => some,
    };
    format!(
        "Without these files, Polder {HERE} would restart pods: the operator of the cluster is of another \
         version, or has not come to it yet\n{without}\nBy these files\n{by_files}"
    )
}

/// A paragraph for each root: its children, field by field, then what that does to pods.
fn paragraphs(all: &[Difference]) -> String {
    let mut text = String::new();
    for difference in all {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}", difference.root);
        for child in &difference.children {
            let sign = match child.action {
                "create" => '+',
                "delete" => '-',
                _ => '~',
            };
            let _ = writeln!(text, "  {sign} {}", child.child);
            for change in &child.changes {
                let _ = writeln!(text, "      {}", line(change));
            }
        }
        for problem in &difference.problems {
            let _ = writeln!(text, "  ! nothing of it would be done: {problem}");
        }
        if difference.effects.is_empty() && difference.problems.is_empty() {
            let _ = writeln!(text, "  => restarts nothing");
        }
        for effect in &difference.effects {
            let why = if effect.because.is_empty() {
                String::new()
            } else {
                format!(": {}", effect.because.join(", "))
            };
            let _ = writeln!(text, "  => {}{why}", effect.what);
        }
    }
    text
}

fn line(change: &Change) -> String {
    let Change { field, before, after } = change;
    match (before, after) {
        (None, Some(after)) => format!("{field}: + {}", shown(after)),
        (Some(before), None) => format!("{field}: - {}", shown(before)),
        (before, after) => {
            let of = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
            format!("{field}: {} -> {}", of(before), of(after))
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
