//! What went wrong with a request, and what that means.

use std::time::Duration;

use kube::core::Status;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// No answer in time.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// No connection, or it broke.
    #[error("the API server could not be reached: {0}")]
    Transport(String),
    /// The API server said no.
    #[error("{}", readable(.status))]
    Api { status: Box<Status>, retry_after: Option<Duration> },
    /// The answer is not what it should be.
    #[error("the answer of the API server could not be read: {0}")]
    Answer(String),
    /// The lease may have passed to another process: nothing more may be written.
    #[error("this process no longer holds the lease")]
    Fenced,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Try again, backing off.
    Transient,
    /// Permissions are missing, perhaps only until a binding just made is known.
    Forbidden,
    /// Not before the wish changes.
    Rejected,
    /// Refused by a quota or an admission policy: not before the wish or the policy changes.
    Policy,
    /// The object is not what was assumed: it exists, or has another uid or resourceVersion.
    Conflict,
    /// The object is not there.
    Gone,
}

impl RequestError {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Api { status, .. } => class_of(status),
            _ => Class::Transient,
        }
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn class_of(status: &Status) -> Class {
    let message = status.message.as_str();
    let says = |text: &str| message.contains(text);
    if says("exceeded quota") || says("denied request") || says("denied the request") {
        return Class::Policy;
    }
    if says("because it is being terminated") {
        return Class::Transient;
    }
    match status.code {
        403 => Class::Forbidden,
        404 if says("the server could not find the requested resource") => Class::Policy,
        404 if is_namespace(status) => Class::Transient,
        404 | 410 => Class::Gone,
        409 => Class::Conflict,
        // Duplicate keys and wrong types come as 500 with an empty reason.
        500 if says("failed to create typed") || says("failed to convert") => Class::Rejected,
        400 | 405 | 406 | 413 | 415 | 422 => Class::Rejected,
        _ => Class::Transient,
    }
}

fn is_namespace(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| details.kind == "namespaces")
        || status.message.starts_with("namespaces ")
}

/// Field and message of each cause where the server names them, its message otherwise.
fn readable(status: &Status) -> String {
    let causes: Vec<String> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| !cause.field.is_empty() && !cause.message.is_empty())
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        .collect();
    if causes.is_empty() || status.code != 422 {
        let message = if status.message.is_empty() { &status.reason } else { &status.message };
        return format!("{message} (HTTP {})", status.code);
    }
    causes.join("; ")
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};
    use rstest::rstest;

    use super::*;

    fn api(code: u16, reason: &str, message: &str) -> RequestError {
        let status = Status::failure(message, reason).with_code(code).boxed();
        RequestError::Api { status, retry_after: None }
    }

    #[rstest]
    #[case(422, "Invalid", "Service \"x\" is invalid: spec.ports: Required value", Class::Rejected)]
    #[case(
        422,
        "Invalid",
        "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        Class::Policy
    )]
    #[case(
        403,
        "Forbidden",
        "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1",
        Class::Policy
    )]
    #[case(403, "Forbidden", "admission webhook \"w\" denied the request: no", Class::Policy)]
    #[case(
        403,
        "Forbidden",
        "configmaps \"x\" is forbidden: unable to create new content in namespace n because it is being terminated",
        Class::Transient
    )]
    #[case(
        403,
        "Forbidden",
        "configmaps \"x\" is forbidden: User \"u\" cannot patch resource",
        Class::Forbidden
    )]
    #[case(404, "NotFound", "namespaces \"n\" not found", Class::Transient)]
    #[case(404, "NotFound", "configmaps \"x\" not found", Class::Gone)]
    #[case(404, "NotFound", "the server could not find the requested resource", Class::Policy)]
    #[case(409, "Conflict", "Operation cannot be fulfilled", Class::Conflict)]
    #[case(409, "AlreadyExists", "already exists", Class::Conflict)]
    #[case(500, "", "failed to create typed patch object (...)", Class::Rejected)]
    #[case(500, "InternalError", "etcdserver: request timed out", Class::Transient)]
    #[case(429, "TooManyRequests", "slow down", Class::Transient)]
    #[case(400, "BadRequest", "malformed", Class::Rejected)]
    fn answers_are_classified(
        #[case] code: u16,
        #[case] reason: &str,
        #[case] message: &str,
        #[case] class: Class,
    ) {
        assert_eq!(api(code, reason, message).class(), class);
    }

    #[test]
    fn an_invalid_object_names_its_fields() {
        let mut status = Status::failure("Thing \"x\" is invalid: ...", "Invalid").with_code(422);
        status.details = Some(StatusDetails {
            causes: vec![StatusCause {
                reason: "FieldValueInvalid".into(),
                message: "Invalid value: 0: must be positive".into(),
                field: "spec.replicas".into(),
            }],
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            retry_after_seconds: 0,
        });
        let error = RequestError::Api { status: status.boxed(), retry_after: None };
        assert_eq!(error.to_string(), "spec.replicas: Invalid value: 0: must be positive");
    }
}
