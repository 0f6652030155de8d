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
    if resolved.set.is_none() {
        problems.extend(domain.policy.frozen());
    }
    problems.extend(domain.policy.problems(&Usage::from(spec)));
    problems.extend(domain.runtime_problems("spec", &spec.runtime, images));
    problems.extend(domain.pool_problem("spec.driver.nodePool", spec.driver.node_pool.as_deref()));
    problems.extend(domain.resource_problems(
        "spec.driver.resources",
        &spec.driver.resources,
        LEAST_LIMIT_MIB,
    ));
    if let Some(executors) = &spec.executors {
        let pool = executors.pods.node_pool.as_deref();
        problems.extend(domain.pool_problem("spec.executors.nodePool", pool));
        problems.extend(domain.resource_problems(
            "spec.executors.resources",
            &executors.pods.resources,
            LEAST_LIMIT_MIB,
        ));
    }
    if let (Some(reference), Some(cluster)) = (&spec.cluster_ref, &resolved.cluster) {
        // A driver that runs is left alone while its cluster is away for a moment.
        let is_start = resolved.set.is_none();
        problems.extend(cluster.problems("spec.clusterRef", reference, is_start));
    }
    problems
}
