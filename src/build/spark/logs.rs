//! What Spark processes log, and which files of it stay on disk.

use super::{Conf, conf::conf};
use crate::{
    api::logs::{LogFormat, LogLevel, LogsSpec},
    build::{
        labels::{Identity, Map},
        quantity,
    },
};

/// Key of the log configuration in the ConfigMaps of workloads.
pub const LOG4J2_KEY: &str = "log4j2.properties";

/// What is logged where the domain does not say: warnings, and what tells how the work goes. With
/// everything at `info` the shutdown of Spark alone would push the reason of a failure out of what
/// Kubernetes keeps of a container's log. For the same reason without the stack traces of messages
/// that reach a driver which has already stopped.
const LOGGERS: &str = "\
logger.scheduler.name = org.apache.spark.scheduler.DAGScheduler
logger.scheduler.level = info
logger.daemons.name = org.apache.spark.deploy
logger.daemons.level = info
logger.thrift.name = org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
logger.thrift.level = info
logger.connect.name = org.apache.spark.sql.connect.service
logger.connect.level = info
logger.executors.name = org.apache.spark.scheduler.cluster.k8s.ExecutorPodsAllocator
logger.executors.level = info
logger.requests.name = org.apache.spark.network.server.TransportRequestHandler
logger.requests.level = off
";
/// To standard error, where the node rotates it: standard output belongs to what a job or a query
/// prints.
const CONSOLE: &str = "\
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
";
const TEXT: &str = "\
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1}: %m%n%ex
";
/// Spark's own layout, which every Spark 4 has on its class path.
const JSON: &str = "\
appender.console.layout.type = JsonTemplateLayout
appender.console.layout.eventTemplateUri = classpath:org/apache/spark/SparkLayout.json
";
/// Seconds between two looks at the file, which follows its ConfigMap.
const MONITOR: &str = "monitorInterval = 30\n";

/// The log configuration of a workload's Spark processes.
/// Source: <https://logging.apache.org/log4j/2.x/manual/configuration.html>
pub fn log4j2(logs: &LogsSpec, identity: Identity<'_>) -> String {
    let layout = match logs.format.unwrap_or_default() {
        LogFormat::Text => TEXT.to_owned(),
        LogFormat::Json => {
            let workload =
                [("domain", identity.domain), ("kind", identity.app), ("name", identity.instance)];
            workload
                .into_iter()
                .fold(JSON.to_owned(), |text, (key, value)| text + &field(key, value))
        }
    };
    let (root, loggers) = match logs.level {
        None => ("warn", LOGGERS),
        Some(level) => (name(level), ""),
    };
    format!("{MONITOR}rootLogger.level = {root}\n{CONSOLE}{layout}{loggers}")
}

/// A field of every line.
/// Source: <https://logging.apache.org/log4j/2.x/manual/json-template-layout.html#additional-event-template-fields>
fn field(key: &str, value: &str) -> String {
    let prefix = format!("appender.console.layout.{key}");
    format!(
        "{prefix}.type = EventTemplateAdditionalField\n{prefix}.key = {key}\n{prefix}.value = {value}\n"
    )
}

/// What a workload's ConfigMap says to a process only when it starts, for a hash of it. In place of
/// the log configuration stands the one that Polder 0.1 wrote: a newer one restarts nothing.
pub fn read_at_start(data: &Map) -> Map {
    let mut data = data.clone();
    if let Some(logs) = data.get_mut(LOG4J2_KEY) {
        *logs = format!("rootLogger.level = warn\n{CONSOLE}{TEXT}{LOGGERS}");
    }
    data
}

fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
        LogLevel::Off => "off",
    }
}

/// Properties of workers, for the files with the output of their executors.
/// Source: <https://spark.apache.org/docs/latest/configuration.html#execution-behavior>
pub fn rolling_conf(logs: &LogsSpec) -> Conf {
    let size = logs.max_file_size.as_ref().and_then(|size| quantity::mebibytes(&size.0));
    let mut all = conf([
        ("spark.executor.logs.rolling.strategy", "size".to_owned()),
        ("spark.executor.logs.rolling.maxSize", (size.unwrap_or(16) << 20).to_string()),
        ("spark.executor.logs.rolling.maxRetainedFiles", logs.max_files.unwrap_or(3).to_string()),
    ]);
    // Else seven days; what is on disk does not outlive what is kept elsewhere.
    let days = logs.retention_days().filter(|days| *days < WORK_DIR_DAYS);
    all.extend(days.map(|days| {
        ("spark.worker.cleanup.appDataTtl".to_owned(), (days * 24 * 3600).to_string())
    }));
    all
}

/// Days for which a worker keeps the folder of an application that has ended, if not told otherwise.
/// Source: `spark.worker.cleanup.appDataTtl`
const WORK_DIR_DAYS: u32 = 7;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::{log4j2, rolling_conf};
    use crate::{api::logs::LogsSpec, build::labels::Identity};

    fn configured(yaml: &str) -> String {
        let (logs, owner) = (serde_yaml::from_str(yaml).unwrap(), BTreeMap::new());
        let (app, instance, domain) = ("batch-job", "load", "sales");
        log4j2(&logs, Identity { app, instance, domain, namespace: "sales", owner: &owner })
    }

    #[rstest]
    #[case::nothing("{}", "warn", true)]
    #[case::as_little_as_warnings("{level: WARN}", "warn", false)]
    #[case::everything("{level: TRACE}", "trace", false)]
    fn a_level_holds_for_all_loggers(#[case] yaml: &str, #[case] root: &str, #[case] more: bool) {
        let file = configured(yaml);
        assert!(file.contains(&format!("\nrootLogger.level = {root}\n")), "{file}");
        assert_eq!(file.contains("\nlogger."), more, "{file}");
    }

    #[test]
    fn lines_are_json_that_says_whose_they_are_or_text() {
        let json = configured("{}");
        for (key, value) in [("domain", "sales"), ("kind", "batch-job"), ("name", "load")] {
            let field = format!(
                "layout.{key}.key = {key}\nappender.console.layout.{key}.value = {value}\n"
            );
            assert!(json.contains(&field), "{json}");
        }
        let text = configured("{format: Text}");
        assert!(text.contains("PatternLayout") && !text.contains("sales"), "{text}");
    }

    #[rstest]
    #[case("{}", "16777216", "3", None)]
    #[case("{maxFileSize: 100Mi, maxFiles: 5, retention: 14d}", "104857600", "5", None)]
    #[case("{retention: 2d}", "16777216", "3", Some("172800"))]
    fn files_on_disk(
        #[case] yaml: &str,
        #[case] size: &str,
        #[case] files: &str,
        #[case] seconds: Option<&str>,
    ) {
        let logs: LogsSpec = serde_yaml::from_str(yaml).unwrap();
        let conf = rolling_conf(&logs);
        assert_eq!(conf["spark.executor.logs.rolling.maxSize"], size);
        assert_eq!(conf["spark.executor.logs.rolling.maxRetainedFiles"], files);
        let ttl = conf.get("spark.worker.cleanup.appDataTtl");
        assert_eq!(ttl.map(String::as_str), seconds);
    }
}
