//! `BatchJob`: work that runs to completion, now or on a schedule.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{
    ClusterRef, ConfigMapKey, EnvVar, ExecutorPods, Mount, Resources, SparkRuntime,
};

/// What a job is to do.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "polder.dev",
    version = "v1alpha1",
    kind = "BatchJob",
    namespaced,
    status = "BatchJobStatus",
    derive = "PartialEq",
    shortname = "bjob",
    category = "polder",
    doc = "Work that runs to completion, once for each distinct spec or on a schedule: Spark or any container.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 45")
        .message("metadata.name: at most 45 lower case letters, digits and dashes, beginning with a letter: Jobs and pods carry it in their names"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule.cron"),
    printcolumn(name = "Last Run", type_ = "date", json_path = ".status.lastRun.startTime"),
    printcolumn(name = "Result", type_ = "string", json_path = ".status.lastRun.result"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
)]
#[x_kube(
    validation = Rule::new("[has(self.spark), has(self.container)].filter(x, x).size() == 1")
        .message("set exactly one of spark and container"),
    validation = Rule::new("!has(self.schedule) || !has(self.ttlAfterFinished)")
        .message("ttlAfterFinished is for jobs without a schedule; with one, schedule.history bounds what is kept")
)]
#[serde(rename_all = "camelCase")]
pub struct BatchJobSpec {
    /// A Spark application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spark: Option<SparkJob>,
    /// Any container, such as dbt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerJob>,
    /// When to run. Default: once, now, and again whenever `spark` or `container` changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How often a failed run is tried again. Evictions and preemptions do not count. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub retries: Option<i32>,
    /// Longest time a run may take with all its retries, such as `4h`. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long a finished run's Job and pods are kept, such as `1d`. Its result stays in status.
    /// Default: the newest and three earlier ones are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_after_finished: Option<Duration>,
    /// Stops what runs and starts nothing; what was stopped starts again from the beginning when this
    /// is unset. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// A Spark application. Its driver is the run's pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.executors), has(self.clusterRef)].filter(x, x).size() == 1")
        .message("set exactly one of executors and clusterRef")
)]
pub struct SparkJob {
    /// What to run.
    pub main: SparkMain,
    /// Arguments of the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 4096)))]
    pub args: Vec<String>,
    /// Image, configuration, environment and mounts of driver and executors.
    #[serde(flatten)]
    pub runtime: SparkRuntime,
    /// The driver.
    pub driver: DriverSpec,
    /// Executors as pods of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<JobExecutors>,
    /// Executors on a SparkCluster of this domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<ClusterRef>,
    /// Files that Spark brings to driver and executors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
}

/// What a Spark application runs: exactly one of python, jar, sql and configMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.python), has(self.jar), has(self.sql), has(self.configMap)].filter(x, x).size() == 1")
        .message("set exactly one of python, jar, sql and configMap"),
    validation = Rule::new("!has(self.class) || has(self.jar)")
        .message("class goes with jar"),
    validation = Rule::new("!has(self.jar) || has(self.class)")
        .message("jar needs class, the main class to run")
)]
pub struct SparkMain {
    /// A Python file: `s3a://bucket/load.py` or `local:///opt/jobs/load.py` in the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[a-z0-9]+:/[^\s]*[.](py|zip|egg)$")
    )]
    pub python: Option<String>,
    /// A jar: `s3a://bucket/app.jar` or `local:///opt/jobs/app.jar` in the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[a-z0-9]+:/[^\s]*[.]jar$"))]
    pub jar: Option<String>,
    /// Main class of the jar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[A-Za-z_$][A-Za-z0-9_.$]*$"))]
    pub class: Option<String>,
    /// SQL statements, separated by semicolons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    pub sql: Option<String>,
    /// A key of a ConfigMap that holds a Python file (`*.py`) or SQL statements (`*.sql`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.key.matches('[.](py|sql)$')")
            .message("the key must end in .py or .sql: it tells what to run")
    )]
    pub config_map: Option<ConfigMapKey>,
}

/// The driver of a Spark application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriverSpec {
    /// What its pod gets.
    pub resources: Resources,
    /// Node pool of the domain to run on. Default: any node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub node_pool: Option<String>,
    /// Priority class of its pods. Default: the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub priority_class: Option<String>,
}

/// Executors of a job, as pods of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.instances), has(self.dynamic)].filter(x, x).size() == 1")
        .message("set exactly one of instances and dynamic")
)]
pub struct JobExecutors {
    /// How many, fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub instances: Option<i32>,
    /// As many as there is work for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<DynamicExecutors>,
    /// What each executor is.
    #[serde(flatten)]
    pub pods: ExecutorPods,
}

