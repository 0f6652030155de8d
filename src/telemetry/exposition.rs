//! The two text formats that Prometheus reads: the classic one, and OpenMetrics.

use std::fmt::Write;

use prometheus::{Error, TextEncoder, proto::MetricFamily};

/// How metrics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposition {
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    #[default]
    Classic,
    /// <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>
    OpenMetrics,
}

impl Exposition {
    /// What a client accepts: OpenMetrics only if it says so, as Prometheus does.
    pub fn accepted(accept: &str) -> Self {
        let is_open = |part: &str| part.trim().starts_with("application/openmetrics-text");
        if accept.split(',').any(is_open) { Self::OpenMetrics } else { Self::Classic }
    }

    /// The content type of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What ends an answer.
    pub fn end(self) -> &'static str {
        match self {
            Self::Classic => "",
            Self::OpenMetrics => "# EOF\n",
        }
    }

    /// Without what ends it.
    pub(super) fn write(self, families: &[MetricFamily]) -> Result<String, Error> {
        let classic = TextEncoder::new().encode_to_string(families)?;
        Ok(match self {
            Self::Classic => classic,
            Self::OpenMetrics => open(&classic),
        })
    }
}

/// The same in OpenMetrics: a counter's family lacks `_total`, and bounds of buckets are floats.
fn open(classic: &str) -> String {
    let mut text = String::with_capacity(classic.len() + 64);
    let mut families = classic.lines().peekable();
    while let Some(line) = families.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let is_counter = families.peek().is_some_and(|next| next.ends_with(" counter"));
            let (name, words) = help.split_once(' ').unwrap_or((help, ""));
            let _ = writeln!(text, "# HELP {} {words}", family(name, is_counter));
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|type_| type_.split_once(' '))
        {
            let _ = writeln!(text, "# TYPE {} {kind}", family(name, kind == "counter"));
        } else {
            let _ = writeln!(text, "{}", with_float_bound(line));
        }
    }
    text
}

fn family(name: &str, is_counter: bool) -> &str {
    if is_counter { name.strip_suffix("_total").unwrap_or(name) } else { name }
}

fn with_float_bound(line: &str) -> String {
    let bound = line.split_once("le=\"").and_then(|(head, rest)| {
        let (bound, tail) = rest.split_once('"')?;
        let is_whole = bound.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| format!("{head}le=\"{bound}.0\"{tail}"))
    });
    bound.unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_given_to_whom_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
                          version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Exposition::accepted(prometheus), Exposition::OpenMetrics);
        for accept in ["", "*/*", "text/plain;version=0.0.4"] {
            assert_eq!(Exposition::accepted(accept), Exposition::Classic, "{accept}");
        }
    }

    #[test]
    fn counters_bounds_and_the_end_differ() {
        let classic = "# HELP a_total Some a_total.\n# TYPE a_total counter\na_total{x=\"y\"} 3\n\
                       # HELP b B.\n# TYPE b histogram\nb_bucket{le=\"1\"} 1\n\
                       b_bucket{le=\"2.5\"} 2\nb_bucket{le=\"+Inf\"} 2\n";
        let expected = "# HELP a Some a_total.\n# TYPE a counter\na_total{x=\"y\"} 3\n\
                        # HELP b B.\n# TYPE b histogram\nb_bucket{le=\"1.0\"} 1\n\
                        b_bucket{le=\"2.5\"} 2\nb_bucket{le=\"+Inf\"} 2\n# EOF\n";
        assert_eq!(open(classic) + Exposition::OpenMetrics.end(), expected);
    }
}
