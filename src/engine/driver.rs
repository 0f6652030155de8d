//! A kind without its type parameters: what the engine's request-making half works with.

use std::{any::Any, any::TypeId, sync::Arc};

use kube::{Resource, core::ClusterResourceScope};
use serde_json::Value;

use super::{
    decode::{AnyRoot, DecodeRoot, Decoded},
    kind::{Kind, Root},
    plan::{Finalize, Plan, Problem, Report},
    resource::ResourceType,
    view::View,
};

/// What `resolve` gathered.
pub(crate) type AnyResolved = Box<dyn Any + Send + Sync>;

/// A registered kind.
pub(crate) trait Driver: Send + Sync {
    fn name(&self) -> &'static str;
    fn finalizer(&self) -> Option<&'static str>;
    fn resource(&self) -> ResourceType;
    fn root_type(&self) -> TypeId;
    fn decoder(&self) -> Arc<DecodeRoot>;
    fn resolve(&self, root: &AnyRoot, view: &View<'_>) -> Option<AnyResolved>;
    fn validate(&self, root: &AnyRoot, resolved: &AnyResolved) -> Vec<Problem>;
    fn plan(&self, root: &AnyRoot, resolved: &AnyResolved) -> Plan;
    fn status(&self, root: &AnyRoot, resolved: &AnyResolved, report: &Report) -> Value;
    fn finalize(&self, root: &AnyRoot, resolved: &AnyResolved) -> Finalize;
}

/// A kind, ready to be registered with an engine or a snapshot.
#[derive(Clone)]
pub struct Registered(pub(crate) Arc<dyn Driver>);

impl Registered {
    /// Of a kind.
    pub fn new<K: Kind>(kind: K) -> Self {
        Self(Arc::new(Typed::new(kind)))
    }
}

/// A kind as a driver.
pub(crate) struct Typed<K> {
    kind: K,
    resource: ResourceType,
}

impl<K: Kind> Typed<K> {
    fn new(kind: K) -> Self {
        Self { kind, resource: resource_of::<K::Root>() }
    }
}

/// Names of a derived type live as long as the process: each kind is registered once.
pub(crate) fn resource_of<R: Root>() -> ResourceType {
    let keep = |text: &str| -> &'static str { String::leak(text.to_owned()) };
    ResourceType {
        group: keep(&R::group(&())),
        version: keep(&R::version(&())),
        kind: keep(&R::kind(&())),
        plural: keep(&R::plural(&())),
        namespaced: TypeId::of::<<R as Resource>::Scope>() != TypeId::of::<ClusterResourceScope>(),
    }
}

/// Reads a root, and what others are to know of it.
pub(crate) fn decoder_of<R: Root>(
    face: fn(&R) -> Option<String>,
    home: fn(&R) -> Option<String>,
) -> Arc<DecodeRoot> {
    Arc::new(move |json| {
        let root: R = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let (face, home) = (face(&root), home(&root));
        Ok(Decoded { object: Arc::new(root), face, home })
    })
}

/// The values behind `dyn Any` come from this very driver, so the types always fit.
fn typed<'a, K: Kind>(
    root: &'a AnyRoot,
    resolved: &'a AnyResolved,
) -> Option<(&'a K::Root, &'a K::Resolved)> {
    Some((root.downcast_ref()?, resolved.downcast_ref()?))
}

impl<K: Kind> Driver for Typed<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn finalizer(&self) -> Option<&'static str> {
        K::FINALIZER
    }

    fn resource(&self) -> ResourceType {
        self.resource
    }

    fn root_type(&self) -> TypeId {
        TypeId::of::<K::Root>()
    }

    fn decoder(&self) -> Arc<DecodeRoot> {
        decoder_of::<K::Root>(K::face, K::home)
    }

    fn resolve(&self, root: &AnyRoot, view: &View<'_>) -> Option<AnyResolved> {
        Some(Box::new(self.kind.resolve(root.downcast_ref()?, view)))
    }

    fn validate(&self, root: &AnyRoot, resolved: &AnyResolved) -> Vec<Problem> {
        typed::<K>(root, resolved).map(|(r, s)| self.kind.validate(r, s)).unwrap_or_default()
    }

    fn plan(&self, root: &AnyRoot, resolved: &AnyResolved) -> Plan {
        typed::<K>(root, resolved).map(|(r, s)| self.kind.plan(r, s)).unwrap_or_default()
    }

    fn status(&self, root: &AnyRoot, resolved: &AnyResolved, report: &Report) -> Value {
        typed::<K>(root, resolved)
            .and_then(|(r, s)| serde_json::to_value(self.kind.status(r, s, report)).ok())
            .unwrap_or_default()
    }

    fn finalize(&self, root: &AnyRoot, resolved: &AnyResolved) -> Finalize {
        typed::<K>(root, resolved)
            .map_or(Finalize::Wait { delete: Vec::new() }, |(r, s)| self.kind.finalize(r, s))
    }
}
