//! What to do about a reason: the tables of the reference, so that it says the same.

use std::{collections::BTreeMap, sync::LazyLock};

const REFERENCE: &str = include_str!("../../docs/reference/conditions.md");

/// Advice by reason.
static ADVICE: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| parse(REFERENCE));

/// What to do about a condition with this reason; `None` if the reference does not know it.
pub(super) fn for_reason(reason: &str) -> Option<&'static str> {
    ADVICE.get(reason).copied()
}

/// Rows of tables with three columns: reasons in backquotes, meaning, what to do.
fn parse(text: &str) -> BTreeMap<&str, &str> {
    let mut advice = BTreeMap::new();
    for line in text.lines() {
        let mut columns = line.trim_matches('|').split(" | ").map(str::trim);
        let (Some(reasons), Some(_), Some(todo)) = (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        for reason in reasons.split('`').skip(1).step_by(2) {
            advice.entry(reason).or_insert(todo);
        }
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::for_reason;

    #[test]
    fn the_reference_is_what_the_command_says() {
        assert_eq!(for_reason("DomainDeleting"), Some("wait"));
        assert!(for_reason("OOMKilled").unwrap().contains("memory"));
        assert!(for_reason("CrashLoopBackOff").is_some());
        assert!(for_reason("StorageClassNotAllowed").is_some());
        assert_eq!(for_reason("Ready"), None);
    }
}
