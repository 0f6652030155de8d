//! The last word of a root that is being deleted, on an object that stays.

use k8s_openapi::api::core::v1::ObjectReference;

use super::{
    apply::{Outcome, Pass},
    events::Weight,
    plan::Farewell,
    world::path_of,
};

impl Pass<'_> {
    /// Brings the object to what it is to be left as, and tells of it. An object that is not there,
    /// or is going, is left alone: nothing is made for a root that is being deleted.
    pub(super) async fn mark(&self, farewell: &Farewell) -> Outcome {
        let key = farewell.child.key();
        let world = &self.context.world;
        let index = world.index(&key.resource);
        let stored = index.and_then(|index| world.look(index, &path_of(&key), Some(self.id)));
        let Some(stored) = stored.filter(|stored| !stored.record.deleting) else {
            return Outcome::InPlace;
        };
        let outcome = self.child(&farewell.child).await;
        if matches!(outcome, Outcome::Applied) {
            let reference = ObjectReference {
                api_version: Some(key.resource.api_version()),
                kind: Some(key.resource.kind.to_owned()),
                namespace: Some(farewell.namespace.clone()),
                name: Some(key.name),
                uid: Some(stored.record.uid.clone()),
                ..ObjectReference::default()
            };
            self.context.events.send(reference, Weight::Word, farewell.reason, &farewell.note);
        }
        outcome
    }
}
