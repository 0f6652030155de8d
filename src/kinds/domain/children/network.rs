//! Who may talk to whom.
//!
//! One policy selects every pod of the namespace for both directions, and so denies whatever it
//! does not list; a second one opens the way to the API server for pods that need it.
//!
//! - **DNS**: port 53 to anywhere. Resolvers live in pods of kube-system, on the node (node-local
//!   DNS) or outside the cluster, and which it is cannot be seen from here. Naming addresses would
//!   not keep a determined tenant in anyway: the cluster's own resolver forwards any name.
//! - **Node**: connections between a pod and its node are always allowed, so probes work.
//!   Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>

use k8s_openapi::{
    api::networking::v1::{
        IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule,
        NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use crate::{
    api::domain::NetworkPeer,
    build::spark::driver::{self, NEEDS_API_SERVER},
    kinds::spark_cluster::{MASTER_UI_PORT, WORKER_UI_PORT},
};

use super::super::{
    ApiServer, Prometheus,
    scope::{API_SERVER, ISOLATION, Scope},
};

/// Label that every namespace has, with its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Nothing in or out but the domain itself, DNS, and what the spec lists; and where workloads are
/// measured, Prometheus to their web pages, which serve the metrics.
pub fn isolation(scope: &Scope<'_>, prometheus: &Prometheus) -> NetworkPolicy {
    let network = scope.spec.network.clone().unwrap_or_default();
    let inside = NetworkPolicyPeer {
        pod_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    };
    let mut ingress =
        vec![NetworkPolicyIngressRule { from: Some(vec![inside.clone()]), ports: None }];
    ingress.extend(network.allow_from.iter().map(|allowed| NetworkPolicyIngressRule {
        from: Some(vec![peer(allowed)]),
        ports: tcp(&allowed.ports),
    }));
    if scope.spec.is_monitored() {
        ingress.push(NetworkPolicyIngressRule {
            from: Some(vec![namespace(&prometheus.namespace)]),
            ports: tcp(&[driver::UI_PORT, MASTER_UI_PORT, WORKER_UI_PORT]),
        });
    }
    let mut egress = vec![
        NetworkPolicyEgressRule { to: Some(vec![inside]), ports: None },
        NetworkPolicyEgressRule { to: None, ports: Some(vec![port("UDP", 53), port("TCP", 53)]) },
    ];
    egress.extend(network.allow_to.iter().map(|allowed| NetworkPolicyEgressRule {
        to: Some(vec![peer(allowed)]),
        ports: tcp(&allowed.ports),
    }));
    NetworkPolicy {
        metadata: scope.identity().meta(&scope.child(ISOLATION), ISOLATION),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector::default()),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(ingress),
            egress: Some(egress),
        }),
    }
}

/// The way to the API server, for pods that carry [`NEEDS_API_SERVER`].
pub fn api_server(scope: &Scope<'_>, api_server: &ApiServer) -> NetworkPolicy {
    let to: Vec<NetworkPolicyPeer> = api_server.cidrs.iter().map(|cidr| range(cidr)).collect();
    let selected = [(NEEDS_API_SERVER.to_owned(), "true".to_owned())].into_iter().collect();
    NetworkPolicy {
        metadata: scope.identity().meta(&scope.child(API_SERVER), API_SERVER),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(selected),
                ..LabelSelector::default()
            }),
            policy_types: Some(vec!["Egress".to_owned()]),
            egress: Some(vec![NetworkPolicyEgressRule {
                to: (!to.is_empty()).then_some(to),
                ports: tcp(&api_server.ports),
            }]),
            ..NetworkPolicySpec::default()
        }),
    }
}

fn peer(allowed: &NetworkPeer) -> NetworkPolicyPeer {
    match (&allowed.namespace, &allowed.cidr) {
        (None, Some(cidr)) => range(cidr),
        // Without a name nothing is selected: a peer that says nothing must not mean everybody.
        (name, _) => namespace(name.as_deref().unwrap_or_default()),
    }
}

fn namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector {
            match_labels: Some([(NAMESPACE_NAME.to_owned(), name.to_owned())].into()),
            ..LabelSelector::default()
        }),
        ..NetworkPolicyPeer::default()
    }
}

fn range(cidr: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr: cidr.to_owned(), except: None }),
        ..NetworkPolicyPeer::default()
    }
}

fn tcp(ports: &[i32]) -> Option<Vec<NetworkPolicyPort>> {
    (!ports.is_empty()).then(|| ports.iter().map(|number| port("TCP", *number)).collect())
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        end_port: None,
    }
}
