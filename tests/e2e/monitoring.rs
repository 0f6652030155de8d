//! What Spark's processes tell Prometheus.

#[path = "../common/metrics.rs"]
mod metrics;

use std::collections::BTreeSet;

use crate::cluster::{DOMAIN, text, try_kubectl, wait};
use metrics::metrics;

/// How Spark's metrics begin.
const OF_SPARK: [&str; 1] = ["metrics_"];
const DASHBOARD: &str = include_str!("../../charts/polder/files/dashboards/spark.json");
/// Pod, port and path of each page, as the how-to has them.
const PAGES: [(&str, u16, &str); 4] = [
    ("bi-sql-0", 4040, "metrics/prometheus/"),
    ("bi-sql-0", 4040, "metrics/executors/prometheus/"),
    ("etl-master-0", 8080, "metrics/master/prometheus/"),
    ("etl-worker-shuffle-0", 8081, "metrics/prometheus/"),
];

/// Waits until the pages of a domain that is monitored have all that Spark's dashboard asks for.
pub fn wait_for_what_the_dashboard_shows() {
    let wanted = metrics(DASHBOARD, &OF_SPARK);
    assert!(wanted.len() > 10, "{wanted:?}");
    let mut missing = BTreeSet::new();
    wait("all metrics of the dashboard of Spark", || {
        let pages = PAGES.map(|(pod, port, path)| {
            let path = format!("/api/v1/namespaces/{DOMAIN}/pods/{pod}:{port}/proxy/{path}");
            text(&try_kubectl(&["get", "--raw", &path], None).stdout)
        });
        let told: BTreeSet<&str> = pages.iter().flat_map(|page| metrics(page, &OF_SPARK)).collect();
        let now: BTreeSet<&str> = wanted.iter().copied().filter(|it| !told.contains(it)).collect();
        if now != missing {
            eprintln!("not told yet: {now:?}");
            missing = now;
        }
        missing.is_empty().then_some(())
    });
}
