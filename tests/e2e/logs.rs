//! What Spark logs on a real node.

use std::{process::Output, time::UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cluster::{DOMAIN, beeline, get, kubectl, text, try_kubectl, wait, wait_ready};

/// The driver of the quickstart's endpoint.
const DRIVER: &str = "bi-sql-0";
/// Says at level INFO what each query does.
const LOGGER: &str = "SparkExecuteStatementOperation";

/// The level of the domain's logs; that of the quickstart again at the end.
struct Level;

impl Level {
    fn set(level: &Value) -> Output {
        let patch = json!({"spec": {"logs": {"level": level}}}).to_string();
        try_kubectl(&["patch", "domain", DOMAIN, "--type=merge", "-p", &patch], None)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        Self::set(&Value::Null);
    }
}

/// Lines of the driver that a query makes at level INFO.
fn of_queries() -> Vec<Value> {
    let log = kubectl(&["logs", DRIVER, "-n", DOMAIN]);
    let lines = log.lines().filter_map(|line| serde_json::from_str(line).ok());
    lines.filter(|line: &Value| line["logger"] == LOGGER && line["level"] == "INFO").collect()
}

#[test]
fn spark_says_whose_its_lines_are_and_takes_another_level_while_it_runs() {
    wait_ready("sqlendpoint", "bi");
    let life = || {
        let pod = get("pod", DRIVER).unwrap();
        (
            pod["metadata"]["uid"].clone(),
            pod["status"]["containerStatuses"][0]["restartCount"].clone(),
        )
    };
    let before = life();
    beeline("SELECT 1");
    assert_eq!(of_queries(), Vec::<Value>::new(), "by default queries are not told of");
    let output = Level::set(&json!("INFO"));
    let _level = Level;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found = wait("a line about a query, at level INFO", || {
        // The kubelet looks at a pod that changes at once, and at its files with it.
        let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
        let now = format!("dev.polder.dev/looked-at={now}");
        kubectl(&["annotate", "pod", DRIVER, "-n", DOMAIN, "--overwrite", &now]);
        beeline("SELECT 1");
        of_queries().pop()
    });
    assert_eq!(found["domain"], DOMAIN, "{found:#}");
    assert_eq!(
        (&found["kind"], &found["name"]),
        (&json!("sql-endpoint"), &json!("bi")),
        "{found:#}"
    );
    assert!(found["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{found:#}");
    assert_eq!(life(), before, "it was restarted");
}
