//! Conditions that all kinds share, after kstatus.
//!
//! Source: <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// It serves now: pods ready, endpoint answering, quota in force.
pub const READY: &str = "Ready";
/// Work towards the spec is under way.
pub const RECONCILING: &str = "Reconciling";
/// Nothing more happens until somebody acts.
pub const STALLED: &str = "Stalled";

/// Types and statuses of conditions, as one text: what workloads and domains see of each other.
pub fn flags(conditions: &[Condition]) -> String {
    conditions.iter().fold(String::new(), |mut text, condition| {
        text.push_str(&condition.type_);
        text.push('=');
        text.push_str(&condition.status);
        text.push(' ');
        text
    })
}

/// A condition without a transition time: the engine keeps or sets that.
pub fn condition(
    type_: &str,
    is_true: bool,
    reason: &str,
    message: impl Into<String>,
    generation: Option<i64>,
) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: if is_true { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    }
}
