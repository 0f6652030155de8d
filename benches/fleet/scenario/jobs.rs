//! BatchJobs: from their creation until their driver pods exist, all at once and steadily.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    arguments::{Arguments, Scenario},
    audit::{Counts, OPERATOR},
    bed::Bed,
    error::Result,
    load::{all, batch_job, create, create_domains, domain_name, send},
    operator::Operator,
    pods::{Pods, root_of},
    report::{Report, Row},
    sight::Sight,
    statistics::{Sample, number},
};

/// Domains over which the jobs are spread.
const DOMAINS: usize = 10;
/// Jobs a second in the steady load.
const RATE: u32 = 20;
const PATIENCE: Duration = Duration::from_mins(5);

pub async fn run(
    bed: &Bed,
    arguments: &Arguments,
    program: &Path,
    report: &mut Report,
) -> Result<()> {
    let domains: Vec<String> = (0..DOMAINS).map(|i| domain_name("bench", i)).collect();
    create_domains(&bed.client, &domains).await?;
    let sight = Sight::of(bed.client.clone(), "Domain", "domains").await?;
    let pods = Pods::of(bed.client.clone()).await?;
    let mut operator = Operator::start(bed, program, "first", &arguments.operator_argument)?;
    sight.until(&domains, 1, &mut operator).await?;
    // The first ones pay for what everybody meets cold.
    burst(bed, &pods, &mut operator, &domains, "warm", 20).await?;
    if arguments.wants(Scenario::Jobs) {
        let n = arguments.jobs();
        let (cpu, passes) = (operator.usage()?.cpu_seconds, passes(&operator));
        let seconds = burst(bed, &pods, &mut operator, &domains, "burst", n).await?;
        operator.idle("batch-job", 0.0).await?;
        let (cpu, passes) = (operator.usage()?.cpu_seconds - cpu, self::passes(&operator) - passes);
        let burst = seconds_row("jobs", n, bed, &pods, seconds)?;
        let raw = raw(bed, &pods, &domains, n).await?;
        let ratio = burst.figure("seconds_until_the_last_pod").unwrap_or(f64::NAN) / raw;
        report.add(
            burst
                .with("floor_seconds_until_the_last_pod", raw)
                .with("ratio_to_floor", ratio)
                .with("cpu_seconds", cpu)
                .with("passes_per_job", passes / number(n)),
        );
    }
    if arguments.wants(Scenario::Steady) {
        let seconds = arguments.seconds().min(60);
        let n = usize::try_from(seconds).unwrap_or(60) * RATE as usize;
        let took = steady(bed, &pods, &mut operator, &domains, n).await?;
        report.add(seconds_row("steady_jobs", n, bed, &pods, took)?);
    }
    operator.terminate().await
}

/// Reconciles so far, of all kinds.
fn passes(operator: &Operator) -> f64 {
    operator.metrics().sum("polder_reconcile_total", "")
}

