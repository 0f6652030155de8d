//! What may be a label, a namespace's name, a range of addresses.

use std::net::IpAddr;

use crate::build::labels;

/// Whether a text can be the value of a label.
/// Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || labels::is_value(text)
}

/// Whether a text can be the key of a label or annotation: a name, perhaps with a DNS prefix.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        None => labels::is_value(text),
        Some((prefix, name)) => is_subdomain(prefix) && labels::is_value(name),
    }
}

/// Whether a text is an RFC 1123 subdomain.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|part| is_dns_label(part, 253))
}

/// Whether a text is an RFC 1123 label, as names of namespaces are.
pub fn is_namespace_name(text: &str) -> bool {
    is_dns_label(text, 63)
}

/// Whether a text is a range of addresses such as `10.20.0.0/16`.
pub fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.bytes().all(|byte| byte.is_ascii_digit())
        && bits.parse::<u8>().is_ok_and(|bits| bits <= longest)
}

fn is_dns_label(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{is_cidr, is_label_key, is_label_value};

    #[rstest]
    #[case("", true)]
    #[case("sales-data_1.0", true)]
    #[case("Sales data", false)]
    #[case("-sales", false)]
    #[case("sales.", false)]
    #[case("Verkäufe", false)]
    fn label_values(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_label_value(text), expected);
    }

    #[rstest]
    #[case("team", true)]
    #[case("example.com/team", true)]
    #[case("Example.com/team", false)]
    #[case("/team", false)]
    #[case("a/b/c", false)]
    #[case("", false)]
    fn label_keys(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_label_key(text), expected);
    }

    #[rstest]
    #[case("10.20.0.0/16", true)]
    #[case("fd00::/8", true)]
    #[case("0.0.0.0/0", true)]
    #[case("10.20.0.0", false)]
    #[case("10.20.0.0/33", false)]
    #[case("10.20.0.0/+8", false)]
    #[case("10.20.0/16", false)]
    fn ranges(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_cidr(text), expected);
    }
}
