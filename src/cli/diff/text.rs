//! Differences for people.

use std::fmt::Write;

use serde_json::Value;

use super::Difference;
use crate::offline::changes::Change;

/// A paragraph for each root: its children, field by field, then what that does to pods.
pub(super) fn text(all: &[Difference]) -> String {
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
