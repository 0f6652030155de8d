//! The table of cases, put to the rules of the reconcile.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use self::table::{Table, merge};
use super::{Policy, Usage, driver_secrets};
use crate::{
    api::{BatchJob, Domain, SparkCluster, SqlEndpoint},
    build::spark::SparkImages,
    engine::Problem,
    kinds::common::DomainContext,
};

#[path = "../../../../tests/policy/table.rs"]
#[allow(dead_code)] // Some of it is for the admission policies alone.
mod table;

fn domain(spec: &Value) -> Domain {
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "Domain",
        "metadata": {"name": "sales"}, "spec": spec,
    }))
    .unwrap()
}

fn root<T: for<'a> Deserialize<'a>>(kind: &str, name: &str, spec: &Value) -> T {
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": "sales"}, "spec": spec,
    }))
    .unwrap()
}

fn context(table: &Table) -> DomainContext {
    let domain = domain(&table.domain);
    let images = SparkImages {
        default_version: "4.1.4".to_owned(),
        images: [("4.1.4".to_owned(), table.catalogue.clone())].into(),
    };
    DomainContext {
        policy: Policy::of(&domain, &images),
        domain: Some(Arc::new(domain)),
        ..DomainContext::default()
    }
}

fn problems(context: &DomainContext, kind: &str, spec: &Value) -> Vec<Problem> {
    let pool = |path: &str, pool: Option<&String>| {
        context.pool_problem(path, pool.map(String::as_str)).into_iter().collect::<Vec<_>>()
    };
    match kind {
        "BatchJob" => {
            let spec = root::<BatchJob>(kind, "x", spec).spec;
            let mut all = context.policy.problems(&Usage::from(&spec));
            if let Some(spark) = &spec.spark {
                all.extend(pool("spec.spark.driver.nodePool", spark.driver.node_pool.as_ref()));
            }
            if let Some(container) = &spec.container {
                all.extend(pool("spec.container.nodePool", container.node_pool.as_ref()));
            }
            all
        }
        "SparkCluster" => {
            let spec = root::<SparkCluster>(kind, "x", spec).spec;
            let mut all = context.policy.problems(&Usage::from(&spec));
            all.extend(pool("spec.master.nodePool", spec.master.node_pool.as_ref()));
            for (index, workers) in spec.workers.iter().enumerate() {
                let path = format!("spec.workers[{index}].nodePool");
                all.extend(pool(&path, workers.node_pool.as_ref()));
            }
            all
        }
        "SqlEndpoint" => {
            let spec = root::<SqlEndpoint>(kind, "x", spec).spec;
            let mut all = context.policy.problems(&Usage::from(&spec));
            if let Some(executors) = &spec.executors {
                let wanted = executors.pods.node_pool.as_ref();
                all.extend(pool("spec.executors.nodePool", wanted));
            }
            all
        }
        other => panic!("{other}?"),
    }
}

#[test]
fn the_table_of_cases() {
    let table = Table::read();
    let context = context(&table);
    for base in table.bases.values() {
        assert_eq!(problems(&context, &base.kind, &base.spec), []);
    }
    for case in &table.cases {
        let base = &table.bases[&case.base];
        let mut spec = base.spec.clone();
        merge(&mut spec, &case.patch);
        let found = problems(&context, &base.kind, &spec);
        let reasons: Vec<&str> = found.iter().map(|problem| problem.reason).collect();
        assert_eq!(
            reasons,
            case.reason.as_deref().into_iter().collect::<Vec<_>>(),
            "{}",
            case.name
        );
        for (problem, part) in
            found.iter().flat_map(|it| case.says.iter().map(move |part| (it, part)))
        {
            let text = format!("{}: {}", problem.field, problem.message);
            assert!(text.contains(part.as_str()), "{}: {text:?} does not say {part:?}", case.name);
        }
    }
}

