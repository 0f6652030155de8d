//! Which Secrets the pods of a domain may use.
//!
//! Executors are pods that a driver makes with its own token, and what runs in a driver is the
//! user's code. It could make a pod with any Secret of the namespace, so the admission policy lets
//! each driver use only those Secrets that its workload was let in with.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{BatchJob, DomainSpec, SqlEndpoint, common::SparkRuntime},
    build::{names, spark::catalogs::catalog_secrets},
};

/// Longest annotation, in bytes: all of an object's may have 256 KiB together. What does not fit
/// is left out: those executors are refused, which shows.
const MOST_BYTES: usize = 64 * 1024;

/// Secrets that executors may use, by the pattern that the name of their driver's pod matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverSecrets(BTreeMap<String, BTreeSet<String>>);

impl DriverSecrets {
    /// `pattern=secret,secret pattern=secret`; `None` if there are none.
    pub fn text(&self) -> Option<String> {
        let mut text = String::new();
        for (pattern, names) in &self.0 {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let entry = format!("{pattern}={}", names.join(","));
            if text.len() + entry.len() >= MOST_BYTES {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&entry);
        }
        (!text.is_empty()).then_some(text)
    }
}

/// The Secrets of the workloads of a domain that make executor pods.
pub fn driver_secrets<'a>(
    jobs: impl IntoIterator<Item = &'a BatchJob>,
    endpoints: impl IntoIterator<Item = &'a SqlEndpoint>,
) -> DriverSecrets {
    let jobs = jobs.into_iter().filter_map(|root| {
        let spark = root.spec.spark.as_ref().filter(|spark| spark.executors.is_some())?;
        let name = root.metadata.name.as_deref()?;
        // Names of pods that a Job makes: its own, a dash, five characters.
        let pattern = if root.spec.schedule.is_some() {
            let cron = names::child(name, "schedule", names::SET_LIMIT);
            format!("{cron}-[0-9]+-[a-z0-9]{{5}}")
        } else {
            format!("{name}-[0-9a-f]{{8}}-[0-9]+-[a-z0-9]{{5}}")
        };
        Some((pattern, of_runtime(&spark.runtime)))
    });
    let endpoints = endpoints.into_iter().filter_map(|root| {
        root.spec.executors.as_ref()?;
        let name = root.metadata.name.as_deref()?;
        let set = crate::kinds::sql_endpoint::service_name(name);
        Some((format!("{set}-[0-9]+"), of_runtime(&root.spec.runtime)))
    });
    DriverSecrets(jobs.chain(endpoints).filter(|(_, names)| !names.is_empty()).collect())
}

fn of_runtime(runtime: &SparkRuntime) -> BTreeSet<String> {
    let env = runtime.env.iter().filter_map(|variable| variable.secret.as_ref());
    let mounts = runtime.mounts.iter().filter_map(|mount| mount.secret.clone());
    env.map(|secret| secret.name.clone()).chain(mounts).filter(|name| is_name(name)).collect()
}

/// The secrets of the domain itself: those it brings in, and those of its catalogs. Every workload
/// of the domain is offered the catalogs, and so what they are opened with.
pub(super) fn of_domain(spec: &DomainSpec) -> Vec<String> {
    let catalogs = catalog_secrets(&spec.catalogs).into_iter().map(|it| it.secret.name);
    let brought = spec.secrets.iter().map(|secret| secret.name.clone());
    let names: BTreeSet<String> = catalogs.chain(brought).filter(|name| is_name(name)).collect();
    names.into_iter().collect()
}

/// Whether a text can name a Secret; nothing else may get into an annotation with separators.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'))
}
