//! From manifests to Ready: which children, in which order, at how many writes.

use std::{collections::BTreeMap, io::Write};

use serde_json::{Value, json};

use crate::{
    api::{CHILDREN, condition, is_current},
    audit::{Mark, Request},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, JOB, SCHEDULED, WAREHOUSE, WORKLOADS},
    tenant::Tenant,
};

const OURS: &str = "app.kubernetes.io/managed-by=polder";

/// Children that the operator made, as `Kind name`.
pub async fn children(tenant: &Tenant) -> Vec<String> {
    let mut names = Vec::new();
    for kind in CHILDREN {
        for object in tenant.list(kind, OURS).await {
            names.push(format!("{kind} {}", object["metadata"]["name"].as_str().unwrap()));
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn a_domain_becomes_these_children_in_the_order_of_trust() {
    let tenant = Tenant::new("t-order").await;
    let mark = Mark::now();
    tenant.apply(&format!("{DOMAIN}{WAREHOUSE}")).await;
    let domain = tenant.wait_ready("Domain", "t-order").await;
    for type_ in
        ["NamespaceReady", "QuotaEnforced", "AccessGranted", "NetworkIsolated", "CatalogsReady"]
    {
        assert_eq!(condition(&domain, type_)["status"], "True", "{type_}: {domain:#}");
    }
    assert_eq!(domain["status"]["namespace"], "t-order");
    assert_eq!(domain["status"]["quota"]["hard"]["pods"], "100");

    let expected = [
        "ConfigMap polder-spark",
        "LimitRange t-order-limits",
        "NetworkPolicy t-order-apiserver",
        "NetworkPolicy t-order-isolation",
        "PersistentVolumeClaim t-order-warehouse",
        "ResourceQuota t-order-quota",
        "RoleBinding polder-admin",
        "RoleBinding polder-analyst",
        "RoleBinding polder-operator",
        "RoleBinding polder-spark-driver",
    ];
    let found = children(&tenant).await;
    let (accounts, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|name| name.starts_with("ServiceAccount"));
    assert_eq!(others, expected);
    assert_eq!(accounts.len(), 2, "{accounts:?}");

    let made: Vec<Request> =
        mark.writes_of("t-order").into_iter().filter(Request::is_creation).collect();
    let last = |resources: &[&str]| {
        let of = made.iter().filter(|request| resources.contains(&request.resource.as_str()));
        of.map(|request| request.at.clone()).max().unwrap()
    };
    let first = |is_of: &dyn Fn(&Request) -> bool| {
        made.iter()
            .filter(|request| is_of(request))
            .map(|request| request.at.clone())
            .min()
            .unwrap()
    };
    let bounds = last(&["resourcequotas", "limitranges", "networkpolicies"]);
    let contents = first(&|request| {
        matches!(
            request.resource.as_str(),
            "serviceaccounts" | "configmaps" | "persistentvolumeclaims"
        )
    });
    let access =
        first(&|request| request.resource == "rolebindings" && request.name != "polder-operator");
    assert!(bounds < contents && contents < access, "{bounds} {contents} {access}: {made:#?}");
    tenant.end();
}

#[tokio::test]
async fn every_child_says_whose_it_is_and_goes_by_owner_reference() {
    let tenant = Tenant::ready("t-owners").await;
    for yaml in [CLUSTER, ENDPOINT, JOB, SCHEDULED] {
        tenant.apply(yaml).await;
    }
    for (kind, name) in WORKLOADS {
        tenant.wait_ready(kind, name).await;
    }
    for kind in CHILDREN {
        for object in tenant.list(kind, OURS).await {
            let metadata = &object["metadata"];
            let labels = &metadata["labels"];
            assert_eq!(labels["polder.dev/domain"], "t-owners", "{object:#}");
            assert_eq!(labels["app.kubernetes.io/part-of"], "polder", "{object:#}");
            for label in ["name", "instance", "component"] {
                assert!(labels[format!("app.kubernetes.io/{label}")].is_string(), "{object:#}");
            }
            let is_retained = *kind == "PersistentVolumeClaim";
            let owner = &metadata["ownerReferences"][0];
            assert!(is_retained || owner["controller"] == true, "{object:#}");
        }
    }
    // Nothing that Kubernetes warns of in restricted namespaces: the pods were let in.
    let pods = tenant.list("Pod", "polder.dev/domain=t-owners").await;
    assert!(pods.len() >= 4, "{} pods", pods.len());
    tenant.end();
}

/// Writes of one kind from nothing to Ready.
struct Cost {
    kind: &'static str,
    writes: Vec<Request>,
}

impl Cost {
    fn show(&self) -> String {
        let mut counts = BTreeMap::<(bool, &str), usize>::new();
        for request in &self.writes {
            *counts
                .entry((request.resource.ends_with("/status"), &request.resource))
                .or_default() += 1;
        }
        let list: Vec<String> =
            counts.iter().map(|((_, resource), count)| format!("{count} {resource}")).collect();
        format!("{:<13} {:>6}  {}", self.kind, self.writes.len(), list.join(", "))
    }
}

#[tokio::test]
async fn writes_from_nothing_to_ready_are_bounded() {
    let tenant = Tenant::new("t-writes").await;
    let whole = Mark::now();
    let mut costs = Vec::new();
    let steps: [(&str, &str, &str, &str); 5] = [
        ("Domain", DOMAIN, "Domain", "t-writes"),
        ("SparkCluster", CLUSTER, "SparkCluster", "etl"),
        ("SqlEndpoint", ENDPOINT, "SqlEndpoint", "bi"),
        ("BatchJob once", JOB, "BatchJob", "load"),
        ("BatchJob cron", SCHEDULED, "BatchJob", "nightly"),
    ];
    for (label, yaml, kind, name) in steps {
        let mark = Mark::now();
        tenant.apply(yaml).await;
        tenant.wait_ready(kind, name).await;
        if label == "BatchJob once" {
            tenant.wait_reason(kind, name, "Succeeded").await;
        }
        let mut writes = mark.writes_of("t-writes");
        // The domain's status counts its workloads; that is not the workload's cost.
        if label != "Domain" {
            writes.retain(|request| request.resource != "domains/status");
        }
        costs.push(Cost { kind: label, writes });
    }
    // Everything is read once, at the start, and known by watches from then on.
    let reads = whole.requests().into_iter().filter(|request| {
        let is_relist = request.verb == "list" && request.code == 200;
        is_relist || (request.verb == "get" && request.is_of("t-writes"))
    });
    assert_eq!(reads.collect::<Vec<_>>(), Vec::new(), "read although it is watched");
    let table: Vec<String> = costs.iter().map(Cost::show).collect();
    writeln!(std::io::stderr(), "\nwrites from nothing to Ready\n{}\n", table.join("\n")).unwrap();
    // Objects are counted exactly. How often status is written depends on how long it takes: once
    // a second while something is on its way.
    let bounds = [(13, 3), (8, 8), (3, 6), (2, 6), (1, 3)];
    for (Cost { kind, writes }, (objects, statuses)) in costs.iter().zip(bounds) {
        let (refused, accepted): (Vec<_>, Vec<_>) =
            writes.iter().partition(|request| request.code >= 400);
        let (status, other): (Vec<_>, Vec<_>) =
            accepted.into_iter().partition(|request| request.resource.ends_with("/status"));
        assert_eq!(other.len(), objects, "{kind}: {other:#?}");
        assert!(status.len() <= statuses, "{kind}: more than {statuses}: {status:#?}");
        // Rights that a binding gives take a moment to be known.
        assert!(refused.iter().all(|request| request.code == 403), "{kind}: {refused:#?}");
        assert!(refused.is_empty() || *kind == "Domain", "{kind}: {refused:#?}");
    }
    tenant.end();
}

#[tokio::test]
async fn a_changed_spec_writes_what_changes_and_no_more() {
    let tenant = Tenant::ready("t-change").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let before = tenant.get("StatefulSet", "etl-master").await.unwrap();
    let mark = Mark::now();
    let pool = json!({"name": "shuffle", "replicas": 3, "resources": {"cpu": "20m", "memory": "2Gi"},
        "volumes": [{"name": "disk1", "size": "1Gi", "class": "fast"}, {"name": "disk2", "size": "1Gi", "class": "standard"}]});
    tenant.patch("SparkCluster", "etl", json!({"spec": {"workers": [pool]}})).await;
    tenant
        .until("SparkCluster", "etl", "to have three workers", |cluster| {
            cluster["status"]["workers"]["ready"] == 3
        })
        .await;
    let changed: Vec<Request> = mark
        .writes_of("t-change")
        .into_iter()
        .filter(|request| !request.resource.ends_with("/status"))
        .collect();
    let names: Vec<&str> = changed.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, ["etl-worker-shuffle"], "{changed:#?}");
    let after = tenant.get("StatefulSet", "etl-master").await.unwrap();
    assert_eq!(before["metadata"]["generation"], after["metadata"]["generation"]);

    // What leaves the spec leaves the cluster.
    tenant.patch("Domain", "t-change", json!({"spec": {"limits": null, "members": null}})).await;
    tenant.wait_gone("LimitRange", "t-change-limits").await;
    tenant.wait_gone("RoleBinding", "polder-admin").await;
    let bindings = tenant.list("RoleBinding", OURS).await;
    let names: Vec<&Value> = bindings.iter().map(|binding| &binding["metadata"]["name"]).collect();
    assert_eq!(names, ["polder-operator", "polder-spark-driver"]);
    tenant.end();
}

/// A change that commits while the operator writes the status of the same object: its event and
/// the answer to that write come in either order, and neither may be taken for one's own news.
#[tokio::test]
async fn a_change_during_a_status_write_is_seen() {
    let tenant = Tenant::ready("t-overlap").await;
    tenant.apply(SCHEDULED).await;
    for round in 0..30 {
        // The second comes while the operator is busy with the first.
        for retries in [2 * round, 2 * round + 1] {
            tenant.patch("BatchJob", "nightly", json!({"spec": {"retries": retries}})).await;
        }
        let what = format!("to be looked at after the change of round {round}");
        tenant.until("BatchJob", "nightly", &what, is_current).await;
    }
    let cron = tenant.get("CronJob", "nightly-schedule").await.unwrap();
    assert_eq!(cron["spec"]["jobTemplate"]["spec"]["backoffLimit"], 59);
    tenant.end();
}
