//! Workloads of a domain: how many there are, how many serve, and what still runs.

use std::sync::Arc;

use k8s_openapi::{
    api::{batch::v1::JobStatus, core::v1::PodStatus},
    apimachinery::pkg::apis::meta::v1::Condition,
};

use crate::{
    api::{BatchJob, SparkCluster, SqlEndpoint, conditions, domain::WorkloadCounts},
    build::types,
    engine::{Record, Root, View},
};

/// Workloads of a domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workloads {
    /// SparkClusters.
    pub spark_clusters: Count,
    /// SqlEndpoints.
    pub sql_endpoints: Count,
    /// BatchJobs.
    pub batch_jobs: Count,
}

/// How many, and how many of them are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All.
    pub total: i64,
    /// Those whose condition Ready is True.
    pub ready: i64,
}

/// The workloads themselves.
#[derive(Default)]
pub struct Roots {
    /// SparkClusters.
    pub spark_clusters: Vec<Arc<SparkCluster>>,
    /// SqlEndpoints.
    pub sql_endpoints: Vec<Arc<SqlEndpoint>>,
    /// BatchJobs.
    pub batch_jobs: Vec<Arc<BatchJob>>,
}

/// Reasons of a workload that a Secret or one of its keys is not there for. Kubernetes' own is also
/// said of ConfigMaps.
const MISSING: [&str; 2] = ["SecretMissing", "CreateContainerConfigError"];

impl Roots {
    /// Those of a namespace. They are decoded anew each time, so look once.
    pub fn of(view: &View<'_>, namespace: &str) -> Self {
        Self {
            spark_clusters: view.roots_aside(namespace),
            sql_endpoints: view.roots_aside(namespace),
            batch_jobs: view.roots_aside(namespace),
        }
    }

    /// How many there are.
    pub fn count(&self) -> Workloads {
        Workloads {
            spark_clusters: tally(&self.spark_clusters, of_cluster),
            sql_endpoints: tally(&self.sql_endpoints, of_endpoint),
            batch_jobs: tally(&self.batch_jobs, of_job),
        }
    }

    /// What they say of Secrets that are not there, as (`SqlEndpoint bi`, message). That is all that
    /// can be known of them without reading Secrets.
    pub fn missing_secrets(&self) -> Vec<(String, String)> {
        let clusters = missing(&self.spark_clusters, of_cluster);
        let endpoints = missing(&self.sql_endpoints, of_endpoint);
        clusters.chain(endpoints).chain(missing(&self.batch_jobs, of_job)).collect()
    }
}

fn of_cluster(root: &SparkCluster) -> &[Condition] {
    root.status.as_ref().map_or(&[], |status| &status.conditions)
}

fn of_endpoint(root: &SqlEndpoint) -> &[Condition] {
    root.status.as_ref().map_or(&[], |status| &status.conditions)
}

fn of_job(root: &BatchJob) -> &[Condition] {
    root.status.as_ref().map_or(&[], |status| &status.conditions)
}

fn tally<R>(roots: &[Arc<R>], of: fn(&R) -> &[Condition]) -> Count {
    let ready = roots.iter().filter(|root| {
        of(root).iter().any(|it| it.type_ == conditions::READY && it.status == "True")
    });
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Count { total: count(roots.len()), ready: count(ready.count()) }
}

fn missing<R: Root>(
    roots: &[Arc<R>],
    of: fn(&R) -> &[Condition],
) -> impl Iterator<Item = (String, String)> {
    let is_missing = |condition: &&Condition| {
        // The reason of a job's end is `Failed`, and the pod's own is in the message.
        let says = |reason: &&str| {
            condition.reason == **reason || condition.message.contains(&format!("{reason},"))
        };
        condition.type_ == conditions::READY
            && condition.status != "True"
            && MISSING.iter().any(says)
    };
    roots.iter().filter_map(move |root| {
        let condition = of(root).iter().find(is_missing)?;
        let name = root.meta().name.as_deref().unwrap_or_default();
        Some((format!("{} {name}", R::kind(&())), condition.message.clone()))
    })
}

impl Workloads {
    /// As the status shows them.
    pub fn counts(self) -> WorkloadCounts {
        let all = [self.spark_clusters, self.sql_endpoints, self.batch_jobs];
        let total: i64 = all.iter().map(|count| count.total).sum();
        let ready: i64 = all.iter().map(|count| count.ready).sum();
        WorkloadCounts {
            summary: format!("{ready}/{total} ready"),
            spark_clusters: self.spark_clusters.total,
            sql_endpoints: self.sql_endpoints.total,
            batch_jobs: self.batch_jobs.total,
        }
    }
}

/// Whether an object runs something or can start something: a pod that has not ended, a Job that
/// is neither suspended nor finished, a CronJob that is not suspended, a StatefulSet that wants
/// pods.
pub fn is_active(record: &Record) -> bool {
    let resource = record.key.resource;
    if resource == types::POD {
        let phase = record.part::<PodStatus>("/status").and_then(|status| status.phase);
        !matches!(phase.as_deref(), Some("Succeeded" | "Failed"))
    } else if resource == types::JOB {
        !is_true(record, "/spec/suspend") && !is_finished(record)
    } else if resource == types::CRON_JOB {
        !record.deleting && !is_true(record, "/spec/suspend")
    } else {
        !record.deleting && record.part::<i32>("/spec/replicas").is_some_and(|count| count > 0)
    }
}

fn is_true(record: &Record, pointer: &str) -> bool {
    record.part::<bool>(pointer) == Some(true)
}

fn is_finished(record: &Record) -> bool {
    record
        .part::<JobStatus>("/status")
        .and_then(|status| status.conditions)
        .unwrap_or_default()
        .iter()
        .any(|condition| {
            matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True"
        })
}
