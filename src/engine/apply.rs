//! Bringing one child to what it should be, with no request where it already is.

use std::{
    collections::HashSet,
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    context::{Context, Controller, Memory, lock},
    decode::Incoming,
    digest,
    error::{Class, RequestError},
    hold_off::Why,
    http::{Http, Want},
    plan::{Child, Fault, Ownership},
    resource::ObjectKey,
    send::target,
    world::{Dep, RootId, Stored, path_of},
};

/// On an absent object any resourceVersion creates; on a present one this, which no object ever
/// has, is a conflict. So an apply with it cannot take over what is not ours.
const MUST_NOT_EXIST: &str = "1";

/// One pass over one root, as applying and pruning see it.
pub(crate) struct Pass<'a> {
    pub context: &'a Context,
    pub controller: &'a Controller,
    pub id: &'a RootId,
    pub uid: &'a str,
    pub name: &'a str,
    pub memory: &'a Mutex<Memory>,
    /// Writes only while this process has the root's shard.
    pub http: Http,
    /// Objects this pass looked at.
    pub deps: Mutex<HashSet<Dep>>,
    /// Something was written.
    pub wrote: AtomicBool,
}

/// What became of a child.
#[derive(Debug)]
pub(crate) enum Outcome {
    InPlace,
    Applied,
    Generated(ObjectKey),
    Waiting(Fault),
    Conflict(Fault),
    Rejected(Fault),
    Failed(Fault, Option<Duration>),
}

/// A child on its way.
pub(super) struct Wanted<'a> {
    pub child: &'a Child,
    pub key: &'a ObjectKey,
    pub index: usize,
    pub path: String,
    /// Normalised, with `@` for the owner's uid.
    pub object: Value,
    pub digest: u128,
}