#[test]
fn a_domain_that_restricts_nothing_says_so() {
    let policy = Policy::of(&domain(&json!({})), &SparkImages::default());
    let annotations = policy.annotations();
    insta::assert_yaml_snapshot!(annotations, @r#"
    polder.dev/allowed-images: "*"
    polder.dev/max-executors: "*"
    polder.dev/node-pools: ""
    polder.dev/priority-classes: "*"
    polder.dev/secrets: ""
    polder.dev/service-accounts: "spark,spark-driver"
    polder.dev/storage-classes: "*"
    polder.dev/tolerations: ""
    "#);
    let spec = json!({"container": {
        "image": "busybox", "resources": {"cpu": "1", "memory": "1Gi"}, "priorityClass": "urgent",
    }});
    let job: BatchJob = root("BatchJob", "x", &spec);
    assert_eq!(policy.problems(&Usage::from(&job.spec)), []);
}

#[test]
fn without_a_list_the_systems_priorities_are_still_refused() {
    let policy = Policy::of(&domain(&json!({})), &SparkImages::default());
    let spec = json!({"container": {
        "image": "busybox", "resources": {"cpu": "1", "memory": "1Gi"},
        "priorityClass": "system-cluster-critical",
    }});
    let job: BatchJob = root("BatchJob", "x", &spec);
    let found = policy.problems(&Usage::from(&job.spec));
    assert_eq!(found[0].reason, "PriorityClassNotAllowed");
    assert!(found[0].message.contains("any but those of the system"), "{found:#?}");
}

#[test]
fn the_policy_stands_on_the_namespace() {
    let table = Table::read();
    let mut spec = table.domain.clone();
    spec["frozen"] = json!(true);
    spec["catalogs"] = json!([{"name": "lake", "iceberg": {"rest": {
        "uri": "https://catalog", "credentialSecret": {"name": "lake", "key": "credential"},
    }}}]);
    let images = SparkImages {
        default_version: "4.1.4".to_owned(),
        images: [("4.1.4".to_owned(), table.catalogue)].into(),
    };
    insta::assert_yaml_snapshot!(Policy::of(&domain(&spec), &images).annotations(), @r#"
    polder.dev/allowed-images: "registry.example.com/data/*,docker.io/apache/spark:4.*,localhost:5000/one,localhost/polder-spark:4.1.4"
    polder.dev/frozen: "true"
    polder.dev/max-executors: "4"
    polder.dev/node-pools: io
    polder.dev/priority-classes: batch-low
    polder.dev/secrets: lake
    polder.dev/service-accounts: "spark,spark-driver"
    polder.dev/storage-classes: "fast,standard"
    polder.dev/tolerations: io|Exists||NoSchedule
    "#);
}

#[test]
fn drivers_are_known_by_the_names_of_their_pods() {
    let spark = json!({"spark": {
        "main": {"sql": "SELECT 1"},
        "driver": {"resources": {"cpu": "1", "memory": "2Gi"}},
        "executors": {"instances": 1, "resources": {"cpu": "1", "memory": "2Gi"}},
        "env": [{"name": "A", "secret": {"name": "s3", "key": "a"}}, {"name": "B", "value": "b"}],
        "mounts": [{"path": "/pg", "secret": "pg"}, {"path": "/x", "configMap": "x"}],
    }});
    let mut scheduled = spark.clone();
    scheduled["schedule"] = json!({"cron": "@daily"});
    let on_cluster = json!({"spark": {
        "main": {"sql": "SELECT 1"}, "driver": {"resources": {"cpu": "1", "memory": "2Gi"}},
        "clusterRef": {"name": "etl"}, "env": [{"name": "A", "secret": {"name": "no", "key": "a"}}],
    }});
    let endpoint = json!({
        "driver": {"resources": {"cpu": "1", "memory": "2Gi"}},
        "executors": {"min": 0, "max": 1, "resources": {"cpu": "1", "memory": "2Gi"}},
        "mounts": [{"path": "/pg", "secret": "pg"}],
    });
    let jobs: Vec<BatchJob> = [("once", spark), ("daily", scheduled), ("shared", on_cluster)]
        .into_iter()
        .map(|(name, spec)| root("BatchJob", name, &spec))
        .collect();
    let endpoint: SqlEndpoint = root("SqlEndpoint", "bi", &endpoint);
    let text = driver_secrets(&jobs, [&endpoint]).text().unwrap();
    assert_eq!(
        text,
        "bi-sql-[0-9]+=pg daily-schedule-[0-9]+-[a-z0-9]{5}=pg,s3 once-[0-9a-f]{8}-[0-9]+-[a-z0-9]{5}=pg,s3"
    );
    assert_eq!(driver_secrets([], []).text(), None);
}
