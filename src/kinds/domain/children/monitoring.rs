//! What has the Prometheus Operator scrape the domain's workloads.

use serde_json::{Value, json};

use crate::{
    build::{
        labels,
        spark::metrics::{APPLICATIONS_PATH, EXECUTORS_PATH, MASTER_PATH, OWN_PATH, PORT},
        types,
    },
    engine::{Child, Served},
};

use super::super::{OperatorIdentity, Resolved, plan::rank, scope::Scope};

/// Role of the PodMonitor.
pub const MONITORING: &str = "monitoring";
/// Where each role serves what: pods of all have a port of the same name.
const ENDPOINTS: [(&str, &str); 4] = [
    ("driver|worker", OWN_PATH),
    ("driver", EXECUTORS_PATH),
    ("master", MASTER_PATH),
    ("master", APPLICATIONS_PATH),
];

/// One PodMonitor for all workloads, where it is asked for and the cluster has the type.
pub fn child(scope: &Scope<'_>, resolved: &Resolved, operator: &OperatorIdentity) -> Option<Child> {
    let is_wanted = scope.spec.is_monitored() && resolved.prometheus_operator == Served::Yes;
    is_wanted.then(|| {
        let mut metadata = scope.identity().meta(&scope.child(MONITORING), MONITORING);
        let labels = metadata.labels.get_or_insert_default();
        let ours = std::mem::take(labels);
        labels.extend(operator.prometheus.labels.clone());
        labels.extend(ours);
        let object = json!({
            "apiVersion": types::POD_MONITOR.api_version(),
            "kind": types::POD_MONITOR.kind,
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": {labels::DOMAIN: scope.name}},
                // The domain of each series, and its workload: kind, name and role.
                "podTargetLabels": [labels::DOMAIN, labels::NAME, labels::INSTANCE, labels::COMPONENT],
                "podMetricsEndpoints": ENDPOINTS.map(|(roles, path)| endpoint(roles, path)),
            },
        });
        Child::new(types::POD_MONITOR, rank::CONTENTS, &object)
    })
}

/// Source: <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMetricsEndpoint>
fn endpoint(roles: &str, path: &str) -> Value {
    json!({
        "port": PORT,
        "path": path,
        "relabelings": [{
            "action": "keep",
            "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
            "regex": roles,
        }],
    })
}
