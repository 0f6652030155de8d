//! The page that lists all metrics, made of what is registered.

use std::fmt::Write;

use prometheus::Error;

use super::{Metrics, Row, domain_rows};

const INTRODUCTION: &str = "\
<!-- Written by `make generate`. -->
# Metrics

The operator serves `/metrics` on the port `metrics` (8080), in the classic text format and, for who
accepts it, in OpenMetrics. Names follow controller-runtime's. How to have them scraped, and the
alerts and dashboards that come with the chart: [monitoring](../how-to/monitoring.md).
";

const DOMAINS: &str = "
## Domains

What the status of each Domain says, made when it is asked for. Only the replica that works on a
domain tells of it; its series vanish with the Domain. A domain with 4 bounded resources and one
workload of each kind has 21 series, so 5,000 of them have 105,000. `metrics.domains: false` in the
chart (`--no-domain-metrics`) leaves them out.
";

/// The page, in Markdown.
pub fn metrics() -> Result<String, Error> {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## The operator\n");
    table(&mut page, Metrics::new()?.rows());
    page.push_str(DOMAINS);
    table(&mut page, &domain_rows());
    Ok(page)
}

fn table(page: &mut String, rows: &[Row]) {
    page.push_str("\n| metric | type | labels | meaning |\n|---|---|---|---|\n");
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| &row.name);
    for row in rows {
        let labels: Vec<String> = row.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, labels) = (&row.name, row.kind, labels.join(", "));
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {} |", row.help);
    }
}
