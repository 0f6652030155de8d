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
    if resolved.sets.is_empty() {
        problems.extend(domain.policy.frozen());
    }
    problems.extend(domain.policy.problems(&Usage::from(spec)));
    problems.extend(domain.runtime_problems("spec", &spec.runtime, images));
    problems.extend(domain.pool_problem("spec.master.nodePool", spec.master.node_pool.as_deref()));
    problems.extend(domain.resource_problems(
        "spec.master.resources",
        &spec.master.resources,
        LEAST_MASTER_MIB,
    ));
    for (index, pool) in spec.workers.iter().enumerate() {
        let path = format!("spec.workers[{index}]");
        problems
            .extend(domain.pool_problem(&format!("{path}.nodePool"), pool.node_pool.as_deref()));
        problems.extend(domain.resource_problems(
            &format!("{path}.resources"),
            &pool.resources,
            memory::LEAST_WORKER_LIMIT_MIB,
        ));
    }
    problems
}
