//! Builders of the children.

pub(super) mod config;
mod daemon;
pub(super) mod master;
pub(super) mod services;
pub(super) mod workers;

pub(super) use daemon::SET;
