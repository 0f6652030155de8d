//! A run, as a Job.

use k8s_openapi::{
    api::{
        batch::v1::{
            Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern,
            PodFailurePolicyRule,
        },
        core::v1::{PodSpec, PodTemplateSpec},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{
    super::{RUN, RUN_COMPONENT},
    Context, Target, container, driver,
};
use crate::{api::batch_job::Duration, build::labels::Map};

/// The Job of a run without a schedule.
pub(in super::super) fn job(context: Context<'_>, target: Target<'_>, name: &str) -> Job {
    let mut metadata = context.identity.meta(name, RUN_COMPONENT);
    metadata.labels = Some(labels(context, target));
    Job { metadata, spec: Some(spec(context, target)), ..Default::default() }
}

/// Labels of a Job.
pub(super) fn labels(context: Context<'_>, target: Target<'_>) -> Map {
    let mut labels = context.identity.labels(RUN_COMPONENT);
    labels.insert(RUN.to_owned(), target.hash.to_owned());
    labels
}

/// What a Job is. An evicted or preempted pod is replaced and not counted as a failure.
/// Source: <https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy>
pub(super) fn spec(context: Context<'_>, target: Target<'_>) -> JobSpec {
    let spec = &context.root.spec;
    JobSpec {
        parallelism: Some(1),
        completions: Some(1),
        backoff_limit: Some(spec.retries.unwrap_or(0)),
        active_deadline_seconds: spec.timeout.as_ref().map(Duration::seconds),
        pod_failure_policy: Some(PodFailurePolicy {
            rules: vec![PodFailurePolicyRule {
                action: "Ignore".to_owned(),
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".to_owned(),
                    status: "True".to_owned(),
                }]),
                ..Default::default()
            }],
        }),
        // A pod is replaced once it is gone, so that two never write at once.
        pod_replacement_policy: Some("Failed".to_owned()),
        template: template(context, target),
        ..Default::default()
    }
}

fn template(context: Context<'_>, target: Target<'_>) -> PodTemplateSpec {
    let spec = &context.root.spec;
    let (component, more, pod) = match (&spec.spark, &spec.container) {
        (Some(spark), _) => {
            let (labels, pod) = driver::pod(context, target, spark);
            (driver::COMPONENT, labels, pod)
        }
        (None, Some(job)) => (container::COMPONENT, Map::new(), container::pod(context, job)),
        // The schema wants one of the two.
        (None, None) => (container::COMPONENT, Map::new(), PodSpec::default()),
    };
    let mut labels = context.identity.labels(component);
    labels.extend(more);
    labels.insert(RUN.to_owned(), target.hash.to_owned());
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels), ..Default::default() }),
        spec: Some(PodSpec { restart_policy: Some("Never".to_owned()), ..pod }),
    }
}
