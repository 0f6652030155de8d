//! The end of a Domain.
//!
//! While a Domain is being deleted, workloads take it for suspended and stop. Its owner references
//! let the garbage collector take everything we control in the namespace; the namespace and the
//! volumes have none, so that nothing but an explicit wish removes data.

use crate::{
    api::{Domain, domain::DeletionPolicy},
    engine::Finalize,
};

use super::{Resolved, scope::Scope};

/// What must happen before a Domain may go.
///
/// With `Retain`, members lose their access first: once quota and network policies are gone, the
/// namespace is unguarded, and nobody may be able to start anything in it. Then whatever runs has
/// to end, while the operator still has its rights there.
pub fn finalize(domain: &Domain, resolved: &Resolved) -> Finalize {
    let scope = Scope::of(domain);
    if !resolved.namespace.as_ref().is_some_and(|namespace| scope.is_ours(namespace)) {
        return Finalize::Done;
    }
    match scope.deletion_policy() {
        DeletionPolicy::Delete => Finalize::Wait { delete: vec![scope.namespace_key()] },
        DeletionPolicy::Retain if resolved.access.is_empty() && resolved.running.is_empty() => {
            Finalize::Done
        }
        DeletionPolicy::Retain => Finalize::Wait { delete: resolved.access.clone() },
    }
}
