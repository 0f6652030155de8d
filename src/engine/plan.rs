//! What a kind wants, and what became of it: the values that pass between kinds and engine.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::resource::{ObjectKey, ResourceType};

/// Something wrong with a root that its owner has to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Condition reason, CamelCase and stable: people alert on it.
    pub reason: &'static str,
    /// Path of the field, such as `spec.workers[0].nodePool`.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A problem of `field`.
    pub fn new(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason, field: field.into(), message: message.into() }
    }
}

/// The children of a root, as they should be.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Wanted objects. A child of rank n+1 is sent only after every child of rank n was accepted.
    pub children: Vec<Child>,
    /// The last rank to be sent this time; later ones wait for something the plan knows of
    /// (a quota in force, say) whose change wakes the root. `None`: all.
    pub hold_after: Option<u8>,
    /// Objects of ours that are not in `children` but must not be pruned (finished runs).
    pub keep: Vec<ObjectKey>,
    /// Objects that are to go although we are not their controller (runs of a `CronJob` of ours).
    pub delete: Vec<ObjectKey>,
    /// When to look again although nothing changed.
    pub requeue_at: Option<Timestamp>,
}

/// One wanted object.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its type.
    pub resource: ResourceType,
    /// Order: lower ranks first.
    pub rank: u8,
    /// Whose it is.
    pub ownership: Ownership,
    /// The next rank needs rights that this object gives: it waits, within reason, until the API
    /// server knows them.
    pub gives_rights: bool,
    /// The object without `status`, with `metadata.name` and, unless cluster-scoped,
    /// `metadata.namespace`. The engine adds owner reference and `polder.dev/applied`.
    pub object: Value,
}

/// How a child belongs to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Controlled through an owner reference, pruned when the plan has it no more.
    Controlled,
    /// No owner reference and never pruned: it outlives its root. An object of that name that
    /// already carries this label is taken up again; one without it is a conflict.
    Retained {
        /// Label whose presence with this value is the consent, as (key, value).
        consent: (String, String),
    },
    /// Created once with generated content that the engine never reads back: a Secret.
    /// Controlled through an owner reference; its name must be one that only this root can have.
    Generated {
        /// Key of `data` to fill.
        key: String,
        /// How many random bytes; they are written as hexadecimal digits.
        bytes: usize,
        /// The root's status says that it was made: no request.
        exists: bool,
    },
}

impl Child {
    /// A child from a typed object.
    pub fn new<T: Serialize>(resource: ResourceType, rank: u8, object: &T) -> Self {
        // Kubernetes types always serialise; what does not becomes null, which apply refuses.
        let object = serde_json::to_value(object).unwrap_or_default();
        Self { resource, rank, ownership: Ownership::Controlled, gives_rights: false, object }
    }

    /// The same, giving rights that the next rank needs.
    #[must_use]
    pub fn giving_rights(mut self) -> Self {
        self.gives_rights = true;
        self
    }

    /// The same with another ownership.
    #[must_use]
    pub fn with_ownership(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }

    /// Type, namespace and name.
    pub fn key(&self) -> ObjectKey {
        let text =
            |path: &str| self.object.pointer(path).and_then(Value::as_str).map(str::to_owned);
        ObjectKey {
            resource: self.resource,
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name").unwrap_or_default(),
        }
    }
}

/// What became of a plan.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What [`validate`](super::Kind::validate) found; if anything, nothing was applied.
    pub problems: Vec<Problem>,
    /// Objects of a wanted name that belong to somebody else; untouched.
    pub conflicts: Vec<Fault>,
    /// Refused by the API server for good, until the spec or a policy changes.
    pub rejected: Vec<Fault>,
    /// Failed in a way that is tried again.
    pub failed: Vec<Fault>,
    /// Not sent yet: an older object of that name is still being deleted.
    pub waiting: Vec<Fault>,
    /// Some children were not sent: `hold_after`, or an earlier rank failed.
    pub held: bool,
    /// Keys of [`Ownership::Generated`] children that were created (or found) just now.
    pub generated: Vec<ObjectKey>,
}

impl Report {
    /// Everything that was wanted is in place.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
            && self.conflicts.is_empty()
            && self.rejected.is_empty()
            && self.failed.is_empty()
            && self.waiting.is_empty()
            && !self.held
    }
}

/// An object that could not be brought to what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The object.
    pub key: ObjectKey,
    /// What happened, in words for the root's owner.
    pub message: String,
}

/// What stands between a deleted root and its end.
#[derive(Clone, Debug)]
pub enum Finalize {
    /// Nothing: the finalizer may go.
    Done,
    /// Leave word on an object that stays, then ask again.
    Mark(Box<Farewell>),
    /// Delete these (with preconditions), then wait for a change of what was resolved.
    Wait {
        /// Objects to delete; those already gone or going are skipped.
        delete: Vec<ObjectKey>,
    },
}

/// What a root that is being deleted leaves behind on an object that outlives it.
#[derive(Clone, Debug)]
pub struct Farewell {
    /// The object as it is to be left. It is never created.
    pub child: Child,
    /// Namespace that gets an event about the object.
    pub namespace: String,
    /// Reason of the event.
    pub reason: &'static str,
    /// Text of the event.
    pub note: String,
}
