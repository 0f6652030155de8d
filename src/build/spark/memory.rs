//! How a pod's memory is shared between Java heap and the rest.

use crate::{api::common::Resources, build::quantity};

/// What a process needs beside its heap, at least, in MiB.
/// Source: `spark.executor.minMemoryOverhead` in
/// <https://spark.apache.org/docs/latest/configuration.html>
const LEAST_OVERHEAD_MIB: i64 = 384;
/// The smallest heap that Spark's memory manager accepts is 450 MiB.
const LEAST_HEAP_MIB: i64 = 512;
/// Smallest limit of a pod with a driver or executor in it, in MiB.
pub const LEAST_LIMIT_MIB: i64 = LEAST_HEAP_MIB + LEAST_OVERHEAD_MIB;
/// Heap of a worker, which holds no data: the external shuffle service is part of it.
pub const WORKER_HEAP_MIB: i64 = 384;
/// What a worker process takes beside its heap.
const WORKER_OVERHEAD_MIB: i64 = 256;

/// How a limit is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Java heap, in MiB.
    pub heap_mib: i64,
    /// The rest, in MiB.
    pub overhead_mib: i64,
}

/// Shares a pod's memory between heap and the rest: a tenth of the heap for the JVM's own needs,
/// four tenths where Python runs beside it, at least 384 MiB. `None` if nothing useful is left.
pub fn split(resources: &Resources, with_python: bool) -> Option<Split> {
    let limit = quantity::mebibytes(&resources.memory.0)?;
    let factor = if with_python { 140 } else { 110 };
    let heap_mib = (limit * 100 / factor).min(limit - LEAST_OVERHEAD_MIB);
    (heap_mib >= LEAST_HEAP_MIB).then_some(Split { heap_mib, overhead_mib: limit - heap_mib })
}

/// Memory that a worker offers to executors, as heaps, in MiB. A standalone worker counts heaps
/// only, so that what executors take beside them is left out of the offer.
pub fn worker_offer_mib(resources: &Resources) -> Option<i64> {
    let limit = quantity::mebibytes(&resources.memory.0)?;
    let left = limit - WORKER_HEAP_MIB - WORKER_OVERHEAD_MIB;
    let offer = (left * 10 / 11).min(left - 256);
    (offer >= LEAST_HEAP_MIB).then_some(offer)
}

/// Smallest limit of a worker pod, in MiB.
pub const LEAST_WORKER_LIMIT_MIB: i64 =
    WORKER_HEAP_MIB + WORKER_OVERHEAD_MIB + LEAST_HEAP_MIB + 256;

#[cfg(test)]
mod tests {
    use super::{LEAST_LIMIT_MIB, LEAST_WORKER_LIMIT_MIB, split, worker_offer_mib};
    use crate::api::common::Resources;

    fn resources(mib: i64) -> Resources {
        Resources { memory: format!("{mib}Mi").as_str().into(), ..Default::default() }
    }

    #[test]
    fn the_least_is_just_enough() {
        assert!(split(&resources(LEAST_LIMIT_MIB), true).is_some());
        assert!(split(&resources(LEAST_LIMIT_MIB - 1), false).is_none());
        assert!(worker_offer_mib(&resources(LEAST_WORKER_LIMIT_MIB)).is_some());
        assert!(worker_offer_mib(&resources(LEAST_WORKER_LIMIT_MIB - 1)).is_none());
    }

    #[test]
    fn large_pods_leave_their_share() {
        let share = split(&resources(14_000), true).unwrap();
        assert_eq!((share.heap_mib, share.overhead_mib), (10_000, 4_000));
    }
}
