//! The end of a Domain.
//!
//! While a Domain is being deleted, workloads take it for suspended and stop. Its owner references
//! let the garbage collector take everything we control in the namespace; the namespace and the
//! volumes have none, so that nothing but an explicit wish removes data.

use crate::{
    api::{Domain, domain::DeletionPolicy},
    engine::Finalize,
};

use super::{
    Resolved,
    children::farewell::{RETAINED, farewell},
    scope::Scope,
};

/// What must happen before a Domain may go.
///
/// With `Retain`, members lose their access first: once quota and network policies are gone, the
/// namespace is unguarded, and nobody may be able to start anything in it. Then whatever runs has
/// to end, while the operator still has its rights there. At last the namespace is told what was
/// kept: it is where people look for it when the Domain is gone.
pub fn finalize(domain: &Domain, resolved: &Resolved) -> Finalize {
    let scope = Scope::of(domain);
    let Some(namespace) = resolved.namespace.as_ref().filter(|it| scope.is_ours(it)) else {
        return Finalize::Done;
    };
    let is_told = namespace.deleting || namespace.labels.contains_key(RETAINED);
    // It would bring workloads back into a namespace that is going, or is left unguarded.
    let from_git: Vec<_> =
        resolved.own_application(domain).map(|record| record.key.clone()).into_iter().collect();
    match scope.deletion_policy() {
        _ if !from_git.is_empty() => Finalize::Wait { delete: from_git },
        DeletionPolicy::Delete => Finalize::Wait { delete: vec![scope.namespace_key()] },
        DeletionPolicy::Retain if resolved.access.is_empty() && resolved.running.is_empty() => {
            if is_told {
                Finalize::Done
            } else {
                Finalize::Mark(Box::new(farewell(domain, &scope, resolved)))
            }
        }
        DeletionPolicy::Retain => Finalize::Wait { delete: resolved.access.clone() },
    }
}
