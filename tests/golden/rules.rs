//! What holds for every child of every root, whatever its spec says.

use polder::engine::digest::normalise;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    examples,
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, JOB, SCHEDULED, WAREHOUSE},
    render::{World, documents},
};

/// Objects that say something by being empty: `emptyDir: {}`, `podSelector: {}`.
const MEANT_EMPTY: [&str; 2] = ["emptyDir", "podSelector"];

/// More than the examples show.
const MORE: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: SqlEndpoint
metadata: {name: on-cluster}
spec:
  driver: {resources: {cpu: "1", memory: 2Gi}}
  clusterRef: {name: etl, executorMemory: 512Mi}
  protocols: {thrift: {enabled: false}}
---
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: full}
spec:
  retries: 2
  timeout: 1h
  spark:
    main: {jar: "local:///opt/jobs/a.jar", class: Main}
    args: [--date, today]
    driver: {resources: {cpu: 500m, cpuLimit: "1", memory: 1Gi}, nodePool: nowhere}
    executors:
      dynamic: {min: 0, max: 5}
      resources: {cpu: "1", memory: 2Gi}
      nodePool: nowhere
      volumes: [{name: disk1, size: 1Gi, class: fast}, {name: disk2, size: 1Gi}]
    env: [{name: A, value: a}, {name: B, secret: {name: s, key: k}}, {name: C, configMap: {name: c, key: k}}]
    mounts: [{path: /input, configMap: c}, {path: /keys, secret: s}, {path: /vault, secret: files}, {path: /share, claim: share}]
    dependencies: {jars: ["s3a://b/a.jar"], pyFiles: ["s3a://b/a.zip"], files: ["s3a://b/a.txt"]}
    sparkConf: {spark.sql.shuffle.partitions: "9"}
---
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: mounted}
spec:
  schedule: {cron: "@daily"}
  container:
    image: registry.example.com/dbt:1
    resources: {cpu: 100m, memory: 256Mi}
    mounts: [{path: /input, configMap: c}, {path: /keys, secret: s}, {path: /share, claim: share}]
---
apiVersion: polder.dev/v1alpha1
kind: SparkCluster
metadata: {name: still}
spec:
  suspend: true
  master: {resources: {cpu: 100m, memory: 1Gi}, storage: {size: 1Gi}, nodePool: nowhere}
  workers: [{name: a, replicas: 2, resources: {cpu: "1", memory: 2Gi}, nodePool: nowhere}, {name: b, replicas: 0, resources: {cpu: "1", memory: 2Gi}}]
"#;

/// Secrets of the domain, from everywhere.
const SECRETS: &str = r#"
  secrets:
  - {name: s, external: {store: {name: vault}, keys: {k: "data/s#k"}}}
  - {name: files, vault: {role: rules, keys: {k: "secret/data/s#k"}}}
"#;

/// Every child of the examples and of the manifests here, as (whose, object).
fn all() -> Vec<(String, Value)> {
    let domain = format!("{DOMAIN}{WAREHOUSE}{SECRETS}");
    let here = [domain.as_str(), CLUSTER, ENDPOINT, JOB, SCHEDULED, HELD, MORE].join("\n---\n");
    let here: Vec<Value> = documents(&here.replace("NAME", "rules"))
        .into_iter()
        .map(|mut root| {
            if root["kind"] != "Domain" {
                root["metadata"]["namespace"] = json!("rules");
            }
            root
        })
        .collect();
    let mut found = Vec::new();
    for (example, roots) in examples().into_iter().chain([("rules".to_owned(), here)]) {
        let world = World::new(&roots);
        for root in &roots {
            for child in world.children(root) {
                let whose = format!("{example} {} {}", root["metadata"]["name"], child.key());
                found.push((whose, normalise(child.object)));
            }
        }
    }
    assert!(found.len() > 60, "{} children", found.len());
    found
}

/// Pod templates of the children: of sets and jobs, and of the executors that drivers make.
fn pods() -> Vec<(String, Value)> {
    let mut pods = Vec::new();
    for (whose, object) in all() {
        for path in ["/spec/template", "/spec/jobTemplate/spec/template"] {
            pods.extend(object.pointer(path).map(|pod| (whose.clone(), pod.clone())));
        }
        if let Some(text) = object["data"]["executor-pod.json"].as_str() {
            pods.push((format!("{whose} executor"), serde_json::from_str(text).unwrap()));
        }
    }
    assert!(pods.len() > 15, "{} pods", pods.len());
    pods
}

