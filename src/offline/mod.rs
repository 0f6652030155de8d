//! Work without a cluster: manifests held to their schemas, to the rules of the CRDs and to what
//! the kinds themselves say, and planned. Whatever is judged here is judged by the operator's code.
//!
//! [`manifest`] reads files, [`schema`] looks at one object, [`world`] at all of them together, and
//! [`lint`] says what is wrong, [`plan`] what becomes of it. [`rules`] explains.

pub mod cel;
pub mod changes;
pub mod finding;
pub mod json_schema;
pub mod lint;
pub mod manifest;
pub mod plan;
pub mod rules;
pub mod schema;
pub mod world;
pub mod yaml;

#[cfg(test)]
mod tests;
