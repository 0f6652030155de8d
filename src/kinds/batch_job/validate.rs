//! What the schema of a `BatchJob` cannot see.

use super::{
    Resolved, cron,
    runs::{self, Decision},
};
use crate::{
    api::{
        BatchJob,
        batch_job::{ContainerJob, Duration, Schedule, SparkJob},
    },
    build::spark::memory::LEAST_LIMIT_MIB,
    engine::Problem,
    kinds::common::{Usage, WAITING},
};

/// What keeps the next run from being made. A run that is made already, or over, is not touched
/// by what changes around it; and what is suspended can be stopped whatever its spec says.
pub(super) fn problems(root: &BatchJob, resolved: &Resolved) -> Vec<Problem> {
    if resolved.domain.namespace_deleting {
        return resolved.domain.problems();
    }
    if resolved.suspended(root) {
        return Vec::new();
    }
    match (&root.spec.schedule, runs::decide(root, resolved)) {
        (None, Decision::Start(_)) => all(root, resolved, true),
        (None, _) => number_problem(root).into_iter().collect(),
        (Some(_), _) => all(root, resolved, false),
    }
}

/// What is wrong with the spec and does not end by itself.
pub(super) fn lasting(root: &BatchJob, resolved: &Resolved) -> Vec<Problem> {
    let mut problems = all(root, resolved, false);
    problems.retain(|problem| !WAITING.contains(&problem.reason));
    problems
}

/// A run that is asked for by what is no number.
fn number_problem(root: &BatchJob) -> Option<Problem> {
    let text = runs::number(root)?.err()?;
    Some(Problem::new(
        "NotANumber",
        format!("metadata.annotations[{}]", runs::NUMBER),
        format!("is `{text}`; it must be the number of a run, from 1 to {}", runs::HIGHEST),
    ))
}

fn all(root: &BatchJob, resolved: &Resolved, is_start: bool) -> Vec<Problem> {
    let spec = &root.spec;
    let mut problems = resolved.domain.problems();
    problems.extend(number_problem(root));
    let policy = &resolved.domain.policy;
    // With a schedule, the first CronJob is what is new; its runs are what goes on.
    if is_start || (spec.schedule.is_some() && resolved.cron.is_none()) {
        problems.extend(policy.frozen());
    }
    problems.extend(policy.problems(&Usage::from(spec)));
    if let Some(spark) = &spec.spark {
        spark_problems(spark, resolved, is_start, &mut problems);
    }
    if let Some(container) = &spec.container {
        container_problems(container, resolved, &mut problems);
    }
    if let Some(schedule) = &spec.schedule {
        schedule_problems(schedule, &mut problems);
    }
    if spec.timeout.as_ref().is_some_and(|timeout| timeout.seconds() < 1) {
        problems.push(Problem::new(
            "TooShort",
            "spec.timeout",
            "must be at least 1s; leave it out for no bound",
        ));
    }
    problems
}

fn spark_problems(
    spark: &SparkJob,
    resolved: &Resolved,
    is_start: bool,
    problems: &mut Vec<Problem>,
) {
    let domain = &resolved.domain;
    problems.extend(resolved.runtime_problems.iter().cloned());
    let (pool, resources) = (spark.driver.node_pool.as_deref(), &spark.driver.resources);
    problems.extend(domain.pod_problems("spec.spark.driver", pool, resources, LEAST_LIMIT_MIB));
    if let Some(executors) = spark.executors.as_ref().map(|executors| &executors.pods) {
        let (pool, resources) = (executors.node_pool.as_deref(), &executors.resources);
        let path = "spec.spark.executors";
        problems.extend(domain.pod_problems(path, pool, resources, LEAST_LIMIT_MIB));
    }
    if let (Some(reference), Some(cluster)) = (&spark.cluster_ref, &resolved.cluster) {
        problems.extend(cluster.problems("spec.spark.clusterRef", reference, is_start));
    }
    if let Some(main) = &spark.main.config_map
        && !is_file_name(&main.key)
    {
        problems.push(Problem::new(
            "KeyInvalid",
            "spec.spark.main.configMap.key",
            format!(
                "{:?} cannot be a key of a ConfigMap; keys hold letters, digits, dots, dashes and \
                 underscores",
                main.key
            ),
        ));
    }
}

fn container_problems(container: &ContainerJob, resolved: &Resolved, problems: &mut Vec<Problem>) {
    let domain = &resolved.domain;
    problems.extend(domain.env_problems("spec.container", &container.env));
    let (pool, resources) = (container.node_pool.as_deref(), &container.resources);
    problems.extend(domain.pod_problems("spec.container", pool, resources, 0));
}

fn schedule_problems(schedule: &Schedule, problems: &mut Vec<Problem>) {
    if let Err(message) = cron::check(&schedule.cron) {
        problems.push(Problem::new("CronInvalid", "spec.schedule.cron", message));
    }
    let zone = schedule.time_zone.as_deref();
    if let Some(message) = zone.and_then(|zone| cron::check_zone(zone).err()) {
        problems.push(Problem::new("TimeZoneUnknown", "spec.schedule.timeZone", message));
    }
    // The CronJob controller looks every ten seconds.
    // Source: <https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline>
    let deadline = schedule.starting_deadline.as_ref().map(Duration::seconds);
    if deadline.is_some_and(|seconds| seconds < 10) {
        problems.push(Problem::new(
            "TooShort",
            "spec.schedule.startingDeadline",
            "must be at least 10s: Kubernetes looks for due runs every ten seconds",
        ));
    }
}

/// Source: <https://kubernetes.io/docs/concepts/configuration/configmap/>
fn is_file_name(key: &str) -> bool {
    key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !key.starts_with("..")
}
