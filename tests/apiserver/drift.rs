//! What others change about our children is undone; what is theirs is left alone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    api::{essence, path},
    audit::Mark,
    manifests::{CLUSTER, SCHEDULED},
    tenant::Tenant,
};

/// What somebody does to a child.
enum Deed {
    /// A merge patch.
    Patch(Value),
    /// A scale, through the subresource.
    Scale(i64),
    /// A server-side apply that takes fields over.
    Force(Value),
    Delete,
}

use Deed::{Delete, Force, Patch, Scale};

#[expect(clippy::too_many_lines, reason = "a table")]
fn deeds() -> Vec<(&'static str, &'static str, &'static str, Deed)> {
    let label = |key: &str, value: Value| Patch(json!({"metadata": {"labels": {key: value}}}));
    vec![
        (
            "a label changed",
            "Service",
            "etl-master",
            label("app.kubernetes.io/component", json!("x")),
        ),
        (
            "a label removed",
            "NetworkPolicy",
            "NAME-isolation",
            label("polder.dev/domain", json!(null)),
        ),
        (
            "the label that is watched removed",
            "ConfigMap",
            "polder-spark",
            label("app.kubernetes.io/managed-by", json!(null)),
        ),
        (
            "the label that is watched changed",
            "StatefulSet",
            "etl-master",
            label("app.kubernetes.io/managed-by", json!("helm")),
        ),
        (
            "a label of the namespace removed",
            "Namespace",
            "NAME",
            label("pod-security.kubernetes.io/enforce", json!(null)),
        ),
        (
            "a field changed",
            "NetworkPolicy",
            "NAME-isolation",
            Patch(json!({"spec": {"policyTypes": ["Ingress"]}})),
        ),
        (
            "a rule removed",
            "NetworkPolicy",
            "NAME-isolation",
            Patch(json!({"spec": {"egress": null}})),
        ),
        (
            "data changed",
            "ConfigMap",
            "polder-spark",
            Patch(json!({"data": {"spark-defaults.conf": "spark.a 1\n"}})),
        ),
        ("data removed", "ConfigMap", "polder-spark", Patch(json!({"data": null}))),
        (
            "a bound raised",
            "ResourceQuota",
            "NAME-quota",
            Patch(json!({"spec": {"hard": {"pods": "999"}}})),
        ),
        (
            "a bound taken over by another manager",
            "ResourceQuota",
            "NAME-quota",
            Force(json!({"spec": {"hard": {"pods": "999"}}})),
        ),
        (
            "a bound removed",
            "ResourceQuota",
            "NAME-quota",
            Patch(json!({"spec": {"hard": {"pods": null}}})),
        ),
        (
            "members changed",
            "RoleBinding",
            "polder-analyst",
            Patch(
                json!({"subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]}),
            ),
        ),
        ("a set scaled", "StatefulSet", "etl-worker-shuffle", Scale(0)),
        (
            "a schedule suspended",
            "CronJob",
            "nightly-schedule",
            Patch(json!({"spec": {"suspend": true}})),
        ),
        (
            "the schedule changed",
            "CronJob",
            "nightly-schedule",
            Patch(json!({"spec": {"schedule": "* * * * *"}})),
        ),
        (
            "managed fields cleared",
            "ConfigMap",
            "polder-spark",
            Patch(json!({"metadata": {"managedFields": [{}]}})),
        ),
        (
            "our mark removed",
            "Service",
            "etl-master",
            Patch(json!({"metadata": {"annotations": {"polder.dev/applied": null}}})),
        ),
        (
            "our mark forged",
            "Service",
            "etl-master",
            Patch(
                json!({"metadata": {"annotations": {"polder.dev/applied": "0123456789abcdef0123456789abcdef"}}}),
            ),
        ),
        (
            "the owner removed",
            "PodDisruptionBudget",
            "",
            Patch(json!({"metadata": {"ownerReferences": null}})),
        ),
        ("a service deleted", "Service", "etl-master", Delete),
        ("a set deleted", "StatefulSet", "etl-worker-shuffle", Delete),
        ("a policy deleted", "NetworkPolicy", "NAME-isolation", Delete),
        ("a binding deleted", "RoleBinding", "polder-admin", Delete),
        ("our own way in deleted", "RoleBinding", "polder-operator", Delete),
        ("the quota deleted", "ResourceQuota", "NAME-quota", Delete),
        ("an account deleted", "ServiceAccount", "", Delete),
        ("a schedule deleted", "CronJob", "nightly-schedule", Delete),
    ]
}

async fn act(tenant: &Tenant, kind: &str, name: &str, deed: &Deed) {
    let url = path(kind, &tenant.name, name);
    match deed {
        Patch(patch) => {
            tenant.patch(kind, name, patch.clone()).await;
        }
        Scale(replicas) => {
            let patch = json!({"spec": {"replicas": replicas}});
            tenant.api.send("PATCH", &format!("{url}/scale"), Some(&patch)).await.unwrap();
        }
        Force(fields) => {
            let live = tenant.get(kind, name).await.unwrap();
            let mut object = fields.clone();
            for field in ["apiVersion", "kind"] {
                object[field] = live[field].clone();
            }
            object["metadata"] = json!({"name": name});
            let url = format!("{url}?fieldManager=somebody&force=true");
            tenant.api.send("PATCH", &url, Some(&object)).await.unwrap();
        }
        Delete => tenant.delete(kind, name).await,
    }
}

#[tokio::test]
async fn drift_is_mended() {
    let tenant = Tenant::ready("t-drift").await;
    tenant.apply(CLUSTER).await;
    tenant.apply(SCHEDULED).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.wait_ready("BatchJob", "nightly").await;
    for (what, kind, name, deed) in deeds() {
        let mut name = name.replace("NAME", &tenant.name);
        if name.is_empty() {
            let first = tenant.list(kind, "app.kubernetes.io/managed-by=polder").await.remove(0);
            name = first["metadata"]["name"].as_str().unwrap().to_owned();
        }
        let before = tenant.get(kind, &name).await.unwrap();
        let mark = Mark::now();
        act(&tenant, kind, &name, &deed).await;
        let wanted = format!("to be mended ({what})");
        let mended = tenant.until(kind, &name, &wanted, |object| {
            let is_marked = object["metadata"]["annotations"]["polder.dev/applied"]
                == before["metadata"]["annotations"]["polder.dev/applied"];
            let is_anew = object["metadata"]["uid"] != before["metadata"]["uid"];
            let is_ours = object["metadata"]["managedFields"].to_string().contains("polder/");
            is_marked
                && is_ours
                && is_anew == matches!(deed, Delete)
                && without_server_fields(object) == without_server_fields(&before)
        });
        mended.await;
        let writes: Vec<_> =
            mark.writes_of(&tenant.name).into_iter().filter(|it| it.name == name).collect();
        assert!(writes.len() <= 3, "{what}: {writes:#?}");
    }
    // All of it without a moment of being less than Ready in the end.
    tenant.wait_ready("Domain", "t-drift").await;
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.end();
}

/// What an object is, without what the server chooses anew for a new one.
fn without_server_fields(object: &Value) -> Value {
    let mut object = essence(object);
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.retain(|field, _| {
            !matches!(field.as_str(), "clusterIP" | "clusterIPs" | "volumeName")
        });
    }
    object
}

#[tokio::test]
async fn what_others_add_stays_and_costs_nothing() {
    let tenant = Tenant::ready("t-foreign").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let mark = Mark::now();
    let note = json!({"metadata": {"labels": {"example.com/cost": "7"}, "annotations": {"example.com/seen": "yes"}}});
    let children =
        [("Service", "etl-master"), ("ConfigMap", "polder-spark"), ("StatefulSet", "etl-master")];
    for (kind, name) in children {
        tenant.patch(kind, name, note.clone()).await;
    }
    tenant.patch("Namespace", "t-foreign", note).await;
    // Fields that the plan does not have, owned by another manager.
    let url = format!("{}?fieldManager=somebody", path("ConfigMap", "t-foreign", "polder-spark"));
    let extra = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "polder-spark"}, "data": {"theirs": "1"}});
    tenant.api.send("PATCH", &url, Some(&extra)).await.unwrap();

    // Events of a type come in order: when later drift is mended, these were seen.
    for (kind, name) in [("Service", "etl-workers"), ("NetworkPolicy", "t-foreign-isolation")] {
        tenant
            .patch(kind, name, json!({"metadata": {"labels": {"polder.dev/domain": null}}}))
            .await;
        tenant
            .until(kind, name, "to be mended", |object| {
                object["metadata"]["labels"]["polder.dev/domain"] == "t-foreign"
            })
            .await;
    }
    // No reads either, but for the two that were harmed. The log has a request when it is answered.
    let harmed = ["etl-workers", "t-foreign-isolation"].map(str::to_owned);
    let names = async || {
        let names: BTreeSet<String> = mark
            .requests()
            .into_iter()
            .filter(|request| request.is_of("t-foreign") && !request.resource.ends_with("/status"))
            .map(|request| request.name)
            .collect();
        harmed.iter().all(|name| names.contains(name)).then_some(names)
    };
    let names = tenant.wait("the requests that mended to be logged", names).await;
    assert_eq!(names, BTreeSet::from(harmed.clone()));
    let config = tenant.get("ConfigMap", "polder-spark").await.unwrap();
    assert_eq!(config["data"]["theirs"], "1");
    assert_eq!(config["metadata"]["labels"]["example.com/cost"], "7");
    tenant.end();
}
