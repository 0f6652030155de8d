//! From the JSON of an object to what the stores keep of it.

use std::{
    any::Any,
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    digest,
    lean::Lean,
    resource::ObjectKey,
    resource::ResourceType,
    shards::shard_of,
    view::{Kept, Record},
};

/// A decoded root of any kind: an `Arc<R>`.
pub(crate) type AnyRoot = Arc<dyn Any + Send + Sync>;

/// An object as it came from the API server, reduced to what is kept.
pub(crate) struct Incoming {
    pub path: String,
    pub record: Record,
    pub version: u64,
    /// Digest from the annotation.
    pub applied: Option<u128>,
    /// Fields recorded for one of our managers, with the owner's uid replaced.
    pub fields: Option<Owned>,
    pub root: Option<RootPart>,
}

/// The entry of managed fields that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub manager: &'static str,
    pub fields: Arc<str>,
}

/// What is kept of a root besides its record.
#[derive(Clone)]
pub(crate) struct RootPart {
    pub lean: Lean,
    decode: Arc<DecodeRoot>,
    /// Why it cannot be decoded.
    pub broken: Option<Arc<str>>,
    pub generation: i64,
    pub finalizers: Vec<String>,
    pub annotations: u64,
    /// Hash of what other roots see of the status.
    pub face: u64,
    /// The shard it belongs to.
    pub shard: usize,
    /// Status and reason of the condition `Ready`.
    pub ready: Option<(String, String)>,
}

impl RootPart {
    /// The typed object, or why it could not be decoded.
    pub(crate) fn object(&self) -> Result<AnyRoot, Arc<str>> {
        match &self.broken {
            Some(message) => Err(Arc::clone(message)),
            None => Ok((self.decode)(self.lean.text())?.object),
        }
    }

    /// Whether a pass over the root itself could end differently: everything but the status.
    pub(crate) fn same_wish(&self, other: &Self) -> bool {
        self.generation == other.generation
            && self.finalizers == other.finalizers
            && self.annotations == other.annotations
            && self.broken.is_some() == other.broken.is_some()
    }

    /// Whether it looks the same to the roots that depend on it.
    pub(crate) fn same_to_others(&self, other: &Self) -> bool {
        self.same_wish(other) && self.face == other.face
    }
}

/// A root as its kind reads it.
pub(crate) struct Decoded {
    pub object: AnyRoot,
    /// What other roots see of its status, if that is not all of it.
    pub face: Option<String>,
    /// The namespace by which it is told to a shard, if that is not its own.
    pub home: Option<String>,
}

/// Decodes the typed object of a root.
pub(crate) type DecodeRoot = dyn Fn(&str) -> Result<Decoded, String> + Send + Sync;

/// How to reduce the objects of one type.
pub(crate) struct Decoder {
    pub resource: ResourceType,
    /// JSON pointers to keep.
    pub keep: &'static [&'static str],
    /// Our field managers.
    pub managers: Arc<[&'static str]>,
    pub root: Option<Arc<DecodeRoot>>,
    /// How many shards there are.
    pub shards: usize,
}

/// Why an object could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("an object of kind {kind} could not be read: {source}")]
pub(crate) struct Unreadable {
    kind: &'static str,
    #[source]
    source: serde_json::Error,
}

#[derive(Deserialize)]
struct Partial<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uid: Cow<'a, str>,
    #[serde(borrow, default)]
    resource_version: Cow<'a, str>,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    creation_timestamp: Option<Timestamp>,
    #[serde(borrow, default)]
    deletion_timestamp: Option<&'a RawValue>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    owner_references: Option<Vec<OwnerReference<'a>>>,
    #[serde(default)]
    finalizers: Option<Vec<String>>,
    #[serde(borrow, default)]
    managed_fields: Option<Vec<ManagedFields<'a>>>,
}

#[derive(Deserialize)]
struct OwnerReference<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(default)]
    controller: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManagedFields<'a> {
    #[serde(borrow, default)]
    manager: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    operation: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    subresource: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "fieldsV1")]
    fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Annotations<'a> {
    #[serde(borrow, default, rename = "polder.dev/applied")]
    applied: Option<Cow<'a, str>>,
}

impl Decoder {
    /// Whether requests ask for metadata only.
    pub(crate) fn metadata_only(&self) -> bool {
        self.root.is_none() && self.keep.is_empty()
    }

