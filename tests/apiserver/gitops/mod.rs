//! Domains and workloads from Git, through the real Argo CD.

pub mod argocd;
mod hour;
mod life;
mod one_application;
mod repository;
mod team;
