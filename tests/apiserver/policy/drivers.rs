//! What runs in a driver has the driver's token: the pods it makes with that.

use serde_json::{Value, json};

use super::asker::{Asker, accepted, refused};
use crate::{
    cluster::eventually,
    tenant::{PATIENCE, Tenant},
};

const DOMAIN: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec:
  deletionPolicy: Delete
  compute:
    images: ["registry.example.com/data/*"]
    storageClasses: [fast]
    nodePools: [{name: io, selector: {disk: nvme}, tolerations: [{key: io, operator: Exists, effect: NoSchedule}]}]
"#;

/// With a Secret that its executors use.
const ENDPOINT: &str = r"
apiVersion: polder.dev/v1alpha1
kind: SqlEndpoint
metadata: {name: bi}
spec:
  driver: {resources: {cpu: 20m, memory: 2Gi}}
  executors: {min: 0, max: 2, nodePool: io, resources: {cpu: 20m, memory: 2Gi}}
  env: [{name: KEY, secret: {name: s3, key: id}}]
  mounts: [{path: /pg, secret: pg}]
";

/// An executor as Spark makes it from the pod template of the operator: with what
/// `BasicExecutorFeatureStep` and `LocalDirsFeatureStep` add.
/// Source: <https://github.com/apache/spark/tree/v4.1.0/resource-managers/kubernetes/core/src/main/scala/org/apache/spark/deploy/k8s/features>
fn executor(template: &str, driver: &str, uid: &str) -> Value {
    let mut pod: Value = serde_json::from_str(template).unwrap();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"] = json!({
        "name": "bi-exec-1",
        "labels": {"spark-app-selector": "spark-1", "spark-exec-id": "1", "spark-role": "executor",
            "app.kubernetes.io/component": "executor", "app.kubernetes.io/managed-by": "spark",
            "polder.dev/domain": "v-drivers"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": driver, "uid": uid, "controller": true}],
    });
    let spec = &mut pod["spec"];
    spec["hostname"] = json!("bi-exec-1");
    spec["restartPolicy"] = json!("Never");
    let more = [
        json!({"name": "spark-conf-volume-exec", "configMap": {"name": "spark-exec-conf-map"}}),
        json!({"name": "spark-local-dir-1", "persistentVolumeClaim": {"claimName": "bi-exec-1-pvc-0"}}),
    ];
    spec["volumes"].as_array_mut().unwrap().extend(more);
    let container = &mut spec["containers"][0];
    container["args"] = json!(["executor"]);
    container["ports"] =
        json!([{"name": "blockmanager", "containerPort": 7079, "protocol": "TCP"}]);
    container["resources"] = json!({"requests": {"cpu": "20m", "memory": "1Gi"}, "limits": {"cpu": "20m", "memory": "1Gi"}});
    container["env"].as_array_mut().unwrap().push(json!({"name": "SPARK_EXECUTOR_POD_IP",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}));
    pod
}