    /// Reads one object.
    pub(crate) fn decode(&self, json: &str) -> Result<Incoming, Unreadable> {
        let unreadable = |source| Unreadable { kind: self.resource.kind, source };
        let partial: Partial<'_> = serde_json::from_str(json).map_err(unreadable)?;
        let root = self.root.as_ref().map(|decode| root_part(&partial, json, decode, self.shards));
        let root = root.transpose().map_err(unreadable)?;
        let kept = Kept::new(&self.kept(json).map_err(unreadable)?);
        let metadata = partial.metadata;
        let controller = metadata
            .owner_references
            .unwrap_or_default()
            .into_iter()
            .find(|owner| owner.controller == Some(true))
            .map(|owner| Arc::<str>::from(owner.uid));
        let fields = metadata.managed_fields.as_deref().and_then(|entries| self.ours(entries)).map(
            |(manager, fields)| Owned {
                manager,
                fields: match &controller {
                    Some(uid) => fields.replace(uid.as_ref(), digest::OWNER).into(),
                    None => fields.into(),
                },
            },
        );
        let namespace = metadata.namespace.map(Cow::into_owned);
        let name = metadata.name.into_owned();
        Ok(Incoming {
            path: path(namespace.as_deref(), &name),
            version: metadata.resource_version.parse().unwrap_or(u64::MAX),
            applied: metadata
                .annotations
                .and_then(|raw| serde_json::from_str::<Annotations<'_>>(raw.get()).ok())
                .and_then(|annotations| digest::from_text(annotations.applied.as_deref()?)),
            fields,
            root,
            record: Record {
                key: ObjectKey { resource: self.resource, namespace, name },
                uid: metadata.uid.into_owned(),
                labels: Arc::new(metadata.labels.unwrap_or_default()),
                deleting: metadata.deletion_timestamp.is_some_and(|t| t.get() != "null"),
                created: metadata.creation_timestamp.unwrap_or_default(),
                controller,
                kept,
            },
        })
    }

    /// Our entry: applied by one of our managers, not to a subresource.
    fn ours<'a>(&self, entries: &[ManagedFields<'a>]) -> Option<(&'static str, &'a str)> {
        entries.iter().find_map(|entry| {
            let manager = self.managers.iter().find(|m| entry.manager.as_deref() == Some(**m))?;
            let applied = entry.operation.as_deref() == Some("Apply");
            (applied && entry.subresource.is_none()).then_some((*manager, entry.fields?.get()))
        })
    }

    /// The kept parts, in an object that has them where the original had them.
    fn kept(&self, json: &str) -> Result<Value, serde_json::Error> {
        if self.keep.is_empty() {
            return Ok(Value::Null);
        }
        let parts: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json)?;
        let mut kept = Value::Object(Map::new());
        for pointer in self.keep {
            let mut segments = pointer.trim_start_matches('/').split('/');
            let Some(first) = segments.next() else { continue };
            let Some(raw) = parts.get(first) else { continue };
            let whole: Value = serde_json::from_str(raw.get())?;
            let rest: Vec<&str> = segments.collect();
            let found = rest.iter().try_fold(&whole, |value, segment| value.get(*segment));
            if let Some(found) = found {
                insert(&mut kept, std::iter::once(first).chain(rest), found.clone());
            }
        }
        Ok(kept)
    }
}

fn insert<'a>(target: &mut Value, mut path: impl Iterator<Item = &'a str>, value: Value) {
    let Some(segment) = path.next() else {
        *target = value;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(map) = target {
        insert(map.entry(segment).or_insert(Value::Null), path, value);
    }
}

fn root_part(
    partial: &Partial<'_>,
    json: &str,
    decode: &Arc<DecodeRoot>,
    shards: usize,
) -> Result<RootPart, serde_json::Error> {
    let metadata = &partial.metadata;
    let lean = Lean::of(json)?;
    let (broken, face, home) = match decode(lean.text()) {
        Ok(Decoded { face, home, .. }) => (None, face, home),
        Err(message) => (Some(Arc::from(message)), None, None),
    };
    let own = metadata.namespace.as_deref().unwrap_or(&metadata.name);
    let status = lean.status();
    Ok(RootPart {
        decode: Arc::clone(decode),
        broken,
        generation: metadata.generation,
        finalizers: metadata.finalizers.clone().unwrap_or_default(),
        annotations: hash(&metadata.annotations.map(RawValue::get)),
        face: hash(&face.as_deref().or(status)),
        shard: if shards > 1 { shard_of(home.as_deref().unwrap_or(own), shards) } else { 0 },
        ready: status
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .and_then(|status| ready_of(&status)),
        lean,
    })
}

/// A hash for comparisons within this process.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Status and reason of the condition `Ready`.
pub(crate) fn ready_of(status: &Value) -> Option<(String, String)> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    status
        .get("conditions")?
        .as_array()?
        .iter()
        .find(|condition| text(condition, "type") == "Ready")
        .map(|condition| (text(condition, "status"), text(condition, "reason")))
}

/// Key of an object inside its store: sorts by namespace, then name.
pub(crate) fn path(namespace: Option<&str>, name: &str) -> String {
    format!("{}/{name}", namespace.unwrap_or_default())
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
