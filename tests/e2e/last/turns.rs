//! Pods that take turns, in a domain of their own.

use serde_json::Value;

use crate::cluster::{apply_in, get_in, kubectl, ready, wait};

/// A cluster whose workers have a Secret as files.
const ROTOR: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: signing}
stringData: {key: first}
---
apiVersion: polder.dev/v1alpha1
kind: SparkCluster
metadata: {name: rotor}
spec:
  master:
    resources: {cpu: 50m, cpuLimit: "1", memory: 512Mi}
    storage: {size: 1Gi, class: standard}
  workers:
  - name: pair
    replicas: 2
    resources: {cpu: 50m, cpuLimit: "1", memory: 1536Mi}
    volumes: [{name: disk1, size: 1Gi, class: standard}]
  mounts: [{path: /keys, secret: signing}]
"#;

#[test]
fn workers_take_turns_when_a_secret_of_theirs_is_rotated() {
    let domain = "{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: rotor}, spec: {deletionPolicy: Delete}}";
    apply_in("default", domain);
    wait("domain rotor to be ready", || {
        (ready(&get_in("rotor", "domain", "rotor")?)["status"] == "True").then_some(())
    });
    apply_in("rotor", ROTOR);
    let serves = || {
        let cluster = get_in("rotor", "sparkcluster", "rotor")?;
        (ready(&cluster)["status"] == "True").then_some(())
    };
    wait("the cluster to serve", serves);
    let rotated = r#"{"stringData": {"key": "second"}}"#;
    kubectl(&["patch", "secret", "signing", "-n", "rotor", "--type", "merge", "-p", rotated]);

    let container = |pod: &str| {
        let status = get_in("rotor", "pod", pod)?["status"]["containerStatuses"][0].clone();
        (status["restartCount"] == 1 && status["ready"] == true).then_some(status)
    };
    let workers = ["rotor-worker-pair-0", "rotor-worker-pair-1"];
    let [first, second] = workers.map(|pod| wait(&format!("{pod} to be back"), || container(pod)));
    for status in [&first, &second] {
        let said = status["lastState"]["terminated"]["message"].as_str().unwrap_or_default();
        assert!(said.starts_with("SecretChanged: "), "{status:#}");
    }
    // RFC 3339 in UTC, to the second: the order of the texts is that of the times.
    let of =
        |status: &Value, path: &str| status.pointer(path).unwrap().as_str().unwrap().to_owned();
    let times = |status: &Value| {
        (of(status, "/lastState/terminated/finishedAt"), of(status, "/state/running/startedAt"))
    };
    let ((left, back), (other_left, other_back)) = (times(&first), times(&second));
    assert!(back <= other_left || other_back <= left, "both at once: {first:#}\n{second:#}");
    wait("the cluster to serve again", serves);
    for pod in workers {
        let read = ["exec", "-n", "rotor", pod, "--", "cat", "/keys/key"];
        assert_eq!(kubectl(&read).trim(), "second");
    }
    kubectl(&["delete", "domain", "rotor", "--wait=false"]);
}
