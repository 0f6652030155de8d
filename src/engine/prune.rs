//! Deleting what the plan no longer has: always one certain object, by uid and resourceVersion.

use std::{collections::HashSet, sync::atomic::Ordering, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use super::{
    apply::Pass,
    context::lock,
    error::{Class, RequestError},
    plan::{Fault, Plan},
    resource::ObjectKey,
    send::target,
    world::{Dep, Stored, path_of},
};

/// Milliseconds in which the event of a change that we missed should arrive.
const EVENT_DELAYS: [u64; 4] = [10, 30, 100, 300];

impl Pass<'_> {
    /// Objects controlled by this root that are neither planned nor to be kept.
    pub(super) async fn prune(&self, plan: &Plan) -> Vec<Fault> {
        let planned: Vec<ObjectKey> = plan.children.iter().map(super::plan::Child::key).collect();
        let wanted: HashSet<&ObjectKey> = planned.iter().chain(&plan.keep).collect();
        let owned = self.context.world.owned_by(self.uid);
        let stale = owned.into_iter().filter(|stored| !wanted.contains(&stored.record.key));
        self.delete_stored(stale).await
    }

    /// Objects to be deleted by name. Those that are not there, or going, are left alone.
    pub(super) async fn delete(&self, keys: &[ObjectKey]) -> Vec<Fault> {
        let found = keys.iter().filter_map(|key| {
            let index = self.context.world.index(&key.resource)?;
            let path = path_of(key);
            lock(&self.deps).insert(Dep::object(index, &path));
            self.context.world.look(index, &path, Some(self.id))
        });
        self.delete_stored(found).await
    }

    async fn delete_stored(&self, objects: impl Iterator<Item = Stored>) -> Vec<Fault> {
        let going = objects.filter(|stored| !stored.record.deleting);
        let deletes = going.map(|stored| async move { self.delete_one(&stored).await });
        futures::future::join_all(deletes).await.into_iter().flatten().collect()
    }

    /// Deletes one object. If it has changed since we saw it, its event is on the way: look again.
    async fn delete_one(&self, stored: &Stored) -> Option<Fault> {
        let key = &stored.record.key;
        let index = self.context.world.index(&key.resource)?;
        let path = path_of(key);
        let mut version = stored.version;
        let mut waits = EVENT_DELAYS.iter();
        loop {
            let error = match self.delete_version(stored, version).await {
                Ok(_) => {
                    self.wrote.store(true, Ordering::Relaxed);
                    self.context.world.mark_deleting(index, &path, &stored.record.uid);
                    tracing::info!(child = %key, "deleted");
                    return None;
                }
                Err(error) if error.class() == Class::Gone => return None,
                Err(error) => error,
            };
            let wait = waits.next().filter(|_| error.class() == Class::Conflict);
            let Some(wait) = wait else {
                let message = format!("{key} could not be deleted: {error}");
                return Some(Fault { key: key.clone(), message });
            };
            sleep(Duration::from_millis(*wait)).await;
            let now = self.context.world.get(index, &path)?;
            let (new, old) = (&now.record, &stored.record);
            if new.uid != old.uid || new.controller != old.controller || new.deleting {
                return None;
            }
            version = now.version;
        }
    }

    async fn delete_version(&self, stored: &Stored, version: u64) -> Result<String, RequestError> {
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": stored.record.uid, "resourceVersion": version.to_string()},
            "propagationPolicy": "Background",
        });
        let body = options.to_string().into_bytes();
        self.http.delete(target(&stored.record.key), body).await
    }
}
