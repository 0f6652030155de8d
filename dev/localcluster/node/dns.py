"""The cluster's DNS: CoreDNS as a process of the node, behind the usual service."""

from typing import Any

from ..state import State
from . import dnsprobe

USER = "system:dev:coredns"
_NAME = {"name": "kube-dns", "namespace": "kube-system"}
_PORTS = [{"name": "dns", "protocol": "UDP", "port": 53}, {"name": "dns-tcp", "protocol": "TCP", "port": 53}]


def objects(state: State) -> list[dict[str, Any]]:
    """The service, where it leads, and what CoreDNS may read.

    A real service, so that the address is taken, and is found where people and
    programs look for it.
    """
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _NAME | {"labels": {"k8s-app": "kube-dns"}},
            "spec": {"clusterIP": str(state.network.dns), "ports": _PORTS},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": _NAME | {"labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "ports": _PORTS,
            "endpoints": [{"addresses": [str(state.network.node)], "conditions": {"ready": True}}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": USER},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": ["list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                 "verbs": ["list", "watch"]},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": USER},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": USER},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
        },
    ]


def answers(state: State) -> bool:
    """Whether the service's address resolves the API server's name."""
    return dnsprobe.resolves(str(state.network.dns), "kubernetes.default.svc.cluster.local")
