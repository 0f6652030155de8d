//! Spark's log lines in JSON, as text again.

use std::fmt::Write;

use serde::Deserialize;

/// What of a line says why something failed.
/// Source: `SPARK_LOG_SCHEMA` in
/// <https://github.com/apache/spark/blob/master/common/utils/src/main/scala/org/apache/spark/util/LogUtils.scala>
#[derive(Deserialize)]
struct Line {
    level: String,
    msg: String,
    logger: String,
    exception: Option<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    class: String,
    msg: Option<String>,
}

/// A log with Spark's lines in JSON written as text, without their stack traces. Other lines stay as
/// they are: a process also prints what is none of Spark's.
pub fn readable(log: &str) -> String {
    log.lines().fold(String::with_capacity(log.len()), |mut text, line| {
        match parse(line) {
            Some(line) => line.write(&mut text),
            None => text.push_str(line),
        }
        text.push('\n');
        text
    })
}

fn parse(line: &str) -> Option<Line> {
    line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()
}

impl Line {
    fn write(&self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{} {}: {}", self.level, self.logger, self.msg);
        if let Some(Exception { class, msg }) = &self.exception {
            let _ = write!(text, "\n{class}: {}", msg.as_deref().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn sparks_lines_are_text_and_others_stay() {
        let log = r#"Traceback (most recent call last):
{"ts":"2026-01-01T00:00:00.000Z","level":"WARN","msg":"Lost task 0.0\nin stage 1","logger":"TaskSetManager","domain":"sales"}
{"ts":"2026-01-01T00:00:00.000Z","level":"ERROR","msg":"Failed","exception":{"class":"java.lang.Error","stacktrace":[{"class":"A"}]},"logger":"B"}
{"answer": 42}
or","msg":"cut off"}"#;
        assert_eq!(
            readable(log),
            "Traceback (most recent call last):\n\
             WARN TaskSetManager: Lost task 0.0\nin stage 1\n\
             ERROR B: Failed\njava.lang.Error: \n\
             {\"answer\": 42}\n\
             or\",\"msg\":\"cut off\"}\n"
        );
    }
}
