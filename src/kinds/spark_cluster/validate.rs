//! What the schema of a SparkCluster cannot see.

use super::Resolved;
use crate::{
    api::SparkCluster,
    build::spark::{SparkImages, memory},
    engine::Problem,
    kinds::common::Usage,
};

/// Smallest limit of a master pod, in MiB.
const LEAST_MASTER_MIB: i64 = 512;

pub(super) fn problems(
    root: &SparkCluster,
    resolved: &Resolved,
    images: &SparkImages,
) -> Vec<Problem> {
    let (spec, domain) = (&root.spec, &resolved.domain);
    let mut problems = domain.problems();
    if resolved.suspended(root) {
        // What is to stop stops, whatever else is wrong with it.
        return problems;
    }
    let (usage, is_new) = (Usage::from(spec), resolved.sets.is_empty());
    problems.extend(domain.service_problems(&usage, &spec.runtime, images, is_new));
    let (pool, resources) = (spec.master.node_pool.as_deref(), &spec.master.resources);
    problems.extend(domain.pod_problems("spec.master", pool, resources, LEAST_MASTER_MIB));
    for (index, pool) in spec.workers.iter().enumerate() {
        problems.extend(domain.pod_problems(
            &format!("spec.workers[{index}]"),
            pool.node_pool.as_deref(),
            &pool.resources,
            memory::LEAST_WORKER_LIMIT_MIB,
        ));
    }
    problems
}
