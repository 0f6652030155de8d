//! What the schema of a SqlEndpoint cannot see.

use super::Resolved;
use crate::{
    api::SqlEndpoint,
    build::spark::{SparkImages, memory::LEAST_LIMIT_MIB},
    engine::Problem,
    kinds::common::Usage,
};

pub(super) fn problems(
    root: &SqlEndpoint,
    resolved: &Resolved,
    images: &SparkImages,
) -> Vec<Problem> {
    let (spec, domain) = (&root.spec, &resolved.domain);
    let mut problems = domain.problems();
    if resolved.suspended(root) {
        // What is to stop stops, whatever else is wrong with it.
        return problems;
    }
    // A driver that runs is left alone while its cluster is away for a moment.
    let (usage, is_new) = (Usage::from(spec), resolved.set.is_none());
    problems.extend(domain.service_problems(&usage, &spec.runtime, images, is_new));
    let (pool, resources) = (spec.driver.node_pool.as_deref(), &spec.driver.resources);
    problems.extend(domain.pod_problems("spec.driver", pool, resources, LEAST_LIMIT_MIB));
    if let Some(executors) = &spec.executors {
        let (pool, resources) = (executors.pods.node_pool.as_deref(), &executors.pods.resources);
        problems.extend(domain.pod_problems("spec.executors", pool, resources, LEAST_LIMIT_MIB));
    }
    if let (Some(reference), Some(cluster)) = (&spec.cluster_ref, &resolved.cluster) {
        problems.extend(cluster.problems("spec.clusterRef", reference, is_new));
    }
    problems
}
