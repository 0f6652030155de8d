//! Names of metrics in a text: a query, a dashboard, a page of `/metrics`.

use std::collections::BTreeSet;

/// Words that begin with one of these.
pub fn metrics<'a>(text: &'a str, beginnings: &[&str]) -> BTreeSet<&'a str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter: char| !is_name(letter));
    words.filter(|word| beginnings.iter().any(|beginning| word.starts_with(beginning))).collect()
}
