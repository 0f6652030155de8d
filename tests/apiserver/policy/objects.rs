//! The operator's objects, and the kinds that nobody else writes in a domain.

use serde_json::{Value, json};

use super::{
    asker::{Asker, accepted, refused},
    table::merge,
};
use crate::{api::essence, manifests::CLUSTER, tenant::Tenant};

const HANDS_OFF: &str = "made by Polder, which alone changes and deletes it";

/// Changes of the operator's objects, as (kind, name, subresource, merge patch).
fn changes() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let unlabel = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
    vec![
        ("Service", "etl-master", "", json!({"spec": {"selector": {"a": "b"}}})),
        ("Service", "etl-master", "", label.clone()),
        ("Service", "etl-master", "", unlabel.clone()),
        ("ConfigMap", "polder-spark", "", json!({"data": {"spark-defaults.conf": "x"}})),
        ("ConfigMap", "polder-spark", "", unlabel),
        ("ResourceQuota", "NAME-quota", "", json!({"spec": {"hard": {"pods": "999"}}})),
        ("LimitRange", "NAME-limits", "", json!({"spec": {"limits": []}})),
        ("NetworkPolicy", "NAME-isolation", "", json!({"spec": {"egress": [{}]}})),
        ("RoleBinding", "polder-admin", "", json!({"subjects": null})),
        ("ServiceAccount", "spark-driver", "", json!({"automountServiceAccountToken": true})),
        ("StatefulSet", "etl-master", "", json!({"spec": {"replicas": 0}})),
        ("PodDisruptionBudget", "", "", label.clone()),
        ("Pod", "etl-master-0", "", label),
    ]
}

#[tokio::test]
async fn what_the_operator_made_only_the_operator_changes() {
    let tenant = Tenant::ready("v-objects").await;
    let admin = Asker::admin("v-objects").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    for (kind, name, more, patch) in changes() {
        let mut name = name.replace("NAME", "v-objects");
        if name.is_empty() {
            let first = tenant.list(kind, "app.kubernetes.io/managed-by=polder").await.remove(0);
            name = first["metadata"]["name"].as_str().unwrap().to_owned();
        }
        let what = format!("{kind} {name}{more}: {patch}");
        let before = admin.get(kind, &name).await.unwrap();
        refused(&what, &admin.patch(kind, &name, more, &patch).await, &[]);
        let mut object = before.clone();
        merge(&mut object, &patch);
        refused(&what, &admin.send("PUT", kind, &name, more, Some(&object)).await, &[]);
        if kind == "Pod" {
            continue;
        }
        refused(&what, &admin.delete(kind, &name).await, &[HANDS_OFF]);
        // Controllers may write its status meanwhile.
        let live = admin.get(kind, &name).await.unwrap();
        assert_eq!(essence(&live), essence(&before), "{what}");
    }
    let mut set = admin.get("StatefulSet", "etl-worker-shuffle").await.unwrap();
    let scale = json!({"spec": {"replicas": 0}});
    let answer = admin.patch("StatefulSet", "etl-worker-shuffle", "/scale", &scale).await;
    refused(
        "a scale",
        &answer,
        &["statefulsets/scale etl-worker-shuffle", "only Polder writes these"],
    );
    set["status"]["replicas"] = json!(7);
    let answer =
        admin.send("PUT", "StatefulSet", "etl-worker-shuffle", "/status", Some(&set)).await;
    refused("a status", &answer, &["statefulsets/status"]);
    let lie = json!({"status": {"hard": {"pods": "999"}}});
    refused(
        "a quota's status",
        &admin.patch("ResourceQuota", "v-objects-quota", "/status", &lie).await,
        &["resourcequotas/status"],
    );
    let lie = json!({"status": {"phase": "Failed"}});
    refused(
        "a pod's status",
        &admin.patch("Pod", "etl-master-0", "/status", &lie).await,
        &["pods/status"],
    );
    let force = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "etl-master"}, "spec": {"selector": {"a": "b"}}});
    let answer = admin.patch("Service", "etl-master", "?fieldManager=x&force=true", &force).await;
    refused("an apply", &answer, &[]);
    // Agents note things on pods, and people restart them.
    let note = json!({"metadata": {"annotations": {"example.com/seen": "yes"}}});
    accepted("a note on a pod", admin.patch("Pod", "etl-master-0", "", &note).await);
    accepted(
        "the end of a pod",
        admin.send("DELETE", "Pod", "etl-master-0", "?dryRun=All", None).await,
    );
    tenant.wait_ready("SparkCluster", "etl").await;
    tenant.end();
}

/// Whoever drains nodes evicts, and so may those who may delete the pod; nobody else.
#[tokio::test]
async fn evictions_are_for_those_who_drain() {
    let tenant = Tenant::ready("v-evict").await;
    tenant.apply(CLUSTER).await;
    tenant.wait_ready("SparkCluster", "etl").await;
    let evictor = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: evictor}
