//! What Spark's processes tell Prometheus.

use std::collections::BTreeSet;

use crate::cluster::{DOMAIN, text, try_kubectl, wait};

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
    let wanted: BTreeSet<&str> = DASHBOARD.split(is_between).filter(is_of_spark).collect();
    assert!(wanted.len() > 10, "{wanted:?}");
    let mut missing = BTreeSet::new();
    wait("all metrics of the dashboard of Spark", || {
        let pages = PAGES.map(|(pod, port, path)| {
            let path = format!("/api/v1/namespaces/{DOMAIN}/pods/{pod}:{port}/proxy/{path}");
            text(&try_kubectl(&["get", "--raw", &path], None).stdout)
        });
        let told: BTreeSet<&str> = pages
            .iter()
            .flat_map(|page| page.lines())
            .flat_map(|line| line.split(is_between))
            .collect();
        let now: BTreeSet<&str> =
            wanted.iter().filter(|metric| !told.contains(*metric)).copied().collect();
        if now != missing {
            eprintln!("not told yet: {now:?}");
            missing = now;
        }
        missing.is_empty().then_some(())
    });
}

fn is_between(letter: char) -> bool {
    !letter.is_ascii_alphanumeric() && letter != '_'
}

fn is_of_spark(word: &&str) -> bool {
    word.starts_with("metrics_")
}
