//! Spark properties, and the file they are written to.

use std::{collections::BTreeMap, fmt::Write};

/// Spark properties, key to value.
pub type Conf = BTreeMap<String, String>;

/// Properties from literals.
pub fn conf<const N: usize>(pairs: [(&str, String); N]) -> Conf {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A Java properties file, in UTF-8 as Spark reads it.
/// Source: <https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Properties.html>
pub fn render(conf: &Conf) -> String {
    conf.iter().fold(String::new(), |mut text, (key, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}={}", escape(key, true), escape(value, false));
        text
    })
}

fn escape(text: &str, is_key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '=' | ':' | '#' | '!' if is_key => {
                escaped.push('\\');
                escaped.push(character);
            }
            ' ' if is_key || index == 0 => escaped.push_str("\\ "),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{conf, render};

    #[test]
    fn values_cannot_break_out_of_their_line() {
        let rendered = render(&conf([
            ("spark.a", "x\nspark.master=evil".to_owned()),
            ("spark.b", " C:\\dir = 1".to_owned()),
        ]));
        assert_eq!(rendered, "spark.a=x\\nspark.master=evil\nspark.b=\\ C:\\\\dir = 1\n");
    }
}
