//! Names of children: `<root>-<role>`, shortened with a hash where a limit is near.

use sha2::{Digest, Sha256};

/// Longest name of a Service, and value of a label (RFC 1035 label).
pub const LABEL_LIMIT: usize = 63;
/// Longest name of a StatefulSet or CronJob whose pods carry it in a label with a suffix.
/// Source: <https://github.com/kubernetes/kubernetes/issues/64023>
pub const SET_LIMIT: usize = 52;

/// The first `digits` hexadecimal digits of the SHA-256 of a text.
pub fn short_hash(text: &str, digits: usize) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .take(digits)
        .collect()
}

/// `<root>-<role>`; where that is longer than `limit`, its beginning and a hash of the whole.
pub fn child(root: &str, role: &str, limit: usize) -> String {
    let full = format!("{root}-{role}");
    if full.len() <= limit {
        return full;
    }
    let hash = short_hash(&full, 8);
    let kept: String = full.chars().take(limit.saturating_sub(9)).collect();
    format!("{}-{hash}", kept.trim_end_matches('-'))
}

/// Name of the quota of all workloads of a domain.
pub fn quota(domain: &str) -> String {
    child(domain, "quota", LABEL_LIMIT)
}

/// Name of the quota of a domain's pods with a priority class. The schema bounds both parts, so
/// that this is never longer than the 253 characters that a quota's name may have.
pub fn priority_quota(domain: &str, priority_class: &str) -> String {
    format!("{domain}-quota-{priority_class}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SET_LIMIT, child};

    #[test]
    fn short_names_are_plain() {
        assert_eq!(child("etl", "master", SET_LIMIT), "etl-master");
    }

    proptest! {
        #[test]
        fn names_fit_and_differ(root in "[a-z]([-a-z0-9]{0,43}[a-z0-9])?", role in "[a-z]{1,15}", other in "[a-z]{1,15}") {
            let name = child(&root, &role, SET_LIMIT);
            prop_assert!(name.len() <= SET_LIMIT);
            prop_assert!(!name.ends_with('-') && !name.contains("--") || root.contains("--"));
            prop_assert_eq!(role == other, name == child(&root, &other, SET_LIMIT));
        }
    }
}