rules: [{apiGroups: [""], resources: [pods/eviction], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: evictor}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: evictor}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: eve}]
"#;
    tenant.apply(evictor).await;
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": "etl-worker-shuffle-0", "namespace": "v-evict"},
        "deleteOptions": {"dryRun": ["All"]}});
    let ask = async |who: &Asker| {
        who.send("POST", "Pod", "etl-worker-shuffle-0", "/eviction?dryRun=All", Some(&eviction))
            .await
    };
    let eve = Asker::person("v-evict", "eve", &["system:authenticated"]).await;
    let refusal = tenant.wait("the right", async || {
        ask(&eve).await.err().filter(|refusal| !refusal.contains("cannot create resource"))
    });
    refused("eve", &Err(refusal.await), &["pods/eviction etl-worker-shuffle-0", "drain nodes"]);
    accepted("the administrator", ask(&Asker::admin("v-evict").await).await);
    tenant.end();
}

/// Objects that would start pods, open the isolation or expose the domain, with a part of the
/// refusal.
fn forbidden() -> Vec<(&'static str, Value, &'static str)> {
    let fence = "only Polder writes these";
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"serviceAccountName": "spark",
        "restartPolicy": "Always", "containers": [{"name": "c", "image": "x"}]}});
    let selector = json!({"matchLabels": {"a": "b"}});
    let object = |api: &str, kind: &str, spec: Value| json!({"apiVersion": api, "kind": kind, "metadata": {"name": "mine"}, "spec": spec});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("Never");
    let sets = json!({"selector": selector, "template": template});
    vec![
        ("Deployment", object("apps/v1", "Deployment", sets.clone()), fence),
        ("DaemonSet", object("apps/v1", "DaemonSet", sets.clone()), fence),
        ("ReplicaSet", object("apps/v1", "ReplicaSet", sets.clone()), fence),
        ("StatefulSet", object("apps/v1", "StatefulSet", sets), fence),
        (
            "ReplicationController",
            object(
                "v1",
                "ReplicationController",
                json!({"selector": {"a": "b"}, "template": template}),
            ),
            fence,
        ),
        ("Job", object("batch/v1", "Job", json!({"template": once})), fence),
        (
            "CronJob",
            object(
                "batch/v1",
                "CronJob",
                json!({"schedule": "@daily", "jobTemplate": {"spec": {"template": once}}}),
            ),
            fence,
        ),
        (
            "HorizontalPodAutoscaler",
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                json!({"maxReplicas": 9,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "etl-master"}}),
            ),
            fence,
        ),
        (
            "NetworkPolicy",
            object(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                json!({"podSelector": {}, "ingress": [{}], "egress": [{}]}),
            ),
            fence,
        ),
        (
            "Ingress",
            object(
                "networking.k8s.io/v1",
                "Ingress",
                json!({"defaultBackend": {"service": {"name": "bi", "port": {"number": 80}}}}),
            ),
            fence,
        ),
        ("ResourceQuota", object("v1", "ResourceQuota", json!({"hard": {"pods": "0"}})), fence),
        ("LimitRange", object("v1", "LimitRange", json!({"limits": []})), fence),
        (
            "ServiceAccount",
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mine"}}),
            fence,
        ),
        (
            "Service",
            object("v1", "Service", json!({"type": "LoadBalancer", "ports": [{"port": 80}]})),
            "would expose the domain",
        ),
        (
            "Service",
            object("v1", "Service", json!({"externalIPs": ["192.0.2.1"], "ports": [{"port": 80}]})),
            "would expose the domain",
        ),
        (
            "Secret",
            json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {"name": "mine", "annotations": {"kubernetes.io/service-account.name": "spark-driver"}}}),
            "would hold the token",
        ),
        (
            "ConfigMap",
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "mine", "labels": {"app.kubernetes.io/managed-by": "polder"}}}),
            "is for objects that Polder makes",
        ),
    ]
}

#[tokio::test]
async fn nothing_runs_or_opens_past_the_policies() {
    let tenant = Tenant::ready("v-fence").await;
    let admin = Asker::admin("v-fence").await;
    for (kind, object, says) in forbidden() {
        let what = format!("{object}");
        refused(&what, &admin.create(kind, &object).await, &[says]);
        let apply = admin.patch(kind, "mine", "?fieldManager=x&force=true", &object).await;
        refused(&what, &apply, &[says]);
        assert!(admin.get(kind, "mine").await.is_err(), "{what}");
    }
    let token =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer = admin.send("POST", "ServiceAccount", "spark-driver", "/token", Some(&token)).await;
    refused("a token", &answer, &["serviceaccounts/token spark-driver"]);
    // What members make themselves.
    for (kind, object) in [
        (
            "ConfigMap",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a.sql": "SELECT 1"}}),
        ),
        ("Secret", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}})),
        (
            "Service",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mine"}, "spec": {"ports": [{"port": 80}]}}),
        ),
        (
            "Role",
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "mine"}, "rules": []}),
        ),
    ] {
        accepted(kind, admin.create(kind, &object).await);
        let note = json!({"metadata": {"labels": {"a": "b"}}});
        accepted(kind, admin.patch(kind, "mine", "", &note).await);
        accepted(kind, admin.delete(kind, "mine").await);
    }
    // In an emergency: in the group, and with the right.
    let policy = &forbidden()[8].1;
    let bold = Asker::person("v-fence", "root", &["system:masters", crate::api::BREAK_GLASS]).await;
    accepted(
        "behind the glass",
        bold.send("POST", "NetworkPolicy", "", "?dryRun=All", Some(policy)).await,
    );
    tenant.end();
}
