//! Roots as they are kept: the JSON text, without what no kind reads. A decoded object takes several
//! times as much: each of its maps is a tree with room for eleven entries.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, sync::Arc};

use serde_json::value::RawValue;

/// What others note of their own writes: as large as the rest of most objects.
const MANAGED_FIELDS: &str = "managedFields";
/// What `kubectl apply` without `--server-side` leaves: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

type Parts<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The text of an object, and where its status stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lean {
    text: Arc<str>,
    status: Option<Range<usize>>,
}

impl Lean {
    /// Reduces the JSON of an object.
    pub(crate) fn of(json: &str) -> Result<Self, serde_json::Error> {
        let mut object = String::with_capacity(json.len());
        let mut status = None;
        let whole: Parts<'_> = serde_json::from_str(json)?;
        write(&mut object, &whole, |text, key, raw| {
            match key {
                "metadata" => metadata(text, raw)?,
                "status" if raw.get() != "null" => {
                    let start = text.len();
                    text.push_str(raw.get());
                    status = Some(start..text.len());
                }
                _ => text.push_str(raw.get()),
            }
            Ok(())
        })?;
        Ok(Self { text: object.into(), status })
    }

    /// All of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text of `.status`, if there is one.
    pub(crate) fn status(&self) -> Option<&str> {
        self.text.get(self.status.clone()?)
    }
}

fn metadata(text: &mut String, raw: &RawValue) -> Result<(), serde_json::Error> {
    let mut parts: Parts<'_> = serde_json::from_str(raw.get())?;
    parts.remove(MANAGED_FIELDS);
    write(text, &parts, |text, key, raw| {
        // `null` has no entries.
        if key != "annotations" || raw.get() == "null" {
            text.push_str(raw.get());
            return Ok(());
        }
        let mut notes: Parts<'_> = serde_json::from_str(raw.get())?;
        notes.remove(LAST_APPLIED);
        write(text, &notes, |text, _, raw| {
            text.push_str(raw.get());
            Ok(())
        })
    })
}

/// Writes an object whose values `value` writes.
fn write<'a>(
    text: &mut String,
    parts: &Parts<'a>,
    mut value: impl FnMut(&mut String, &str, &'a RawValue) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    text.push('{');
    for (index, (key, raw)) in parts.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(key)?);
        text.push(':');
        value(text, key, raw)?;
    }
    text.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn lean(object: &Value) -> (Value, Option<Value>) {
        let lean = Lean::of(&object.to_string()).unwrap();
        let status = lean.status().map(|text| serde_json::from_str(text).unwrap());
        (serde_json::from_str(lean.text()).unwrap(), status)
    }

    #[test]
    fn what_no_kind_reads_is_left_out_and_nothing_else() {
        let mut object = json!({
            "kind": "Domain", "spec": {"a": ["\"", {"managedFields": 1}]},
            "metadata": {"name": "x", "annotations": {"a\"b": "c"}, "labels": null},
            "status": {"conditions": []},
        });
        let expected = object.clone();
        object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
        object["metadata"]["annotations"][LAST_APPLIED] = json!("{}");
        assert_eq!(lean(&object), (expected, Some(json!({"conditions": []}))));
    }

    #[test]
    fn an_object_may_lack_anything() {
        for object in [
            json!({}),
            json!({"metadata": {}, "status": null}),
            json!({"metadata": {"annotations": null}}),
        ] {
            assert_eq!(lean(&object), (object, None));
        }
        assert!(Lean::of("[]").is_err());
        assert!(Lean::of(r#"{"metadata": 1}"#).is_err());
    }
}
