"""Simulated nodes: kwok says of them, and of their pods, what a kubelet would."""

from typing import Any

from .api import condition, wait_until
from .controlplane import ControlPlane
from .kubectl import apply_objects
from .paths import MANIFESTS
from .processes import Process, start

CANNOT_SHOW = (
    "No container runs on a simulated node: pods are marked ready and complete. "
    "So no Spark computes, and there are no logs, exec, probes, DNS, images, limits, "
    "or files in volumes. `--node real` shows those."
)

_CAPACITY = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "500Gi", "pods": "500"}


def start_nodes(plane: ControlPlane) -> Process:
    """Starts kwok and makes the nodes."""
    stages = [MANIFESTS / "simulated-nodes.yaml", MANIFESTS / "simulated-pods.yaml"]
    process = start(
        plane.paths, "kwok",
        [plane.programs["kwok"],
         f"--kubeconfig={plane.kubeconfig('kwok')}",
         *(f"--config={stage}" for stage in stages),
         "--manage-all-nodes=true",
         "--node-lease-duration-seconds=40",
         "--cidr=10.244.0.1/16",
         "--node-ip=10.250.0.1"],
    )
    apply_objects(plane, [_node(index) for index in range(plane.state.nodes)])
    return process


def wait_for_nodes(plane: ControlPlane) -> None:
    """Waits until every node is ready and may be scheduled to."""
    wait_until(
        "all simulated nodes are ready", lambda: all_ready(plane),
        alive=plane.check, timeout=60, log=plane.paths.log("kwok"),
    )


def all_ready(plane: ControlPlane) -> bool:
    """Whether all nodes are ready, and none has the taint of a node that is not."""
    nodes = (plane.api.get("/api/v1/nodes") or {}).get("items") or []
    ready = [n for n in nodes if condition(n, "Ready") == "True" and not n["spec"].get("taints")]
    return len(ready) == plane.state.nodes


def _node(index: int) -> dict[str, Any]:
    name = f"node-{index}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
    }
    # One node of a pool of its own, for what is to be kept off the others.
    if index == 0:
        labels["node.example.com/pool"] = "io"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"capacity": _CAPACITY, "allocatable": _CAPACITY},
    }