fn containers(pod: &Value) -> Vec<&Value> {
    ["initContainers", "containers"]
        .iter()
        .flat_map(|list| pod["spec"][list].as_array().into_iter().flatten())
        .collect()
}

#[test]
fn nothing_empty_is_sent() {
    fn walk(whose: &str, path: &str, value: &Value) {
        let key = path.rsplit('.').next().unwrap_or_default();
        match value {
            Value::Null => panic!("{whose}: {path} is null"),
            Value::Array(items) => {
                assert!(!items.is_empty(), "{whose}: {path} is an empty list");
                for item in items {
                    walk(whose, path, item);
                }
            }
            Value::Object(fields) => {
                let is_meant = MEANT_EMPTY.contains(&key);
                assert!(is_meant || !fields.is_empty(), "{whose}: {path} is an empty object");
                for (key, value) in fields {
                    walk(whose, &format!("{path}.{key}"), value);
                }
            }
            _ => {}
        }
    }
    for (whose, object) in all() {
        walk(&whose, "", &object);
    }
}

#[test]
fn every_child_carries_the_labels_that_its_watch_asks_for() {
    for (whose, object) in all() {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "polder", "{whose}");
        assert!(labels["polder.dev/domain"].is_string(), "{whose}");
    }
}

/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>
#[test]
fn every_pod_is_restricted() {
    for (whose, pod) in pods() {
        let spec = &pod["spec"];
        let of_pod = &spec["securityContext"];
        for forbidden in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
            assert!(spec[forbidden].is_null(), "{whose}: {forbidden}");
        }
        for container in containers(&pod) {
            let own = &container["securityContext"];
            let either =
                |field: &str| if own[field].is_null() { &of_pod[field] } else { &own[field] };
            assert_eq!(either("runAsNonRoot"), true, "{whose}");
            assert_ne!(either("runAsUser"), 0, "{whose}");
            assert_eq!(either("seccompProfile")["type"], "RuntimeDefault", "{whose}");
            assert_eq!(own["allowPrivilegeEscalation"], false, "{whose}");
            assert_eq!(own["capabilities"], json!({"drop": ["ALL"]}), "{whose}");
            assert!(own["privileged"].is_null(), "{whose}");
        }
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            let allowed = [
                "configMap",
                "csi",
                "secret",
                "emptyDir",
                "persistentVolumeClaim",
                "projected",
                "downwardAPI",
                "ephemeral",
            ];
            let is_allowed = |key: &String| key == "name" || allowed.contains(&key.as_str());
            assert!(volume.as_object().unwrap().keys().all(is_allowed), "{whose}: {volume:#}");
        }
    }
}

#[test]
fn every_container_is_bounded() {
    for (whose, pod) in pods().into_iter().filter(|(whose, _)| !whose.ends_with("executor")) {
        for container in containers(&pod) {
            for bound in ["requests", "limits"] {
                for resource in ["cpu", "memory"] {
                    let is_set = container["resources"][bound][resource].is_string();
                    assert!(is_set, "{whose}: {} has no {bound}.{resource}", container["name"]);
                }
            }
            let memory = |bound: &str| &container["resources"][bound]["memory"];
            assert_eq!(memory("requests"), memory("limits"), "{whose}");
        }
    }
}

#[test]
fn every_pod_keeps_to_itself() {
    for (whose, pod) in pods() {
        let spec = &pod["spec"];
        assert_eq!(spec["enableServiceLinks"], false, "{whose}");
        assert!(
            spec["automountServiceAccountToken"].is_boolean(),
            "{whose}: says nothing of tokens"
        );
        for container in containers(&pod) {
            let image = container["image"].as_str();
            assert!(image.is_none_or(|image| image.contains('/')), "{whose}: {image:?}");
            assert_ne!(container["imagePullPolicy"], "Always", "{whose}");
        }
    }
}

#[rstest]
#[case("startupProbe")]
#[case("readinessProbe")]
#[case("livenessProbe")]
fn every_service_is_probed(#[case] probe: &str) {
    for (whose, object) in all().iter().filter(|(_, object)| object["kind"] == "StatefulSet") {
        for container in
            object.pointer("/spec/template/spec/containers").unwrap().as_array().unwrap()
        {
            assert!(container[probe].is_object(), "{whose}: {} has no {probe}", container["name"]);
        }
    }
}

#[test]
fn plans_are_the_same_every_time() {
    let (one, other) = (all(), all());
    for (first, second) in one.iter().zip(&other) {
        assert_eq!(first, second);
    }
}
