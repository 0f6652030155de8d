//! Each kind through its life, and what Argo CD makes of it: Healthy, Progressing, Degraded, Suspended.

use serde_json::{Value, json};

use super::{
    argocd::{application, health},
    one_application::{annotated, follow, start},
    repository::Repository,
};
use crate::{
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, SCHEDULED},
    tenant::Tenant,
};

const HELD_POD: &str = "app.kubernetes.io/instance=held";
const WORKER_PODS: &str = "app.kubernetes.io/component=worker";
const ENDPOINT_POD: &str = "app.kubernetes.io/name=sql-endpoint,app.kubernetes.io/component=driver";

/// What happens, as somebody commits it or as a node has it.
enum Happens {
    /// A commit of these files.
    Commit(Vec<(&'static str, String)>),
    /// A pod of these labels gets these annotations, or finalizers.
    Pod(&'static str, Value),
    /// The pod of the held job gets onto a node with this name.
    Bound(&'static str),
}

/// One step of the way: what happens, and the health of objects after it, with the begin of its
/// message.
type Step = (&'static str, Happens, Vec<(&'static str, &'static str, &'static str, &'static str)>);

fn suspended(manifest: &str) -> String {
    manifest.replacen("spec:", "spec:\n  suspend: true", 1)
}

fn is_ready(is_ready: bool) -> Value {
    let annotation = if is_ready { Value::Null } else { json!("false") };
    json!({"metadata": {"annotations": {"dev.polder.dev/ready": annotation}}})
}

fn held_by(finalizers: &[&str]) -> Value {
    json!({"metadata": {"finalizers": finalizers}})
}

/// Workloads come, stumble, fail and stand still. The Domain is called NAME.
fn of_workloads(node: &'static str) -> Vec<Step> {
    use Happens::{Bound, Commit, Pod};
    let nowhere = ENDPOINT.lines().map(|line| match line.split_once("executors:") {
        Some((indent, _)) => format!("{indent}clusterRef: {{name: elt, executorMemory: 512Mi}}\n"),
        None => format!("{line}\n"),
    });
    let nowhere: String = nowhere.collect();
    vec![
        (
            "a domain",
            Commit(vec![("domain.yaml", DOMAIN.to_owned())]),
            vec![("Domain", "NAME", "Healthy", "namespace NAME is ready")],
        ),
        (
            "workloads, one of which no node takes",
            Commit(vec![
                ("cluster.yaml", CLUSTER.to_owned()),
                ("endpoint.yaml", ENDPOINT.to_owned()),
                ("nightly.yaml", SCHEDULED.to_owned()),
                ("held.yaml", HELD.to_owned()),
            ]),
            vec![
                ("SparkCluster", "etl", "Healthy", "the master is alive and 2"),
                ("SqlEndpoint", "bi", "Healthy", "the endpoint answers"),
                ("BatchJob", "nightly", "Healthy", ""),
                ("BatchJob", "held", "Progressing", "Unschedulable: "),
            ],
        ),
        (
            "a worker stumbles",
            Pod(WORKER_PODS, is_ready(false)),
            vec![("SparkCluster", "etl", "Progressing", "WorkersNotReady: 1 of 2")],
        ),
        (
            "the driver of the endpoint stumbles",
            Pod(ENDPOINT_POD, is_ready(false)),
            vec![("SqlEndpoint", "bi", "Progressing", "Starting: ")],
        ),
        (
            "the worker is well again",
            Pod(WORKER_PODS, is_ready(true)),
            vec![("SparkCluster", "etl", "Healthy", "")],
        ),
        (
            "the driver is well again",
            Pod(ENDPOINT_POD, is_ready(true)),
            vec![("SqlEndpoint", "bi", "Healthy", "")],
        ),
        (
            "the run is to fail",
            Pod(HELD_POD, json!({"metadata": {"annotations": {"dev.polder.dev/exit": "3"}}})),
            vec![("BatchJob", "held", "Progressing", "Unschedulable: ")],
        ),
        ("it fails", Bound(node), vec![("BatchJob", "held", "Degraded", "Failed: ")]),
        (
            "the job and the schedule are suspended",
            Commit(vec![("held.yaml", suspended(HELD)), ("nightly.yaml", suspended(SCHEDULED))]),
            vec![
                ("BatchJob", "held", "Suspended", "Suspended: "),
                ("BatchJob", "nightly", "Suspended", "Suspended: "),
            ],
        ),
        (
            "the endpoint refers to a cluster that is not there",
            Commit(vec![("endpoint.yaml", nowhere)]),
            vec![("SqlEndpoint", "bi", "Degraded", "ClusterNotFound: ")],
        ),
        (
            "and is mended",
            Commit(vec![("endpoint.yaml", ENDPOINT.to_owned())]),
            vec![("SqlEndpoint", "bi", "Healthy", "")],
        ),
    ]
}

/// The domain breaks, is mended, stands still and goes on.
fn of_domain() -> Vec<Step> {
    use Happens::{Bound, Commit, Pod};
    let odd = DOMAIN.replace("requests.cpu:", "requests.cpus:");
    let other = HELD.replace("name: held", "name: again");
    vec![
        (
            "the domain is not right",
            Commit(vec![("domain.yaml", odd)]),
            vec![
                ("Domain", "NAME", "Degraded", "UnknownResource: spec.quota.hard[requests.cpus]"),
                // What runs goes on.
                ("SqlEndpoint", "bi", "Healthy", ""),
            ],
        ),
        (
            "and is mended; another run waits",
            Commit(vec![("domain.yaml", DOMAIN.to_owned()), ("held.yaml", other)]),
            vec![
                ("Domain", "NAME", "Healthy", ""),
                ("BatchJob", "again", "Progressing", "Unschedulable: "),
            ],
        ),
        (
            "that others hold on a node that is silent",
            Pod("app.kubernetes.io/instance=again", held_by(&["example.com/hold"])),
            vec![],
        ),
        ("", Bound("silent"), vec![]),
        (
            "the domain is suspended",
            Commit(vec![("domain.yaml", suspended(DOMAIN))]),
            vec![
                ("Domain", "NAME", "Progressing", "Suspending: "),
                ("SparkCluster", "etl", "Suspended", "Suspended: "),
                ("SqlEndpoint", "bi", "Suspended", "Suspended: "),
                ("BatchJob", "again", "Progressing", "Suspending: "),
            ],
        ),
        (
            "they let it go",
            Pod("app.kubernetes.io/instance=again", held_by(&[])),
            vec![
                ("Domain", "NAME", "Suspended", "Suspended: "),
                ("BatchJob", "again", "Suspended", "Suspended: "),
            ],
        ),
        (
            "the domain goes on",
            Commit(vec![("domain.yaml", DOMAIN.to_owned())]),
            vec![
                ("Domain", "NAME", "Healthy", ""),
                ("SparkCluster", "etl", "Healthy", ""),
                ("SqlEndpoint", "bi", "Healthy", ""),
            ],
        ),
    ]
}

#[tokio::test]
async fn argo_cd_sees_each_kind_through_its_life() {
    let (tenant, repository) = start("g-health").await;
    let nodes = tenant.api.list("Node", "", "").await;
    let node = nodes[0]["metadata"]["name"].as_str().unwrap().to_owned().leak();
    for (number, (what, happens, expected)) in
        of_workloads(node).into_iter().chain(of_domain()).enumerate()
    {
        let commit = take(&tenant, &repository, happens).await;
        if number == 0 {
            follow(&tenant, &repository).await;
        }
        let what = format!("after step {number} ({what}) to be {expected:?}");
        let is_so = |it: &Value| {
            let revision = &it["status"]["sync"]["revision"];
            commit.as_ref().is_none_or(|commit| revision == commit)
                && expected.iter().all(|(kind, name, state, why)| {
                    let name = name.replace("NAME", &tenant.name);
                    let (is, message) = health(it, kind, &name);
                    is == *state && message.starts_with(&why.replace("NAME", &tenant.name))
                })
        };
        application(&tenant.api, &tenant.name, &what, is_so).await;
    }
    tenant.end();
}

/// Has it happen; returns the commit, if it is one.
async fn take(tenant: &Tenant, repository: &Repository, happens: Happens) -> Option<String> {
    let newest = async |selector: &str| {
        let name = tenant.wait("a pod", async || {
            let pods = tenant.list("Pod", selector).await;
            let pod = pods.into_iter().find(|it| it["status"]["phase"] != "Failed")?;
            Some(pod["metadata"]["name"].as_str()?.to_owned())
        });
        name.await
    };
    match happens {
        Happens::Commit(files) => {
            let files: Vec<(&str, String)> =
                files.iter().map(|(path, text)| (*path, annotated(tenant, text, &[]))).collect();
            let files: Vec<(&str, &str)> =
                files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            Some(repository.push(&files))
        }
        Happens::Pod(selector, patch) => {
            tenant.patch("Pod", &newest(selector).await, patch).await;
            None
        }
        Happens::Bound(node) => {
            let selector = "app.kubernetes.io/name=batch-job";
            let pods = tenant.list("Pod", selector).await;
            let waits = pods.iter().find(|pod| pod["spec"]["nodeName"].is_null());
            let waits = waits.expect("a pod waits for a node");
            tenant.bind(waits["metadata"]["name"].as_str().unwrap(), node).await;
            None
        }
    }
}
