//! What to do about a reason, in the words of the reference.

use crate::reasons;

/// What to do about a condition with this reason; `None` if nothing is to be done, or if it is none
/// of Polder's.
pub(super) fn for_reason(reason: &str) -> Option<&'static str> {
    reasons::find(reason).map(|reason| reason.remedy).filter(|remedy| !remedy.is_empty())
}

#[cfg(test)]
mod tests {
    use super::for_reason;

    #[test]
    fn who_has_to_act_is_told_what_to_do() {
        assert_eq!(for_reason("DomainDeleting"), Some("wait"));
        assert!(for_reason("OOMKilled").unwrap().contains("memory"));
        assert_eq!(for_reason("Ready"), None);
        assert_eq!(for_reason("Nonsense"), None);
    }
}
