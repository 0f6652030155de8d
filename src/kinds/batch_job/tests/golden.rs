//! What three jobs become, as YAML to review: `tests/golden/batch_job/`.

use rstest::rstest;
use serde_json::{Value, json};

use super::fixtures::{Around, cluster, job, kind, with};
use crate::engine::Kind;

fn spark(more: &Value) -> Value {
    let base = json!({"driver": {"resources": {"cpu": "1", "memory": "2Gi"}}});
    json!({"spark": with(base, more)})
}

fn python() -> Value {
    spark(&json!({
        "main": {"python": "local:///opt/jobs/load.py"},
        "args": ["--date", "$(date)"],
        "sparkConf": {"spark.sql.shuffle.partitions": "64", "spark.jars": "local:///opt/a.jar"},
        "dependencies": {"jars": ["s3a://jars/b.jar"], "pyFiles": ["s3a://py/lib.zip"]},
        "env": [{"name": "STAGE", "value": "test"},
                {"name": "TOKEN", "secret": {"name": "api", "key": "token"}}],
        "mounts": [{"path": "/etc/lake", "secret": "lake"}],
        "executors": {
            "instances": 2,
            "resources": {"cpu": "1", "memory": "2Gi"},
            "nodePool": "io",
            "volumes": [{"name": "disk1", "size": "10Gi", "class": "fast"},
                        {"name": "disk2", "size": "10Gi"}],
        },
    }))
}

fn sql_on_cluster() -> Value {
    spark(&json!({
        "main": {"sql": "INSERT INTO lake.sales.daily SELECT * FROM lake.sales.orders"},
        "clusterRef": {"name": "etl", "cores": 2, "executorCores": 1, "executorMemory": "1Gi"},
    }))
}

fn scheduled_container() -> Value {
    with(
        json!({"container": {
            "image": "registry.example.com/data/dbt:1.9",
            "command": ["dbt"],
            "args": ["build"],
            "resources": {"cpu": "500m", "memory": "1Gi"},
            "env": [{"name": "DBT_TARGET", "value": "prod"}],
            "mounts": [{"path": "/etc/dbt", "configMap": "profiles"},
                       {"path": "/state", "claim": "dbt-state"}],
            "nodePool": "io",
        }}),
        &json!({
            "schedule": {"cron": "0 2 * * *", "timeZone": "Europe/Amsterdam",
                         "startingDeadline": "1h", "history": {"failed": 5}},
            "retries": 2,
            "timeout": "4h",
        }),
    )
}

#[rstest]
#[case::python("python", &python())]
#[case::config_map("config_map_scheduled", &with(spark(&json!({
    "main": {"configMap": {"name": "scripts", "key": "load.py"}},
    "executors": {"dynamic": {"min": 0, "max": 4}, "resources": {"cpu": "1", "memory": "2Gi"}},
})), &json!({"schedule": {"cron": "@daily", "concurrency": "Replace"}})))]
#[case::sql("sql_on_cluster", &sql_on_cluster())]
#[case::container("container_scheduled", &scheduled_container())]
fn children(#[case] name: &str, #[case] spec: &Value) {
    let root = job(spec);
    let around = Around { clusters: vec![cluster(true)], ..Around::new() };
    let resolved = around.resolve(&root);
    assert_eq!(kind().validate(&root, &resolved), []);
    let plan = kind().plan(&root, &resolved);
    let objects: Vec<Value> = plan
        .children
        .iter()
        .map(|child| json!({"rank": child.rank, "object": child.object}))
        .collect();
    assert_eq!((plan.hold_after, plan.keep.len(), plan.delete.len()), (None, 0, 0));
    insta::with_settings!({
        snapshot_path => "../../../../tests/golden/batch_job",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, serde_yaml::to_string(&objects).unwrap());
    });
}
