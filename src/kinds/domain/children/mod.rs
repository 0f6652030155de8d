//! The children of a Domain, one file per concern.

pub mod access;
pub mod accounts;
pub mod bounds;
pub mod farewell;
pub mod gitops;
pub mod monitoring;
pub mod namespace;
pub mod network;
pub mod secrets;
pub mod spark;
pub mod volumes;