/// Bounds of a number of executors that follows the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.min <= self.max").message("min must be at most max"))]
pub struct DynamicExecutors {
    /// At least.
    #[schemars(range(min = 0, max = 10_000))]
    pub min: i32,
    /// At most.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: i32,
}

/// Files that Spark brings to driver and executors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependencies {
    /// Jars for the class path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 1024), regex(pattern = r"^[a-z0-9]+:/[^\s,]*$"))
    )]
    pub jars: Vec<String>,
    /// Python files and archives for the Python path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 1024), regex(pattern = r"^[a-z0-9]+:/[^\s,]*$"))
    )]
    pub py_files: Vec<String>,
    /// Files for the working directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 1024), regex(pattern = r"^[a-z0-9]+:/[^\s,]*$"))
    )]
    pub files: Vec<String>,
}

/// Any container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerJob {
    /// Image with its registry: `registry.example.com/data/dbt:1.9`.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// Command, replacing the image's entrypoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 16384)))]
    pub command: Vec<String>,
    /// Arguments of the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 4096)))]
    pub args: Vec<String>,
    /// What the pod gets.
    pub resources: Resources,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub env: Vec<EnvVar>,
    /// Secrets, ConfigMaps and claims mounted as folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".to_owned()]))]
    pub mounts: Vec<Mount>,
    /// Node pool of the domain to run on. Default: any node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub node_pool: Option<String>,
    /// Priority class of its pods. Default: the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub priority_class: Option<String>,
}

/// When to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Five fields (minute, hour, day of month, month, day of week), or `@hourly`, `@daily`,
    /// `@weekly`, `@monthly`, `@yearly`.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(
        validation = Rule::new("self.matches('^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|([0-9A-Za-z*?/,-]+ +){4}[0-9A-Za-z*?/,-]+)$')")
            .message("must be five fields such as '0 2 * * *' (minute, hour, day of month, month, day of week) or @daily")
    )]
    pub cron: String,
    /// IANA time zone of `cron`, such as `Europe/Amsterdam`. Default: Etc/UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+/-]+$"))]
    pub time_zone: Option<String>,
    /// What happens when a run is due while the last one still goes on. Default: Forbid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// How late a run may start, such as `1h`. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_deadline: Option<Duration>,
    /// How many finished runs are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

/// What happens when a run is due while the last one still goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Concurrency {
    /// The new run is skipped.
    #[default]
    Forbid,
    /// The new run takes the place of the old one.
    Replace,
    /// Both run.
    Allow,
}

/// How many finished runs are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Succeeded runs. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub succeeded: Option<i32>,
    /// Failed runs. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub failed: Option<i32>,
}

/// A span of time: a number and `s`, `m`, `h` or `d`, such as `90s` or `1h30m`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Duration(
    #[schemars(
        length(min = 2, max = 32),
        regex(pattern = r"^([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$")
    )]
    pub String,
);

impl Duration {
    /// In seconds.
    pub fn seconds(&self) -> i64 {
        let mut total: i64 = 0;
        let mut number: i64 = 0;
        for character in self.0.chars() {
            let unit = match character {
                'd' => 86_400,
                'h' => 3_600,
                'm' => 60,
                's' => 1,
                digit => {
                    let digit = digit.to_digit(10).unwrap_or(0);
                    number = number.saturating_mul(10).saturating_add(i64::from(digit));
                    continue;
                }
            };
            total = total.saturating_add(number.saturating_mul(unit));
            number = 0;
        }
        total
    }
}

/// What became of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchJobStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Image in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Runs that go on.
    #[serde(default)]
    pub active: i32,
    /// The newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Run>,
    /// Recent runs, newest first, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// Ready (the run of this spec succeeded; with a schedule: no run failed last), Reconciling,
    /// Stalled, Running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
}

/// One run of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Name of its Job.
    pub name: String,
    /// Where it stands.
    pub result: RunResult,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Time>,
    /// How long it took, in seconds, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Why it failed or does not start: `OOMKilled`, `Error`, `ImagePullBackOff`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in words, with the exit code and the last lines that the container printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RunResult {
    /// Its pod does not run yet.
    #[default]
    Pending,
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed, retries included.
    Failed,
    /// It was stopped: by suspend, by a newer spec, or because somebody deleted its Job.
    Cancelled,
}
