//! A mixed fleet: Domains, SparkClusters, SqlEndpoints and scheduled BatchJobs.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    arguments::Arguments,
    bed::Bed,
    error::Result,
    load::{all, create, create_domains, domain_name, scheduled_job, spark_cluster, sql_endpoint},
    operator::Operator,
    report::{Report, Row},
    sight::Sight,
    statistics::number,
};

/// For each Domain: half a cluster, half an endpoint, five scheduled jobs.
const JOBS: usize = 5;
/// After this the operator writes nothing more of what happened.
const SETTLED: Duration = Duration::from_secs(3);

/// How many simulated nodes of 64 GiB the pods of so many Domains need: 2.5 GiB for each Domain, and what
/// Spark's overhead adds.
pub fn nodes(domains: usize) -> usize {
    domains.div_ceil(16)
}

pub async fn run(
    bed: &Bed,
    arguments: &Arguments,
    program: &Path,
    report: &mut Report,
) -> Result<()> {
    let n = arguments.fleets().last().copied().unwrap_or(1000);
    let domains: Vec<String> = (0..n).map(|i| domain_name("bench", i)).collect();
    let mut operator = Operator::start(bed, program, "first", &arguments.operator_argument)?;
    operator.ready().await?;
    let started = Instant::now();
    let sight = Sight::of(bed.client.clone(), "Domain", "domains").await?;
    let clusters = Sight::of(bed.client.clone(), "SparkCluster", "sparkclusters").await?;
    let endpoints = Sight::of(bed.client.clone(), "SqlEndpoint", "sqlendpoints").await?;
    let jobs = Sight::of(bed.client.clone(), "BatchJob", "batchjobs").await?;
    create_domains(&bed.client, &domains).await?;
    sight.until(&domains, 1, &mut operator).await?;
    let ready = started.elapsed().as_secs_f64();

    let half = |odd: usize| domains.iter().enumerate().filter(move |(i, _)| i % 2 == odd);
    let of = |domain: &String, name: &str| format!("{domain}/{name}");
    let cluster_names: Vec<String> = half(0).map(|(_, domain)| of(domain, "etl")).collect();
    let endpoint_names: Vec<String> = half(1).map(|(_, domain)| of(domain, "bi")).collect();
    let job_names: Vec<String> = domains
        .iter()
        .flat_map(|domain| (0..JOBS).map(move |j| format!("{domain}/nightly-{j}")))
        .collect();
    apply(bed, "sparkclusters", &cluster_names, spark_cluster).await?;
    apply(bed, "sqlendpoints", &endpoint_names, sql_endpoint).await?;
    apply(bed, "batchjobs", &job_names, scheduled_job).await?;
    clusters.until(&cluster_names, 1, &mut operator).await?;
    endpoints.until(&endpoint_names, 1, &mut operator).await?;
    jobs.until(&job_names, 1, &mut operator).await?;
    let seconds = started.elapsed().as_secs_f64();
    operator.idle("batch-job", 0.0).await?;
    let usage = operator.usage()?;
    let held = operator.metrics().sum("polder_store_objects", "");
    let counts = bed.audit.of_operator()?;
    report.add(
        Row::new("mixed", n)
            .with("seconds", seconds)
            .with("seconds_until_domains_ready", ready)
            .with("roots", number(n + cluster_names.len() + endpoint_names.len() + job_names.len()))
            .with("writes", number(counts.writes))
            .with("reads", number(counts.reads + counts.lists))
            .with("refused", number(counts.refused))
            .with("objects_held", held)
            .with("resident_kib", usage.resident_kib)
            .with("peak_kib", usage.peak_kib)
            .with("kib_per_object", usage.resident_kib / held)
            .with("cpu_seconds", usage.cpu_seconds)
            .asked(&counts),
    );
    // Figures of a status that change again and again are written a second later; they are not the restart's.
    sleep(SETTLED).await;
    bed.audit.mark()?;
    let mut fleet =
        super::Fleet { bed, program, more: &arguments.operator_argument, operator, names: domains };
    super::restart::run(&mut fleet, report).await?;
    fleet.operator.terminate().await
}

/// Creates objects given as namespace/name.
async fn apply(bed: &Bed, plural: &str, names: &[String], make: fn(&str) -> Value) -> Result<()> {
    let requests = names.iter().filter_map(|name| name.split_once('/')).map(|(namespace, name)| {
        let object = make(name);
        async move { create(&bed.client, namespace, plural, &object).await }
    });
    all(requests).await.map(drop)
}
