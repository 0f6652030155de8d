//! Status: compared before it is written, with the times of conditions kept where nothing flipped.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const TIME: &str = "lastTransitionTime";

/// Fills in `lastTransitionTime`: that of the live condition while the status is the same.
pub(crate) fn keep_times(desired: &mut Value, live: &Value, now: Timestamp) {
    drop_nulls(desired);
    let Some(Value::Array(conditions)) = desired.get_mut("conditions") else { return };
    for condition in conditions {
        let time = find(live, condition.get("type"))
            .filter(|old| old.get("status") == condition.get("status"))
            .and_then(|old| old.get(TIME))
            .cloned()
            .unwrap_or_else(|| Value::String(seconds(now)));
        if let Value::Object(condition) = condition {
            condition.insert(TIME.to_owned(), time);
        }
    }
}

/// How soon a status has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Something flipped that people and other objects wait for.
    Now,
    /// Details: figures, messages.
    Details,
    /// It is on its way, and was not Ready before: what follows may come within milliseconds.
    Passing,
}

/// How soon `desired` has to follow `live`.
pub(crate) fn urgency(live: &Value, desired: &Value) -> Urgency {
    let holds = |status: &Value, kind: &str| {
        find(status, Some(&Value::from(kind)))
            .is_some_and(|condition| condition.get("status") == Some(&Value::from("True")))
    };
    let generation = |status: &Value| status.get("observedGeneration").cloned();
    let is_same_spec = generation(live) == generation(desired);
    let is_falling = is_same_spec && holds(live, "Ready");
    if holds(desired, "Reconciling") && !is_falling {
        Urgency::Passing
    } else if is_same_spec && flags(live) == flags(desired) {
        Urgency::Details
    } else {
        Urgency::Now
    }
}

/// Types and statuses of all conditions.
fn flags(status: &Value) -> Vec<(Option<&Value>, Option<&Value>)> {
    let conditions = status.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().map(|c| (c.get("type"), c.get("status"))).collect()
}

/// The API keeps whole seconds.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn find<'a>(status: &'a Value, kind: Option<&Value>) -> Option<&'a Value> {
    status.get("conditions")?.as_array()?.iter().find(|c| c.get("type") == kind)
}

/// An empty object goes too: server-side apply makes null of an object that loses all its fields,
/// which a schema refuses.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_nulls);
            fields.retain(|_, value| {
                !value.is_null() && value.as_object().is_none_or(|o| !o.is_empty())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The live status with the root's end of the road written into it: for what the kind itself cannot
/// tell, because it could not be asked.
pub(crate) fn stalled(live: &Value, generation: i64, reason: &str, message: &str) -> Value {
    let mut status = match live {
        Value::Object(fields) => fields.clone(),
        _ => Map::new(),
    };
    let condition = |kind: &str, value: &str| {
        json!({
            "type": kind, "status": value, "reason": reason, "message": message,
            "observedGeneration": generation,
        })
    };
    let replaced = ["Ready", "Stalled", "Reconciling"];
    let mut conditions = vec![condition("Ready", "False"), condition("Stalled", "True")];
    if let Some(Value::Array(others)) = status.get("conditions") {
        let keep = |c: &&Value| c["type"].as_str().is_some_and(|kind| !replaced.contains(&kind));
        conditions.extend(others.iter().filter(keep).cloned());
    }
    status.insert("conditions".to_owned(), Value::Array(conditions));
    Value::Object(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05.678Z".parse().unwrap()
    }

    #[test]
    fn times_change_only_when_the_status_flips() {
        let live = json!({"conditions": [
            {"type": "Ready", "status": "True", "reason": "Old", "lastTransitionTime": "2025-01-01T00:00:00Z"},
            {"type": "Stalled", "status": "False", "lastTransitionTime": "2025-01-01T00:00:00Z"},
        ]});
        let mut desired = json!({"none": null, "empty": {"inner": {}}, "conditions": [
            {"type": "Ready", "status": "True", "reason": "New", "lastTransitionTime": "1970-01-01T00:00:00Z"},
            {"type": "Stalled", "status": "True"},
            {"type": "Fresh", "status": "Unknown"},
        ]});
        keep_times(&mut desired, &live, now());
        assert_eq!(
            desired,
            json!({"conditions": [
                {"type": "Ready", "status": "True", "reason": "New", "lastTransitionTime": "2025-01-01T00:00:00Z"},
                {"type": "Stalled", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"},
                {"type": "Fresh", "status": "Unknown", "lastTransitionTime": "2026-01-02T03:04:05Z"},
            ]})
        );
    }

    #[test]
    fn only_what_flips_is_urgent() {
        let status = |generation: i64, ready: bool, reconciling: bool, jobs: i64| {
            let text = |holds: bool| if holds { "True" } else { "False" };
            json!({"observedGeneration": generation, "jobs": jobs, "conditions": [
                {"type": "Ready", "status": text(ready), "message": jobs.to_string()},
                {"type": "Reconciling", "status": text(reconciling)},
            ]})
        };
        let ready = status(1, true, false, 1);
        let going = status(1, false, true, 1);
        for (live, desired, expected) in [
            (&Value::Null, &going, Urgency::Passing),
            (&Value::Null, &ready, Urgency::Now),
            (&going, &status(1, false, true, 2), Urgency::Passing),
            (&going, &ready, Urgency::Now),
            (&going, &status(1, false, false, 1), Urgency::Now),
            (&ready, &going, Urgency::Now),
            (&ready, &status(2, false, true, 1), Urgency::Passing),
            (&ready, &status(2, true, false, 1), Urgency::Now),
            (&ready, &status(1, true, false, 2), Urgency::Details),
        ] {
            assert_eq!(urgency(live, desired), expected, "{live} {desired}");
        }
    }

    #[test]
    fn a_stalled_root_keeps_what_else_was_known() {
        let live = json!({"size": 3, "conditions": [
            {"type": "Reconciling", "status": "True"}, {"type": "Own", "status": "True"}]});
        let status = stalled(&live, 4, "Undecodable", "no");
        assert_eq!(status["size"], 3);
        let kinds: Vec<_> =
            status["conditions"].as_array().unwrap().iter().map(|c| &c["type"]).collect();
        assert_eq!(kinds, ["Ready", "Stalled", "Own"]);
    }
}
