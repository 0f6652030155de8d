//! What a root kind tells the engine: five pure functions and three names.

use std::fmt::Debug;

use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    plan::{Finalize, Plan, Problem, Report},
    view::View,
};

/// A custom resource as the engine can hold it.
pub trait Root:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static
{
}

impl<R> Root for R where
    R: Resource<DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

/// A kind of root object, and how it becomes children and a status.
///
/// The engine calls, in this order: [`resolve`](Kind::resolve), [`validate`](Kind::validate),
/// [`plan`](Kind::plan) (only if nothing is wrong), then applies the plan, resolves once more to
/// see what the children say, and asks for the [`status`](Kind::status). None of these makes a
/// request, reads a clock or draws a random number.
pub trait Kind: Send + Sync + 'static {
    /// The custom resource.
    type Root: Root;
    /// Everything a root depends on, gathered from the stores.
    type Resolved: Send + Sync;
    /// The `.status` of the root.
    type Status: Serialize + Send;

    /// Name in field managers (`polder/<NAME>`), logs and metrics: lower case, with dashes.
    const NAME: &'static str;

    /// Finalizer to hold a root with, for what owner references cannot clean up.
    const FINALIZER: Option<&'static str> = None;

    /// What other roots see of this one's status, if that is not all of it: a change of the rest
    /// wakes nobody else. It must hold whatever `resolve` of any kind looks at.
    fn face(_root: &Self::Root) -> Option<String> {
        None
    }

    /// The namespace by which roots are told to shards, if it is not the root's own: those of one
    /// home are always written by the same process. It must never change.
    fn home(_root: &Self::Root) -> Option<String> {
        None
    }

    /// Gathers what this root depends on. Whatever is looked up through the view, found or not,
    /// becomes a dependency: its next change wakes this root.
    fn resolve(&self, root: &Self::Root, view: &View<'_>) -> Self::Resolved;

    /// What is wrong with the root that its schema could not see. All of it, not the first.
    fn validate(&self, root: &Self::Root, resolved: &Self::Resolved) -> Vec<Problem>;

    /// The children as they should be.
    fn plan(&self, root: &Self::Root, resolved: &Self::Resolved) -> Plan;

    /// The status, from what was planned, what became of it and what the children say now.
    /// `lastTransitionTime` of conditions is left empty: the engine keeps or sets it.
    fn status(&self, root: &Self::Root, resolved: &Self::Resolved, report: &Report)
    -> Self::Status;

    /// What must happen before a root that is being deleted may go. Asked only of kinds with a
    /// [`FINALIZER`](Kind::FINALIZER), again after every change of what `resolve` looked at.
    fn finalize(&self, _root: &Self::Root, _resolved: &Self::Resolved) -> Finalize {
        Finalize::Done
    }
}
