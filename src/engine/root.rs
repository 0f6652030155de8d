//! Writing the root itself: its finalizer and its status.

use std::{sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    apply::Pass,
    context::lock,
    decode::{hash, ready_of},
    error::{Class, RequestError},
    events::Weight,
    http::Want,
    send::target,
    status::{self, Urgency},
    world::Stored,
};

/// Between two statuses of a root that differ in no condition, and before one that says only that
/// it is on its way.
const STATUS_PAUSE: Duration = Duration::from_secs(1);

impl Pass<'_> {
    /// Makes sure that the finalizer is there before anything is made that needs it.
    pub(super) async fn hold(&self, root: &Stored) -> Result<(), RequestError> {
        let Some(finalizer) = self.controller.driver.finalizer() else { return Ok(()) };
        let mut finalizers = finalizers(root);
        if finalizers.iter().any(|f| f == finalizer) {
            return Ok(());
        }
        finalizers.push(finalizer.to_owned());
        self.set_finalizers(root, &finalizers).await
    }

    /// Lets the root go.
    pub(super) async fn let_go(&self, root: &Stored) -> Result<(), RequestError> {
        let mut finalizers = finalizers(root);
        finalizers.retain(|f| Some(f.as_str()) != self.controller.driver.finalizer());
        match self.set_finalizers(root, &finalizers).await {
            Err(error) if error.class() == Class::Gone => Ok(()),
            result => result,
        }
    }

    /// uid and resourceVersion make the patch fail if the root is another, or has other finalizers.
    async fn set_finalizers(
        &self,
        root: &Stored,
        finalizers: &[String],
    ) -> Result<(), RequestError> {
        let metadata = json!({
            "uid": self.uid,
            "resourceVersion": root.version.to_string(),
            "finalizers": finalizers,
        });
        let body = json!({ "metadata": metadata }).to_string().into_bytes();
        let key = &root.record.key;
        self.write_root(self.http.merge(target(key), &self.controller.manager, body)).await
    }

    async fn write_root(
        &self,
        request: impl Future<Output = Result<String, RequestError>>,
    ) -> Result<(), RequestError> {
        let world = &self.context.world;
        let index = self.controller.index;
        world.begin_write(index, &self.id.path, self.id);
        let incoming = request.await.and_then(|text| {
            let read = self.context.decoders.get(index).and_then(|d| d.decode(&text).ok());
            read.ok_or_else(|| RequestError::Answer("not an object".to_owned()))
        });
        match incoming {
            // The last finalizer is gone, and so is the object: the watch will say so.
            Ok(incoming) if incoming.record.deleting => {
                world.abort_write(index, &self.id.path, self.id);
                self.wrote.store(true, Ordering::Relaxed);
                Ok(())
            }
            Ok(incoming) => {
                self.wrote.store(true, Ordering::Relaxed);
                world.end_write(index, incoming, self.id);
                Ok(())
            }
            Err(error) => {
                world.abort_write(index, &self.id.path, self.id);
                Err(error)
            }
        }
    }

    /// Writes the status if it says something new; or says how long that has time.
    pub(super) async fn report(
        &self,
        root: &Stored,
        mut desired: Value,
    ) -> Result<Option<Duration>, RequestError> {
        let Some(part) = &root.root else { return Ok(None) };
        let live_text = part.lean.status().unwrap_or("{}");
        let live: Value = serde_json::from_str(live_text).unwrap_or_default();
        status::keep_times(&mut desired, &live, Timestamp::now());
        if desired.is_null() || desired == live {
            lock(self.memory).untold = None;
            return Ok(None);
        }
        // The server may have made something else of it: it does so every time.
        let as_sent = lock(self.memory).status;
        if as_sent.is_some_and(|(sent, made)| sent == hash(&desired) && made == hash(&live_text)) {
            return Ok(None);
        }
        if let Some(wait) = self.has_time(status::urgency(&live, &desired)) {
            return Ok(Some(wait));
        }
        self.write_status(root, &desired).await?;
        {
            let mut memory = lock(self.memory);
            memory.told = Some(Instant::now());
            memory.untold = None;
        }
        self.announce(root, &live, &desired);
        Ok(None)
    }

    /// How long a status need not be written yet. "In progress" is told once it has lasted; details
    /// are told at once, and then once in a while. So a root that comes up, and one whose figures
    /// change all the time, cost one write instead of many.
    fn has_time(&self, urgency: Urgency) -> Option<Duration> {
        let mut memory = lock(self.memory);
        let now = Instant::now();
        let since = match urgency {
            Urgency::Now => return None,
            Urgency::Passing => *memory.untold.get_or_insert(now),
            Urgency::Details => {
                memory.untold.get_or_insert(now);
                memory.told?
            }
        };
        let wait = STATUS_PAUSE.saturating_sub(now.saturating_duration_since(since));
        (!wait.is_zero()).then_some(wait)
    }

    async fn write_status(&self, root: &Stored, desired: &Value) -> Result<(), RequestError> {
        let key = &root.record.key;
        let mut metadata = json!({ "name": key.name, "uid": self.uid });
        if let (Some(namespace), Value::Object(metadata)) = (&key.namespace, &mut metadata) {
            metadata.insert("namespace".to_owned(), namespace.as_str().into());
        }
        let resource = &key.resource;
        let body = json!({
            "apiVersion": resource.api_version(), "kind": resource.kind,
            "metadata": metadata, "status": desired,
        });
        let manager = format!("{}-status", self.controller.manager);
        let body = body.to_string().into_bytes();
        let http = &self.http;
        self.write_root(http.apply(target(key), "/status", &manager, body, Want::Object)).await?;
        let answer = self.context.world.get(self.controller.index, &self.id.path);
        let made = answer.and_then(|stored| Some(hash(&stored.root?.lean.status()?)));
        if let Some(made) = made {
            lock(self.memory).status = Some((hash(desired), made));
        }
        Ok(())
    }

    /// One event when readiness or its reason changes.
    fn announce(&self, root: &Stored, live: &Value, desired: &Value) {
        let Some(ready) = ready_of(desired) else { return };
        if ready_of(live).as_ref() == Some(&ready) {
            return;
        }
        let condition = |kind: &str| {
            let conditions = desired.get("conditions")?.as_array()?;
            conditions.iter().find(|c| c.get("type").and_then(Value::as_str) == Some(kind))
        };
        let text = |kind: &str, field: &str| {
            condition(kind).and_then(|c| c.get(field)?.as_str()).unwrap_or_default()
        };
        let weight =
            if text("Stalled", "status") == "True" { Weight::Warning } else { Weight::News };
        let key = &root.record.key;
        let reference = ObjectReference {
            api_version: Some(key.resource.api_version()),
            kind: Some(key.resource.kind.to_owned()),
            namespace: key.namespace.clone(),
            name: Some(key.name.clone()),
            uid: Some(self.uid.to_owned()),
            ..ObjectReference::default()
        };
        let reason = if ready.1.is_empty() { "Reconciled" } else { ready.1.as_str() };
        self.context.events.send(reference, weight, reason, text("Ready", "message"));
    }
}

fn finalizers(root: &Stored) -> Vec<String> {
    root.root.as_ref().map(|part| part.finalizers.clone()).unwrap_or_default()
}
