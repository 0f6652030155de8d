//! Jobs as the API server shows them.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::JobStatus;

use crate::engine::Record;

/// One Job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its record.
    pub record: Arc<Record>,
    /// Its status.
    pub status: JobStatus,
}

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// All went well.
    pub(super) succeeded: bool,
    /// When.
    pub(super) at: Timestamp,
    /// Reason of the Job's condition: `BackoffLimitExceeded`, `DeadlineExceeded`, ...
    pub(super) reason: String,
    /// The same in words.
    pub(super) message: String,
}

impl Job {
    /// Reads a record.
    pub(super) fn new(record: Arc<Record>) -> Self {
        let status = record.part("/status").unwrap_or_default();
        Self { record, status }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.record.key.name
    }

    /// How it ended, if it has: all its pods are gone or finished then.
    /// Source: <https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>
    pub(super) fn end(&self) -> Option<End> {
        let condition = self
            .status
            .conditions
            .iter()
            .flatten()
            .find(|condition| is_terminal(&condition.type_) && condition.status == "True")?;
        let at = self.status.completion_time.as_ref().or(condition.last_transition_time.as_ref());
        Some(End {
            succeeded: condition.type_ == "Complete",
            at: at.map_or(self.record.created, |time| time.0),
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
        })
    }

    /// It has not ended.
    pub(super) fn is_active(&self) -> bool {
        self.end().is_none()
    }

    /// Its end is decided, and its pods are on their way out.
    pub(super) fn is_ending(&self) -> bool {
        let is_verdict = |type_: &str| matches!(type_, "FailureTarget" | "SuccessCriteriaMet");
        let mut conditions = self.status.conditions.iter().flatten();
        conditions.any(|condition| is_verdict(&condition.type_) && condition.status == "True")
    }

    /// When it started; before its controller has seen it, when it was created.
    pub(super) fn start(&self) -> Timestamp {
        self.status.start_time.as_ref().map_or(self.record.created, |time| time.0)
    }
}

fn is_terminal(condition: &str) -> bool {
    matches!(condition, "Complete" | "Failed")
}
