//! The lines of a log that explain an end.

use crate::build::spark::log_line::readable;

/// Lines that are shown at most.
const MOST: usize = 3;
/// Longest line that is shown.
const LONGEST: usize = 400;

/// The lines that explain best why a program ended: the root of the last Java or Python error, or
/// the last thing that calls itself an error, or simply the end.
pub(super) fn explaining(log: &str) -> Vec<String> {
    let log = readable(log);
    let lines: Vec<&str> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = |is_it: &dyn Fn(&str) -> bool| lines.iter().rposition(|line| is_it(line));
    let cause = last(&|line| line.trim_start().starts_with("Caused by: "));
    let exception = last(&is_exception);
    let error = last(&calls_itself_an_error);
    let found = match (cause, exception) {
        // What Python raised last comes after all of Java's causes.
        (Some(cause), Some(exception)) if exception > cause => Some(exception),
        (cause, exception) => cause.or(exception).or(error),
    };
    let shown: Vec<&str> = match found {
        Some(index) => lines.get(index).copied().into_iter().collect(),
        None => lines.iter().rev().take(MOST).rev().copied().collect(),
    };
    shown.into_iter().map(shorten).collect()
}

/// `java.lang.IllegalStateException: what`, `pyspark.errors.exceptions.AnalysisException: what`,
/// `ValueError: what`: a name that ends so, at the beginning of a line or after "Exception in ...".
fn is_exception(line: &str) -> bool {
    let line = match line.strip_prefix("Exception in thread ") {
        Some(rest) => rest.rsplit_once("\" ").map_or(rest, |(_, rest)| rest),
        None => line,
    };
    let name = line.split(": ").next().unwrap_or_default();
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$'));
    is_name
        && (name.ends_with("Exception") || name.ends_with("Error"))
        && name != "Error"
        && name.len() < 200
}

fn calls_itself_an_error(line: &str) -> bool {
    let words = [" ERROR ", " FATAL ", "error: ", "Error: ", "fatal: ", "\"level\":\"ERROR\""];
    words.iter().any(|word| line.contains(word))
        || ["ERROR", "FATAL", "error", "Error", "Killed"].iter().any(|word| line.starts_with(word))
        || line.contains("No such file or directory")
        || line.contains("Permission denied")
        || line.contains("command not found")
}

fn shorten(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    line.chars().take(LONGEST).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::explaining;

    #[rstest]
    #[case::java(
        "26/01/01 INFO x\nException in thread \"main\" org.apache.spark.SparkException: Job aborted\n\tat a.b(c.scala:1)\nCaused by: java.io.IOException: No space left on device\n\tat d.e(f.java:2)\n26/01/01 INFO ShutdownHookManager",
        "Caused by: java.io.IOException: No space left on device"
    )]
    #[case::python(
        "Traceback (most recent call last):\n  File \"a.py\", line 1\npyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] no `x`\n",
        "pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] no `x`"
    )]
    #[case::python_after_java(
        "Caused by: java.lang.X: deep\nTraceback (most recent call last):\nValueError: bad date",
        "ValueError: bad date"
    )]
    #[case::words(
        "starting\ndbt: error: profile not found\ngoodbye",
        "dbt: error: profile not found"
    )]
    #[case::spark_in_json(
        r#"{"ts":"2026-01-01T00:00:00.000Z","level":"ERROR","msg":"Exception while deleting","exception":{"class":"java.io.IOException","msg":"No space left on device","stacktrace":[]},"logger":"DiskStore"}
{"ts":"2026-01-01T00:00:01.000Z","level":"INFO","msg":"Shutdown hook called","logger":"ShutdownHookManager"}"#,
        "java.io.IOException: No space left on device"
    )]
    #[case::shell("sh: 1: frobnicate: command not found\n", "sh: 1: frobnicate: command not found")]
    fn the_root_of_the_last_error_is_found(#[case] log: &str, #[case] line: &str) {
        assert_eq!(explaining(log), [line]);
    }

    #[test]
    fn without_an_error_the_end_is_shown() {
        assert_eq!(explaining("a\nb\n\nc\nd\n"), ["b", "c", "d"]);
        assert_eq!(explaining(""), Vec::<String>::new());
    }
}
