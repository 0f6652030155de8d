//! Domains and workloads from Git, through the real Argo CD.

pub mod argocd;
mod life;
mod one_application;
mod repository;
mod team;
