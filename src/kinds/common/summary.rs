//! The three conditions that every kind has, after kstatus.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::domain::WAITING;
use crate::{
    api::conditions::{READY, RECONCILING, STALLED, condition},
    engine::{Fault, Report},
};

/// How a root stands once all its children are what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It serves.
    Ready {
        /// Reason of the condition.
        reason: &'static str,
        /// In words.
        message: String,
    },
    /// It will serve by itself.
    Progressing {
        /// Reason of the condition.
        reason: String,
        /// In words.
        message: String,
    },
    /// Somebody has to act.
    Failing {
        /// Reason of the condition.
        reason: String,
        /// In words.
        message: String,
    },
    /// It was told to stand still, and does.
    Suspended {
        /// In words.
        message: String,
    },
}

impl Readiness {
    /// It serves.
    pub fn ready(message: impl Into<String>) -> Self {
        Self::Ready { reason: "Ready", message: message.into() }
    }

    /// It will serve by itself.
    pub fn progressing(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Progressing { reason: reason.into(), message: message.into() }
    }

    /// Somebody has to act.
    pub fn failing(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failing { reason: reason.into(), message: message.into() }
    }

    /// It was told to stand still, and does.
    pub fn suspended(message: impl Into<String>) -> Self {
        Self::Suspended { message: message.into() }
    }
}

/// Ready, Reconciling and Stalled, from what became of the plan and, if nothing stood in its way,
/// from how the children do.
pub fn triple(report: &Report, generation: Option<i64>, readiness: Readiness) -> Vec<Condition> {
    let (ready, reconciling, stalled, reason, message) = match obstacle(report).unwrap_or(readiness)
    {
        Readiness::Ready { reason, message } => (true, false, false, reason.to_owned(), message),
        Readiness::Progressing { reason, message } => (false, true, false, reason, message),
        Readiness::Failing { reason, message } => (false, false, true, reason, message),
        Readiness::Suspended { message } => (false, false, false, "Suspended".to_owned(), message),
    };
    let make = |type_: &str, is_true: bool| {
        condition(type_, is_true, &reason, message.clone(), generation)
    };
    vec![make(READY, ready), make(RECONCILING, reconciling), make(STALLED, stalled)]
}

/// What stood in the way of the plan.
fn obstacle(report: &Report) -> Option<Readiness> {
    if let Some(first) = report.problems.iter().find(|problem| !WAITING.contains(&problem.reason)) {
        let messages: Vec<String> = report
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        return Some(Readiness::failing(first.reason, messages.join("; ")));
    }
    if let Some(first) = report.problems.first() {
        return Some(Readiness::progressing(first.reason, first.message.clone()));
    }
    let stalled = [("Conflict", &report.conflicts), ("Rejected", &report.rejected)];
    if let Some((reason, faults)) = stalled.into_iter().find(|(_, faults)| !faults.is_empty()) {
        return Some(Readiness::failing(reason, join(faults)));
    }
    if !report.failed.is_empty() {
        return Some(Readiness::progressing("ApplyFailed", join(&report.failed)));
    }
    if !report.waiting.is_empty() {
        return Some(Readiness::progressing("Waiting", join(&report.waiting)));
    }
    None
}

fn join(faults: &[Fault]) -> String {
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    messages.join("; ")
}

#[cfg(test)]
mod tests {
    use super::{Readiness, triple};
    use crate::engine::{Problem, Report};

    fn statuses(report: &Report, readiness: Readiness) -> Vec<String> {
        triple(report, Some(1), readiness).into_iter().map(|condition| condition.status).collect()
    }

    #[test]
    fn at_most_one_of_the_three_is_true() {
        let report = Report::default();
        assert_eq!(statuses(&report, Readiness::ready("")), ["True", "False", "False"]);
        assert_eq!(statuses(&report, Readiness::progressing("A", "")), ["False", "True", "False"]);
        assert_eq!(statuses(&report, Readiness::failing("A", "")), ["False", "False", "True"]);
        assert_eq!(statuses(&report, Readiness::suspended("")), ["False", "False", "False"]);
    }

    #[test]
    fn all_problems_are_told_and_one_that_needs_a_person_stalls() {
        let report = Report {
            problems: vec![
                Problem::new("DomainNotReady", "metadata.namespace", "waits"),
                Problem::new("NodePoolNotFound", "spec.nodePool", "no such pool"),
            ],
            ..Default::default()
        };
        let conditions = triple(&report, Some(1), Readiness::ready(""));
        let ready = &conditions[0];
        assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "NodePoolNotFound"));
        assert_eq!(ready.message, "metadata.namespace: waits; spec.nodePool: no such pool");
    }
}
