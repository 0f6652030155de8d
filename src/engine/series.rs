//! Events as the API server keeps them: what is said of an object again soon counts on.
//!
//! kube's `Recorder` takes two events of an object for one if their reasons are equal, and keeps the
//! note of the first: the second failure of a job would be told in the words of the first. Here the
//! note is part of what makes them equal.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Mutex,
};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::context::lock;

/// How long after it was told something still counts on, as in client-go.
/// Source: <https://github.com/kubernetes/client-go/blob/master/tools/events/event_broadcaster.go>
const SOON: SignedDuration = SignedDuration::from_mins(6);
/// Who tells.
const CONTROLLER: &str = "polder";

/// What is told of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saying {
    /// Of what.
    pub(super) regarding: ObjectReference,
    /// `Normal` or `Warning`.
    pub(super) type_: &'static str,
    /// In PascalCase.
    pub(super) reason: String,
    /// In words.
    pub(super) note: String,
}

/// Of object, reason and note.
type Key = u64;

/// An event that exists.
struct Told {
    name: String,
    count: i32,
    at: Timestamp,
}

/// Tells, and knows what it told lately.
pub(super) struct Series {
    client: Client,
    instance: String,
    told: Mutex<HashMap<Key, Told>>,
}

impl Series {
    /// Knows nothing yet.
    pub(super) fn new(client: Client, identity: &str) -> Self {
        Self { client, instance: identity.to_owned(), told: Mutex::default() }
    }

    /// Makes an event, or counts on the one that says the same.
    pub(super) async fn tell(&self, saying: &Saying) -> Result<(), kube::Error> {
        let now = Timestamp::now();
        let namespace = saying.regarding.namespace.as_deref().unwrap_or("default");
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let (name, count) = count(&mut lock(&self.told), saying, now);
        if count > 1 {
            let series = json!({"count": count, "lastObservedTime": MicroTime(now)});
            let patch = Patch::Merge(json!({"series": series}));
            match events.patch(&name, &PatchParams::default(), &patch).await {
                // Events are kept for an hour, or less.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                other => return other.map(drop),
            }
        }
        let made = events.create(&PostParams::default(), &self.event(saying, &name, now)).await;
        if made.is_err() {
            lock(&self.told).remove(&key(saying));
        }
        made.map(drop)
    }

    fn event(&self, saying: &Saying, name: &str, now: Timestamp) -> Event {
        Event {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            event_time: Some(MicroTime(now)),
            type_: Some(saying.type_.to_owned()),
            reason: Some(saying.reason.clone()),
            note: Some(saying.note.clone()),
            action: Some("Reconcile".to_owned()),
            regarding: Some(saying.regarding.clone()),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }
}

fn key(saying: &Saying) -> Key {
    let mut hasher = DefaultHasher::new();
    (&saying.regarding.uid, &saying.reason, &saying.note).hash(&mut hasher);
    hasher.finish()
}

/// Name of the event for this, and how often it has been told with this time.
fn count(told: &mut HashMap<Key, Told>, saying: &Saying, now: Timestamp) -> (String, i32) {
    told.retain(|_, told| told.at + SOON > now);
    let told = told.entry(key(saying)).or_insert_with(|| {
        let of = saying.regarding.name.as_deref().unwrap_or(CONTROLLER);
        Told { name: format!("{of}.{:x}", now.as_nanosecond()), count: 0, at: now }
    });
    told.count = told.count.saturating_add(1);
    told.at = now;
    (told.name.clone(), told.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(note: &str) -> Saying {
        let name = Some("load".to_owned());
        Saying {
            regarding: ObjectReference { name, ..ObjectReference::default() },
            type_: "Warning",
            reason: "Failed".to_owned(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_same_counts_on_and_another_note_is_another_event() {
        let mut told = HashMap::new();
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let at = |minutes| start + SignedDuration::from_mins(minutes);
        let (first, one) = count(&mut told, &saying("exit code 1"), at(0));
        let (again, two) = count(&mut told, &saying("exit code 1"), at(5));
        assert_eq!((again, one, two), (first.clone(), 1, 2));
        let (other, one) = count(&mut told, &saying("exit code 2"), at(6));
        assert!(other != first && one == 1);
        let (late, one) = count(&mut told, &saying("exit code 1"), at(20));
        assert!(late != first && one == 1);
        assert_eq!(told.len(), 1, "what is old is forgotten");
    }
}