impl Pass<'_> {
    /// Brings a child to what it should be.
    pub(super) async fn child(&self, child: &Child) -> Outcome {
        let key = child.key();
        if key.name.is_empty() || key.namespace.is_some() != key.resource.namespaced {
            let message = format!("BUG: {key} was planned without its name or namespace");
            return Outcome::Rejected(Fault { key, message });
        }
        if let Ownership::Generated { key: entry, bytes, exists } = &child.ownership {
            return if *exists {
                Outcome::InPlace
            } else {
                self.generate(child, key, entry, *bytes).await
            };
        }
        let Some(index) = self.context.world.index(&key.resource) else {
            let message = format!("BUG: {key} is of a type that nobody watches");
            return Outcome::Rejected(Fault { key, message });
        };
        let object = self.desired(child, index);
        let digest = digest::digest(self.uid, &object);
        let path = path_of(&key);
        let wanted = Wanted { child, key: &key, index, path, object, digest };
        self.wanted(&wanted).await
    }

    async fn wanted(&self, wanted: &Wanted<'_>) -> Outcome {
        lock(&self.deps).insert(Dep::object(wanted.index, &wanted.path));
        let stored = self.context.world.look(wanted.index, &wanted.path, Some(self.id));
        match stored {
            Some(stored) if stored.record.deleting => self.waits(wanted),
            Some(stored) if !self.is_ours(&stored, wanted) => {
                if self.is_orphan(&stored) {
                    self.waits(wanted)
                } else {
                    Outcome::Conflict(conflict(wanted.child, wanted.key))
                }
            }
            Some(stored) if self.is_current(&stored, wanted) => {
                self.release(wanted);
                Outcome::InPlace
            }
            Some(stored) => {
                let uid = stored.record.uid.as_str();
                if let Some(outcome) = self.held_off(wanted, uid) {
                    outcome
                } else {
                    let result = self.send(wanted, json!({ "uid": uid })).await;
                    self.conclude(wanted, uid, result)
                }
            }
            None => match self.held_off(wanted, "") {
                Some(outcome) => outcome,
                None => self.create(wanted).await,
            },
        }
    }

    fn waits(&self, wanted: &Wanted<'_>) -> Outcome {
        self.release(wanted);
        let key = wanted.key.clone();
        let message = format!("{key} is still being deleted; it will be made anew when it is gone");
        Outcome::Waiting(Fault { key, message })
    }

    /// Controlled by this root, or made by it and robbed of its owner since, or handed over.
    fn is_ours(&self, stored: &Stored, wanted: &Wanted<'_>) -> bool {
        let made = stored.applied == Some(wanted.digest)
            && stored.fields.as_ref().is_some_and(|f| f.manager == self.controller.manager);
        belongs(
            wanted.child,
            self.uid,
            stored.record.controller.as_deref(),
            made,
            &stored.record.labels,
        )
    }

    /// Made by this kind for a root that is gone: the garbage collector is about to take it.
    fn is_orphan(&self, stored: &Stored) -> bool {
        let ours = stored.fields.as_ref().is_some_and(|f| f.manager == self.controller.manager);
        let owner = stored.record.controller.as_deref();
        ours && owner.is_some_and(|uid| !self.context.world.is_root(uid))
    }

    fn is_current(&self, stored: &Stored, wanted: &Wanted<'_>) -> bool {
        stored.settled == Some(wanted.digest)
            || (stored.applied == Some(wanted.digest)
                && stored.fields.as_ref().is_some_and(|owned| {
                    owned.manager == self.controller.manager
                        && serde_json::from_str::<Value>(&owned.fields)
                            .is_ok_and(|fields| digest::covers_object(&fields, &wanted.object))
                }))
    }

    /// Makes an object that is in no store, without taking over one that is there after all.
    async fn create(&self, wanted: &Wanted<'_>) -> Outcome {
        let known_conflict =
            { lock(self.memory).held_off.get(&wanted.slot()).is_some_and(|held| held.conflict) };
        if !known_conflict {
            let result = self.send(wanted, json!({ "resourceVersion": MUST_NOT_EXIST })).await;
            match result {
                Err(error) if error.class() == Class::Conflict => {}
                result => return self.conclude(wanted, "", result),
            }
        }
        // It exists, but its watch does not show it: look whose it is.
        match self.inspect(wanted).await {
            Err(error) if error.class() == Class::Gone => {
                self.release(wanted);
                let key = wanted.key.clone();
                let message = format!("{key} has just been deleted by somebody; trying again");
                Outcome::Failed(Fault { key, message }, None)
            }
            Err(error) => self.conclude(wanted, "", Err(error)),
            Ok(found) => self.adopt(wanted, found).await,
        }
    }

    async fn inspect(&self, wanted: &Wanted<'_>) -> Result<Incoming, RequestError> {
        let text = self.http.get(target(wanted.key), Want::Metadata).await?;
        self.decode(wanted.index, &text)
    }

    async fn adopt(&self, wanted: &Wanted<'_>, found: Incoming) -> Outcome {
        let record = &found.record;
        let made = found.applied == Some(wanted.digest)
            && found.fields.as_ref().is_some_and(|f| f.manager == self.controller.manager);
        let owner = record.controller.as_deref();
        if !belongs(wanted.child, self.uid, owner, made, &record.labels) {
            let fault = conflict(wanted.child, wanted.key);
            self.hold_off(wanted, "", &fault, Why::Conflict);
            return Outcome::Conflict(fault);
        }
        if record.deleting {
            let fault = Fault {
                key: wanted.key.clone(),
                message: format!("{} is still being deleted", wanted.key),
            };
            return Outcome::Failed(fault, None);
        }
        let result = self.send(wanted, json!({ "uid": record.uid })).await;
        self.conclude(wanted, "", result)
    }

    /// `uid` is that of the object as it was known; empty if it was not.
    fn conclude(
        &self,
        wanted: &Wanted<'_>,
        uid: &str,
        result: Result<(), RequestError>,
    ) -> Outcome {
        let Err(error) = result else {
            self.release(wanted);
            return Outcome::Applied;
        };
        if matches!(error, RequestError::Timeout(_)) {
            self.context.metrics.timed_out(self.controller.driver.name());
        }
        let key = wanted.key.clone();
        match error.class() {
            Class::Rejected | Class::Policy => {
                let message = format!("{key} was refused: {error}");
                let fault = Fault { key, message };
                let policy = error.class() == Class::Policy;
                let why = if policy { Why::Policy } else { Why::Invalid };
                self.hold_off(wanted, uid, &fault, why);
                Outcome::Rejected(fault)
            }
            _ => {
                let message = format!("{key} could not be applied: {error}");
                Outcome::Failed(Fault { key, message }, error.retry_after())
            }
        }
    }
}

/// Whose an existing object is, from its controller, our mark on it, and its labels.
fn belongs(
    child: &Child,
    uid: &str,
    controller: Option<&str>,
    made: bool,
    labels: &std::collections::BTreeMap<String, String>,
) -> bool {
    match &child.ownership {
        Ownership::Retained { consent: (key, value) } => {
            controller.is_none() && (made || labels.get(key) == Some(value))
        }
        _ => controller.map_or(made, |controller| controller == uid),
    }
}

fn conflict(child: &Child, key: &ObjectKey) -> Fault {
    let message = match &child.ownership {
        Ownership::Retained { consent: (label, value) } => format!(
            "{key} exists and is not Polder's: label it {label}={value} to hand it over, or choose \
             another name"
        ),
        _ => format!("{key} exists and is not Polder's: rename or delete it"),
    };
    Fault { key: key.clone(), message }
}
