//! Reasons of single kinds of workloads.

use super::{Group, Place, act, fine, wait};

/// Of SparkClusters.
pub(super) const SPARK_CLUSTER: Group = Group {
    title: "SparkCluster",
    text: "On `Ready`, `Reconciling` and `Stalled`.",
    place: Place::Ready,
    reasons: &[
        wait(
            "MasterNotReady",
            "the master does not answer yet",
            "wait; if it lasts: `polder logs`",
        ),
        wait(
            "WorkersNotReady",
            "not every worker is registered yet",
            "wait; if it lasts: `polder logs`",
        ),
        wait("Rolling", "workers are replaced one by one after a change", "wait"),
    ],
};

/// Of SqlEndpoints.
pub(super) const SQL_ENDPOINT: Group = Group {
    title: "SqlEndpoint",
    text: "On `Ready`, `Reconciling` and `Stalled`. `Ready` means that the port that opens last is open.",
    place: Place::Ready,
    reasons: &[wait("Starting", "the driver starts, or the run of a BatchJob is about to", "wait")],
};

/// Of BatchJobs.
pub(super) const BATCH_JOB: Group = Group {
    title: "BatchJob",
    text: "On `Ready`, `Reconciling` and `Stalled`; `Starting`, too.",
    place: Place::Ready,
    reasons: &[
        fine("Succeeded", "the run succeeded"),
        fine("Scheduled", "the schedule is in force, and the last run did not fail"),
        fine("Running", "a run goes on; with a schedule the job is ready meanwhile"),
        wait(
            "ContainerCreating",
            "the pod gets its image and volumes",
            "wait; if it lasts, an object that it mounts is missing: `polder why`",
        ),
        wait(
            "Retrying",
            "an attempt failed and is tried again",
            "wait; the message says why it failed",
        ),
        wait("Stopping", "a run is being stopped", "wait"),
        wait("WaitsForEarlierRun", "something of an earlier run is still there", "wait"),
        wait(
            "LastRunFailed",
            "a run of the schedule failed; the next may mend it",
            "the message has the last lines; mend what they name",
        ),
        act(
            "Failed",
            "the run failed, retries included",
            "the message has the exit code and the last lines; mend what they name, then `polder run`",
        ),
        act("Cancelled", "the run was stopped, or its Job deleted", "`polder run` starts another"),
        act(
            "CronInvalid",
            "`schedule.cron` is none that Kubernetes accepts",
            "the message names the part; five fields, such as `0 2 * * *`",
        ),
        act(
            "TimeZoneUnknown",
            "`schedule.timeZone` is none of the time zone database",
            "write it as `Europe/Amsterdam`",
        ),
        act(
            "NotANumber",
            "the annotation that asks for a run holds no number",
            "use `polder run`, or write a number",
        ),
    ],
};

/// Of their other conditions.
pub(super) const CONDITIONS: Group = Group {
    title: "Other conditions of workloads",
    text: "On `MasterReady` and `WorkersReady` of SparkClusters and on `Running` of BatchJobs.",
    place: Place::Elsewhere,
    reasons: &[
        fine("Alive", "the master is alive"),
        wait("NotAlive", "the master does not answer, or still recovers", "wait"),
        fine("Registered", "the master lists every worker"),
        wait("NotRegistered", "the master does not list every worker yet", "wait"),
        fine("PodRunning", "a run goes on"),
        fine("NoPodRunning", "no run goes on"),
    ],
};

/// Of single runs.
pub(super) const RUNS: Group = Group {
    title: "Runs of a BatchJob",
    text: "In `status.runs` and `status.lastRun`, beside what pods say. A run has a result: `Pending`, \
           `Running`, `Succeeded`, `Failed` or `Cancelled`. One that `suspend` or a new spec stopped \
           starts again from the beginning, under the next number, once it is wanted. Without \
           `ttlAfterFinished` the newest Job and three earlier ones are kept.",
    place: Place::Elsewhere,
    reasons: &[
        act(
            "Timeout",
            "the run took longer than `timeout`, with all retries",
            "raise it, or make the run faster; the message says what it did last",
        ),
        act(
            "DeadlineExceeded",
            "the same, in Kubernetes' words",
            "raise `timeout`, or make the run faster",
        ),
        wait(
            "ExecutorsPending",
            "the driver runs, and its executors do not yet",
            "wait; the message says what they lack",
        ),
        act(
            "ExecutorsFailed",
            "the driver gave up after too many executors failed",
            "read what they printed: `polder logs`; often too little memory",
        ),
        fine("SpecChanged", "stopped, since the spec asks for another run"),
        fine("Replaced", "stopped by the next run of the schedule, as `concurrency: Replace` says"),
        act("JobDeleted", "somebody deleted the run's Job", "`polder run` starts another"),
    ],
};
