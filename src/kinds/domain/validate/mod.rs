//! What the schema cannot see: other objects, and how fields go together.
//!
//! Names that must be unique in their list (roles, catalogs, volumes, pools) are checked by the
//! schema (`x-kubernetes-list-type: map`) and once more here, for specs that never saw an API
//! server.

mod bounds;
mod catalogs;
mod lists;
mod members;
pub mod namespace;
mod secrets;
mod volumes;

use crate::{api::Domain, engine::Problem};

use super::{OperatorIdentity, Resolved, scope::Scope};

/// All that is wrong with a Domain.
pub fn validate(domain: &Domain, resolved: &Resolved, operator: &OperatorIdentity) -> Vec<Problem> {
    let scope = Scope::of(domain);
    [
        namespace::reserved(&scope, operator),
        namespace::held_by_others(&scope, resolved).into_iter().collect(),
        namespace::metadata(&scope),
        members::members(&scope, operator),
        bounds::quota(&scope),
        bounds::limits(&scope),
        volumes::volumes(&scope, resolved),
        lists::duplicates(&scope),
        lists::network(&scope),
        catalogs::catalogs(&scope),
        catalogs::spark_conf(&scope),
        secrets::secrets(&scope, domain),
    ]
    .concat()
}