/// What a driver could try: changes of a pod, as (what, pointer, value, parts of the refusal).
fn tries() -> Vec<(&'static str, &'static str, Value, Vec<&'static str>)> {
    let volume = |source: Value| {
        let mut volume = json!({"name": "more"});
        volume.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        volume
    };
    let no_image = vec!["evil.example.com/x:1 is not allowed", "registry.example.com/data/*"];
    let no_secret = vec!["Secret theirs is not one", "driver bi-sql-0", "allowed: pg, s3"];
    vec![
        (
            "another image",
            "/spec/containers/0/image",
            json!("evil.example.com/x:1"),
            no_image.clone(),
        ),
        (
            "another image in an init container",
            "/spec/initContainers",
            json!([{"name": "i", "image": "evil.example.com/x:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]),
            no_image.clone(),
        ),
        (
            "another image in a volume",
            "/spec/volumes/-",
            volume(json!({"image": {"reference": "evil.example.com/x:1"}})),
            no_image,
        ),
        (
            "a Secret in a variable",
            "/spec/containers/0/env/-",
            json!({"name": "X", "valueFrom": {"secretKeyRef": {"name": "theirs", "key": "k"}}}),
            no_secret.clone(),
        ),
        (
            "all of a Secret",
            "/spec/containers/0/envFrom",
            json!([{"secretRef": {"name": "theirs"}}]),
            no_secret.clone(),
        ),
        (
            "a Secret as volume",
            "/spec/volumes/-",
            volume(json!({"secret": {"secretName": "theirs"}})),
            no_secret.clone(),
        ),
        (
            "a Secret in a projection",
            "/spec/volumes/-",
            volume(json!({"projected": {"sources": [{"secret": {"name": "theirs"}}]}})),
            no_secret,
        ),
        (
            "a token for somebody else",
            "/spec/volumes/-",
            volume(
                json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}}),
            ),
            vec!["volume more is of a type that is not allowed"],
        ),
        (
            "a secret of a store",
            "/spec/volumes/-",
            volume(json!({"csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true,
                "volumeAttributes": {"secretProviderClass": "theirs"}}})),
            vec!["Secret theirs is not one"],
        ),
        (
            "a driver of volumes",
            "/spec/volumes/-",
            volume(json!({"csi": {"driver": "csi.example.com"}})),
            vec!["volume more is of a type that is not allowed"],
        ),
        (
            "a volume of another class",
            "/spec/volumes/-",
            volume(
                json!({"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "standard",
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}),
            ),
            vec!["volume more has a storage class", "allowed: fast"],
        ),
        (
            "the default account",
            "/spec/serviceAccountName",
            json!("default"),
            vec!["default is not an account", "allowed: spark, spark-driver"],
        ),
        ("a node", "/spec/nodeName", json!("node-0"), vec!["spec.nodeName"]),
        ("another scheduler", "/spec/schedulerName", json!("mine"), vec!["spec.schedulerName"]),
        (
            "more tolerations",
            "/spec/tolerations/-",
            json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}),
            vec!["toleration of node-role.kubernetes.io/control-plane", "io|Exists||NoSchedule"],
        ),
        (
            "a toleration of all",
            "/spec/tolerations/-",
            json!({"operator": "Exists"}),
            vec!["toleration of (all)"],
        ),
        (
            "the system's priority",
            "/spec/priorityClassName",
            json!("system-node-critical"),
            vec!["priority class system-node-critical is not allowed"],
        ),
        (
            "the labels of a driver",
            "/metadata/labels/app.kubernetes.io~1component",
            json!("driver"),
            vec!["label app.kubernetes.io/component"],
        ),
        (
            "the label of what Polder made",
            "/metadata/labels/app.kubernetes.io~1managed-by",
            json!("polder"),
            vec!["is for objects that Polder makes"],
        ),
    ]
}

/// Sets what a pointer leads to; `-` is the end of a list.
fn set(object: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}?"));
    if key == "-" {
        parent.as_array_mut().unwrap().push(value);
    } else {
        parent[key.as_str()] = value;
    }
}

