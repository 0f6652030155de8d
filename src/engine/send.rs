//! Sending one child: the body, the request, and what its answer says.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    apply::{Pass, Wanted},
    decode::Incoming,
    digest,
    error::{Class, RequestError},
    http::Want,
    plan::{Child, Ownership},
    resource::{ObjectKey, ResourceType},
    target::Target,
};

/// Waits for permissions that a binding of the same pass has just given.
const BINDING_DELAYS: [u64; 4] = [5, 20, 100, 400];

impl Pass<'_> {
    /// The object as it is compared.
    pub(super) fn desired(&self, child: &Child, index: usize) -> Value {
        let root = self.controller.driver.resource();
        desired(child, root, self.name, self.context.world.selector(index))
    }

    pub(super) fn own(&self, object: &mut Value, uid: &str) {
        own(object, self.controller.driver.resource(), self.name, uid);
    }

    /// Applies, with what `identity` says of the object that must (not) be there.
    pub(super) async fn send(
        &self,
        wanted: &Wanted<'_>,
        identity: Value,
    ) -> Result<(), RequestError> {
        let mut object = wanted.object.clone();
        if wanted.child.ownership == Ownership::Controlled {
            self.own(&mut object, self.uid);
        }
        let metadata = entry(&mut object, "metadata");
        if let (Value::Object(metadata), Value::Object(identity)) = (&mut *metadata, identity) {
            metadata.extend(identity);
        }
        if let Value::Object(annotations) = entry(metadata, "annotations") {
            annotations.insert(digest::APPLIED.to_owned(), digest::to_text(wanted.digest).into());
        }
        let body = object.to_string().into_bytes();
        let want = match self.context.decoders.get(wanted.index) {
            Some(decoder) if !decoder.metadata_only() => Want::Object,
            _ => Want::Metadata,
        };
        let world = &self.context.world;
        world.begin_write(wanted.index, &wanted.path, self.id);
        let answer = self.persist(wanted.key, body, want).await;
        let incoming = answer.and_then(|text| self.decode(wanted.index, &text));
        match incoming {
            Ok(incoming) => {
                self.wrote.store(true, Ordering::Relaxed);
                tracing::info!(child = %wanted.key, "applied");
                self.took(wanted, incoming);
                Ok(())
            }
            Err(error) => {
                world.abort_write(wanted.index, &wanted.path, self.id);
                Err(error)
            }
        }
    }

    /// Sends an apply; again after a moment while permissions given by this very pass spread.
    async fn persist(
        &self,
        key: &ObjectKey,
        body: Vec<u8>,
        want: Want,
    ) -> Result<String, RequestError> {
        let mut delays = BINDING_DELAYS.iter();
        loop {
            let manager = &self.controller.manager;
            let http = &self.http;
            let result = http.apply(target(key), "", manager, body.clone(), want).await;
            let forbidden = matches!(&result, Err(e) if e.class() == Class::Forbidden);
            match delays.next() {
                Some(delay) if forbidden && self.wrote.load(Ordering::Relaxed) => {
                    sleep(Duration::from_millis(*delay)).await;
                }
                _ => return result,
            }
        }
    }

    /// Stores the answer, and remembers if it can never cover what was sent.
    fn took(&self, wanted: &Wanted<'_>, incoming: Incoming) {
        let covered = incoming.applied == Some(wanted.digest)
            && incoming.fields.as_ref().is_some_and(|owned| {
                serde_json::from_str::<Value>(&owned.fields)
                    .is_ok_and(|fields| digest::covers_object(&fields, &wanted.object))
            });
        let fields = incoming.fields.as_ref().map(|f| f.fields.to_string()).unwrap_or_default();
        let version = incoming.version;
        self.context.world.end_write(wanted.index, incoming, self.id);
        if !covered {
            self.context.metrics.uncovered(wanted.key.resource.kind);
            tracing::debug!(
                child = %wanted.key, fields, sent = %wanted.object,
                "the answer does not cover what was applied"
            );
            self.context.world.settle(wanted.index, &wanted.path, version, wanted.digest);
        }
    }

    pub(super) fn decode(&self, index: usize, text: &str) -> Result<Incoming, RequestError> {
        match self.context.decoders.get(index).map(|decoder| decoder.decode(text)) {
            Some(Ok(incoming)) => Ok(incoming),
            Some(Err(error)) => Err(RequestError::Answer(error.to_string())),
            None => Err(RequestError::Answer("BUG: no such type".to_owned())),
        }
    }
}

/// A child as it is compared: normalised, owned, and with the labels that its watch needs.
pub(super) fn desired(
    child: &Child,
    root: ResourceType,
    name: &str,
    selector: Vec<(&'static str, &'static str)>,
) -> Value {
    let mut object = digest::normalise(child.object.clone());
    if child.ownership == Ownership::Controlled {
        own(&mut object, root, name, digest::OWNER);
    }
    for (key, value) in selector {
        let metadata = entry(&mut object, "metadata");
        let labels = entry(metadata, "labels");
        if let Value::Object(labels) = labels {
            labels.entry(key).or_insert_with(|| value.into());
        }
    }
    object
}

fn own(object: &mut Value, root: ResourceType, name: &str, uid: &str) {
    let reference = json!([{
        "apiVersion": root.api_version(), "kind": root.kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true,
    }]);
    if let Value::Object(metadata) = entry(object, "metadata") {
        metadata.insert("ownerReferences".to_owned(), reference);
    }
}

pub(crate) fn target(key: &ObjectKey) -> Target<'_> {
    Target { resource: &key.resource, namespace: key.namespace.as_deref(), name: &key.name }
}

/// A field that is an object, made if need be.
pub(super) fn entry<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    if !object.is_object() {
        *object = json!({});
    }
    match object {
        Value::Object(fields) => fields.entry(key).or_insert_with(|| json!({})),
        other => other,
    }
}
