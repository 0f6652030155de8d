//! Every type that a data domain is made of, with the values that servers like to rewrite.

use serde_json::{Value, json};

use crate::harness::{Harness, settle};

fn pod() -> Value {
    json!({
        "metadata": {"labels": {"job": "x"}, "annotations": {}},
        "spec": {
            "restartPolicy": "Never", "serviceAccountName": "default", "nodeSelector": {},
            "tolerations": [{"key": "io", "operator": "Exists"}],
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]}}},
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"job": "x"}}}],
            "containers": [{
                "name": "main", "image": "example.com/none", "command": ["sh", "-c"], "args": ["true"],
                "env": [{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "envFrom": [],
                "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP", "name": "u"}],
                "resources": {"requests": {"cpu": "1000m", "memory": "1.5Gi"}, "limits": {"cpu": 2, "memory": "2048Mi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                "securityContext": {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": false},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "conf", "mountPath": "/conf", "subPath": "x"}],
            }],
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                {"name": "conf", "configMap": {"name": "c", "optional": true, "items": [{"key": "a", "path": "b"}]}},
                {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}},
                {"name": "work", "ephemeral": {"volumeClaimTemplate": {"spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}}}},
            ],
        },
    })
}

fn objects() -> Value {
    let pod = pod();
    json!([
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"},
            "automountServiceAccountToken": false, "imagePullSecrets": [{"name": "p"}]},
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "x"},
            "spec": {"hard": {"requests.cpu": "4000m", "pods": 200, "limits.memory": "200Gi"},
                "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["low"]}]}}},
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "x"},
            "spec": {"limits": [{"type": "Container", "default": {"cpu": "1000m"}, "max": {"cpu": 16}}]}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "x"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": []}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "x"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"},
            "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "x", "namespace": "n"}]},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
            "spec": {"podSelector": {"matchLabels": {}}, "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}, {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"job": "x"}}}},
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"},
            "spec": {"backoffLimit": 2, "suspend": true, "template": pod, "podFailurePolicy": {"rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]}}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"},
            "spec": {"schedule": "0 2 * * *", "timeZone": "Europe/Amsterdam", "suspend": true,
                "jobTemplate": {"spec": {"template": pod}}}},
    ])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs KUBECONFIG"]
async fn every_type_is_covered_by_its_first_apply() {
    let h = Harness::new("variety").await;
    let engine = h.start().await;
    let audit = h.audit();
    h.widget("w", json!({"objects": objects()})).await;
    h.reason("w", "Ok").await;
    settle().await;
    let writes = audit.writes().await;
    assert_eq!(writes.iter().filter(|w| w.ends_with("201")).count(), 11, "{writes:?}");
    let metrics = engine.metrics.render().unwrap();
    let uncovered: Vec<_> = metrics.lines().filter(|l| l.starts_with("polder_uncovered")).collect();
    assert!(uncovered.is_empty(), "{uncovered:?}");
    engine.stop().await;
    let audit = h.audit();
    let engine = h.start().await;
    settle().await;
    assert_eq!(audit.writes().await, Vec::<String>::new(), "a restart writes nothing");
    engine.stop().await;
}
