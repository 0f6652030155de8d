//! Text as Markdown wants it.

/// What every page begins with that nobody writes by hand.
pub(super) const MARK: &str = "<!-- Written by `make generate`. -->\n";

/// Text for a cell of a table: on one line, with nothing that ends the cell or reads as HTML.
pub(super) fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let parts = line.split('`').enumerate();
    let parts =
        parts.map(|(index, part)| if index % 2 == 0 { tags(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

/// Angle brackets as text, but around addresses, which become links.
fn tags(text: &str) -> String {
    let mut parts = text.split('<');
    let mut escaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        escaped.push_str(if part.starts_with("http") { "<" } else { "&lt;" });
        escaped.push_str(part);
    }
    escaped
}

/// Words as code, with commas.
pub(super) fn codes<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn what_would_break_a_table_does_not() {
        assert_eq!(cell("a|b\n<key>, `<x>`"), "a\\|b &lt;key>, `<x>`");
        assert_eq!(cell("Source: <https://x.y>"), "Source: <https://x.y>");
    }
}
