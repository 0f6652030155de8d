//! Who can do what in a domain: a reading of RBAC, for people.
//!
//! - [`rules`]: what a list of rules allows; the same question that the API server's RBAC answers.
//! - [`report`]: bindings and rules in, an answer out; no requests.

pub mod report;
pub mod rules;

pub use report::{Binding, Grant, Report, Subject};
pub use rules::Abilities;
