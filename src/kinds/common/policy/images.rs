//! Whether an image is one of those that are allowed. The admission policies do the same with
//! regular expressions: what is here is their meaning, and one table of cases is put to both.

/// Whether an image has a full name, and one of the patterns matches all of it.
pub(super) fn matches(patterns: &[String], image: &str) -> bool {
    is_full_name(image) && patterns.iter().any(|pattern| glob(pattern, image))
}

/// `*` stands for any characters, also `/`, `:` and `@`.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `registry/path:tag@digest`, strictly: with a looser rule `registry.a/team/../evil/x` would pass
/// for something of `registry.a/team/`.
/// Source: <https://github.com/distribution/reference/blob/main/reference.go>
fn is_full_name(image: &str) -> bool {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let Some((host, path)) = name.split_once('/') else { return false };
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path, None),
    };
    is_host(host)
        && path.split('/').all(is_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

fn is_lower_or_digit(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    name.starts_with(is_lower_or_digit)
        && name.ends_with(is_lower_or_digit)
        && name.chars().all(|c| is_lower_or_digit(c) || matches!(c, '.' | '-'))
        && port.is_none_or(is_port)
}

/// Lower case letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(part: &str) -> bool {
    let separators = part.split(is_lower_or_digit).filter(|text| !text.is_empty());
    part.starts_with(is_lower_or_digit)
        && part.ends_with(is_lower_or_digit)
        && separators.into_iter().all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}