/// A domain with an endpoint whose driver runs: its template of executors, its uid.
async fn endpoint(name: &str) -> (Tenant, String, String) {
    let tenant = Tenant::new(name).await;
    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", name).await;
    tenant.apply(ENDPOINT).await;
    let driver = tenant.until("Pod", "bi-sql-0", "to be there", |_| true).await;
    let config = tenant.until("ConfigMap", "bi-sql-config", "to be there", |_| true).await;
    let wanted = "to name the Secrets of the driver";
    tenant
        .until("Namespace", name, wanted, |namespace| {
            namespace["metadata"]["annotations"]["polder.dev/driver-secrets"]
                == "bi-sql-[0-9]+=pg,s3"
        })
        .await;
    let template = config["data"]["executor-pod.json"].as_str().unwrap().to_owned();
    (tenant, template, driver["metadata"]["uid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_driver_makes_executors_and_nothing_else() {
    let (tenant, template, uid) = endpoint("v-drivers").await;
    let driver = Asker::driver("v-drivers", "bi-sql-0", &uid).await;
    let pod = executor(&template, "bi-sql-0", &uid);
    let dry = async |who: &Asker, pod: &Value| {
        who.send("POST", "Pod", "", "?dryRun=All", Some(pod)).await
    };
    // Policies see the Namespace through a cache of the API server, a moment later than we do.
    eventually(PATIENCE, async || dry(&driver, &pod).await.ok()).await;
    accepted("an executor", dry(&driver, &pod).await);
    for (what, pointer, value, says) in tries() {
        let mut changed = pod.clone();
        set(&mut changed, pointer, value);
        refused(what, &dry(&driver, &changed).await, &says);
    }
    // Pod Security says no to these before or after us.
    for (what, pointer, value) in [
        ("the node's network", "/spec/hostNetwork", json!(true)),
        (
            "a folder of the node",
            "/spec/volumes/-",
            json!({"name": "more", "hostPath": {"path": "/"}}),
        ),
        ("the processes of the node", "/spec/hostPID", json!(true)),
    ] {
        let mut changed = pod.clone();
        set(&mut changed, pointer, value);
        let refusal = dry(&driver, &changed).await.expect_err(what);
        assert!(refusal.contains("forbidden"), "{what}: {refusal}");
    }
    let volume = json!({"name": "more", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast",
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}});
    let mut more = pod.clone();
    set(&mut more, "/spec/volumes/-", volume);
    accepted("a volume of the domain's class", dry(&driver, &more).await);

    // Another driver does not get this one's Secrets, and neither does the administrator.
    let other = Asker::driver("v-drivers", "load-0a1b2c3d-1-abcde", "other").await;
    refused("another driver", &dry(&other, &pod).await, &["driver load-0a1b2c3d-1-abcde"]);
    let admin = Asker::admin("v-drivers").await;
    refused("the administrator", &dry(&admin, &pod).await, &["this requester"]);

    // Changes afterwards.
    accepted("for real", driver.create("Pod", &pod).await);
    let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debugger", "image": "evil.example.com/x:1",
        "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"}}}]}});
    let answer = admin.patch("Pod", "bi-exec-1", "/ephemeralcontainers", &debugger).await;
    refused("an ephemeral container", &answer, &["evil.example.com/x:1 is not allowed"]);
    let live = driver.get("Pod", "bi-exec-1").await.unwrap();
    let mut image = json!({"spec": {"containers": live["spec"]["containers"]}});
    image["spec"]["containers"][0]["image"] = json!("evil.example.com/x:1");
    let answer = driver.patch("Pod", "bi-exec-1", "", &image).await;
    refused("another image afterwards", &answer, &["evil.example.com/x:1 is not allowed"]);
    let label = json!({"metadata": {"labels": {"spark-exec-inactive": "true"}}});
    accepted("a label of Spark's", driver.patch("Pod", "bi-exec-1", "", &label).await);
    let disguise = json!({"metadata": {"labels": {"app.kubernetes.io/component": "driver"}}});
    refused(
        "a disguise",
        &driver.patch("Pod", "bi-exec-1", "", &disguise).await,
        &["label app.kubernetes.io/component"],
    );

    refused(
        "the end by another",
        &other.delete("Pod", "bi-exec-1").await,
        &["belongs to another workload"],
    );
    refused(
        "the end of a driver",
        &driver.delete("Pod", "bi-sql-0").await,
        &["belongs to another workload"],
    );
    accepted("the end by its driver", driver.delete("Pod", "bi-exec-1").await);
    tenant.end();
}

#[tokio::test]
async fn a_driver_claims_volumes_of_the_domains_classes() {
    let (tenant, _, uid) = endpoint("v-claims").await;
    let driver = Asker::driver("v-claims", "bi-sql-0", &uid).await;
    let claim = |class: Value, more: Value| {
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "bi-exec-1-pvc-0", "labels": {"spark-app-selector": "spark-1"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "bi-sql-0", "uid": uid, "controller": true}]},
            "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}});
        claim["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claim
    };
    let create = async |object: Value| driver.create("PersistentVolumeClaim", &object).await;
    refused(
        "another class",
        &create(claim(json!("standard"), json!({}))).await,
        &["storage class standard", "allowed: fast"],
    );
    refused("no class", &create(claim(json!(""), json!({}))).await, &["allowed: fast"]);
    let certain = claim(json!("fast"), json!({"volumeName": "pv-of-others"}));
    refused("a certain volume", &create(certain).await, &["spec.volumeName"]);
    accepted("of the domain", create(claim(json!("fast"), json!({}))).await);
    let other = Asker::driver("v-claims", "load-0a1b2c3d-1-abcde", "other").await;
    let gone = other.delete("PersistentVolumeClaim", "bi-exec-1-pvc-0").await;
    refused("the end by another", &gone, &["belongs to another workload"]);
    accepted(
        "the end by its driver",
        driver.delete("PersistentVolumeClaim", "bi-exec-1-pvc-0").await,
    );

    // What Spark does at its end: all of its own by label, and nothing of the operator's.
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "spark-exec-1",
        "labels": {"spark-app-selector": "spark-1"}}, "data": {}});
    accepted("its configuration", driver.create("ConfigMap", &map).await);
    let own =
        driver.send("DELETE", "ConfigMap", "", "?labelSelector=spark-app-selector%3Dspark-1", None);
    accepted("its own, by label", own.await);
    let all = driver.send("DELETE", "ConfigMap", "", "", None).await;
    refused("everything", &all, &["configmaps "]);
    assert!(tenant.get("ConfigMap", "bi-sql-config").await.is_some());
    tenant.end();
}