/// Creates all at once and waits until every one has its pod.
async fn burst(
    bed: &Bed,
    pods: &Pods,
    operator: &mut Operator,
    domains: &[String],
    prefix: &str,
    n: usize,
) -> Result<f64> {
    bed.audit.mark()?;
    let started = Instant::now();
    let requests = (0..n).zip(domains.iter().cycle()).map(|(index, domain)| {
        let object = batch_job(&format!("{prefix}-{index}"));
        async move { create(&bed.client, domain, "batchjobs", &object).await }
    });
    all(requests).await?;
    until_pods(pods, operator, prefix, n).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Creates some every second.
async fn steady(
    bed: &Bed,
    pods: &Pods,
    operator: &mut Operator,
    domains: &[String],
    n: usize,
) -> Result<f64> {
    bed.audit.mark()?;
    let started = Instant::now();
    for (index, domain) in (0..n).zip(domains.iter().cycle()) {
        let due = Duration::from_secs(1) * u32::try_from(index).unwrap_or_default() / RATE;
        sleep(due.saturating_sub(started.elapsed())).await;
        let object = batch_job(&format!("steady-{index}"));
        let client = bed.client.clone();
        let domain = domain.clone();
        tokio::spawn(async move {
            if let Err(error) = create(&client, &domain, "batchjobs", &object).await {
                eprintln!("  {error}");
            }
        });
    }
    until_pods(pods, operator, "steady", n).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Waits for pods, at no request.
async fn until_pods(pods: &Pods, operator: &mut Operator, prefix: &str, n: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let pods = pods.of_roots(prefix).len();
        if pods >= n {
            return Ok(());
        }
        operator.check()?;
        if Instant::now() > deadline {
            return Err(format!("only {pods} of {n} jobs have a pod").into());
        }
        sleep(Duration::from_millis(200)).await;
    }
}

fn seconds_row(
    scenario: &'static str,
    n: usize,
    bed: &Bed,
    pods: &Pods,
    seconds: f64,
) -> Result<Row> {
    let prefix = if scenario == "jobs" { "burst" } else { "steady" };
    let requests = bed.audit.requests()?;
    let (mut asked, mut answered, mut reaction) = (HashMap::new(), HashMap::new(), Vec::new());
    for request in &requests {
        let Some(job) = root_of(&request.name, prefix) else { continue };
        let key = format!("{}/{job}", request.namespace);
        if request.resource == "batchjobs" && request.verb == "create" {
            asked.insert(key.clone(), request.arrived);
            answered.insert(key, request.answered);
        } else if request.user == OPERATOR
            && request.is_write()
            && let Some(at) = answered.remove(&key)
        {
            reaction.push(request.arrived - at);
        }
    }
    let pods = pods.of_roots(prefix);
    let latency = pods.iter().filter_map(|(key, at)| Some(at - asked.get(key)?));
    let (latency, reaction) = (Sample::new(latency.collect()), Sample::new(reaction));
    let first = asked.values().copied().fold(f64::INFINITY, f64::min);
    let last = pods.values().copied().fold(0.0, f64::max);
    let counts = Counts::of(requests.iter().filter(|request| request.user == OPERATOR));
    Ok(Row::new(scenario, n)
        .with("seconds", seconds)
        .with("seconds_until_the_last_pod", last - first)
        .with("pods_per_minute", 60.0 * number(pods.len()) / (last - first))
        .with("s_to_pod_median", latency.median())
        .with("s_to_pod_p99", latency.quantile(0.99))
        .with("s_to_our_first_write_median", reaction.median())
        .with("writes_per_job", number(counts.writes) / number(n))
        .with("events_per_job", number(counts.events) / number(n))
        .asked(&counts))
}

/// The same Jobs and ConfigMaps written raw, until their pods exist; seconds.
async fn raw(bed: &Bed, pods: &Pods, domains: &[String], n: usize) -> Result<f64> {
    let domain = domains.first().ok_or("no domains")?;
    let template = |api: &str, plural: &str| {
        let path = format!(
            "{api}/namespaces/{domain}/{plural}?labelSelector=app.kubernetes.io%2Finstance%3Dburst-0"
        );
        async move {
            let list = send(&bed.client, "GET", &path, None).await?;
            Ok::<_, crate::error::Failure>(list["items"][0].clone())
        }
    };
    let config = bare(template("/api/v1", "configmaps").await?, "v1", "ConfigMap");
    let job = bare(template("/apis/batch/v1", "jobs").await?, "batch/v1", "Job");
    bed.audit.mark()?;
    let requests = (0..n).zip(domains.iter().cycle()).map(|(index, domain)| {
        let (config, job) = (&config, &job);
        async move {
            let name = format!("raws-{index}");
            put(bed, "/api/v1", "configmaps", domain, &format!("{name}-config"), config).await?;
            put(bed, "/apis/batch/v1", "jobs", domain, &format!("{name}-run"), job).await
        }
    });
    let started = Instant::now();
    all(requests).await?;
    while pods.of_roots("raws").len() < n {
        if started.elapsed() > PATIENCE {
            return Err("the floor's jobs get no pods".into());
        }
        sleep(Duration::from_millis(200)).await;
    }
    let requests = bed.audit.requests()?;
    let first = requests
        .iter()
        .filter(|request| request.name.starts_with("raws-") && request.is_write())
        .map(|request| request.arrived)
        .fold(f64::INFINITY, f64::min);
    Ok(pods.of_roots("raws").values().copied().fold(0.0, f64::max) - first)
}

async fn put(
    bed: &Bed,
    api: &str,
    plural: &str,
    domain: &str,
    name: &str,
    object: &Value,
) -> Result<()> {
    let mut object = object.clone();
    object["metadata"]["name"] = name.into();
    object["metadata"]["namespace"] = domain.into();
    let path = format!("{api}/namespaces/{domain}/{plural}/{name}?fieldManager=floor&force=true");
    send(&bed.client, "PATCH", &path, Some(&object)).await.map(drop)
}

/// An object to be made anew: what the API server fills in is left out.
fn bare(mut object: Value, version: &str, kind: &str) -> Value {
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    object["metadata"] = serde_json::json!({"labels": {"floors.dev/of": "bench"}});
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("selector");
    }
    let labels = object.pointer_mut("/spec/template/metadata/labels");
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.retain(|key, _| !key.contains("controller-uid") && !key.contains("job-name"));
    }
    object
}
