"""A real node: containerd, kubelet, kube-proxy and CoreDNS in namespaces of their own.

The node is a process that holds a mount, a network and a process namespace, and
what is started inside. Ending that process ends the node with all its pods,
and the kernel takes back mounts, interfaces and packet filter rules.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from .. import processes, simulated
from ..api import wait_until
from ..certs import Identity
from ..controlplane import ControlPlane
from ..deps import NODE_PROGRAMS, which
from ..errors import Failure
from ..kubectl import apply_objects
from ..paths import ClusterPaths
from ..processes import Process, check_alive
from ..state import State
from . import cgroups, config, dns, images, network, pause

NAME = "node-0"
_HOLDER = "node-init"
_CNI_STATE = Path("/var/lib/cni")
"""Where nodes mount a folder of their own. Made if absent and never removed:
removing it would take the mount away from the other nodes."""
_MASKED = ("/run", "/var/run", "/var/log", "/var/lib/cni")
"""Folders that the node sees its own version of."""


def check_possible() -> None:
    """Raises, saying why, where no real node can run."""
    missing = [need for need in NODE_PROGRAMS if which(need.program) is None]
    reasons = []
    if os.geteuid() != 0:
        reasons.append("it needs root")
    if missing:
        reasons.append("it needs " + ", ".join(sorted({need.package for need in missing})))
    if reasons:
        raise Failure(
            f"no real node can run here: {' and '.join(reasons)}",
            todo="run `dev/cluster deps --node real` as root, or use what can run here, "
            f"--node simulated. {simulated.CANNOT_SHOW}",
        )


def identities(state: State) -> list[Identity]:
    """The certificates of the node's components."""
    return [
        Identity("kubelet", f"system:node:{NAME}", ("system:nodes",),
                 serves=(f"DNS:{NAME}", f"IP:{state.network.node}")),
        Identity("kube-proxy", "system:kube-proxy"),
        Identity("coredns", dns.USER),
    ]


class Node:
    """Starts and removes the one node of a cluster."""

    def __init__(self, paths: ClusterPaths, state: State, programs: dict[str, Path]) -> None:
        self.paths = paths
        self.state = state
        self.programs = programs
        self.processes: list[Process] = []

    def make(self) -> None:
        """Makes the namespaces, the control group and the network."""
        for masked in _MASKED:
            if self.paths.root.is_relative_to(masked):
                raise Failure(f"a real node cannot keep its folder under {masked}",
                              todo="set POLDER_DEV_HOME to another folder")
        for name in ("containerd", "kubelet"):
            (self.paths.node / name).mkdir(parents=True, exist_ok=True)
        _CNI_STATE.mkdir(exist_ok=True)
        cgroups.make(config.cgroup(self.paths))
        outer = processes.start(
            self.paths, "node",
            ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child",
             sys.executable, "-I", Path(__file__).with_name("holder.py"), self.paths.node],
        )
        self.processes.append(outer)
        wait_until("the node's namespaces are there", (self.paths.node / "ready").exists,
                   alive=self.check, timeout=20, log=self.paths.log("node"))
        holder = _child(outer.pid)
        self.processes.append(processes.record(self.paths, _HOLDER, holder))
        network.connect(self.state.network, holder, self.paths.root)

    def start_containerd(self) -> None:
        """Starts containerd; it needs nothing of the control plane."""
        config.write_all(self.paths, self.state)
        self._start("containerd", ["containerd", "--config", self.paths.config / "containerd.toml"])

    def start_kubelet(self, plane: ControlPlane) -> None:
        """Starts what makes the machine a node, and the cluster's DNS."""
        for identity in ("kubelet", "kube-proxy", "coredns"):
            plane.kubeconfig(identity)
        apply_objects(plane, dns.objects(self.state))
        self._start("kube-proxy", [
            self.programs["kube-proxy"],
            f"--config={self.paths.config / 'kube-proxy.json'}",
            f"--hostname-override={NAME}",
        ])
        self._start("coredns", [self.programs["coredns"], "-conf", self.paths.config / "Corefile"])
        self._load_pause()
        self._start("kubelet", [
            self.programs["kubelet"],
            f"--config={self.paths.config / 'kubelet.json'}",
            f"--kubeconfig={self.paths.config / 'kubelet.kubeconfig'}",
            "--root-dir=/run/node/kubelet",
            f"--hostname-override={NAME}",
            f"--node-ip={self.state.network.node}",
            "--node-labels=node.example.com/pool=io",
        ])

    def wait_for_ready(self, plane: ControlPlane) -> None:
        """Waits until the node takes pods and names resolve through the DNS service."""
        def alive() -> None:
            plane.check()
            self.check()

        wait_until("the node is ready", lambda: simulated.all_ready(plane),
                   alive=alive, timeout=90, log=self.paths.log("kubelet"))
        wait_until("the cluster's DNS answers", lambda: dns.answers(self.state),
                   alive=alive, timeout=30, log=self.paths.log("coredns"))

    def check(self) -> None:
        """Raises when a component has ended."""
        check_alive(self.paths, self.processes)

    def remove(self) -> None:
        """Removes what outlives the node's processes, which must be gone."""
        network.disconnect(self.state.network, self.paths.root)
        cgroups.remove(config.cgroup(self.paths))

    def _start(self, name: str, command: list[str | Path]) -> None:
        self.processes.append(processes.start(self.paths, name, [*inside(self.paths), *command]))

    def _load_pause(self) -> None:
        wait_until("containerd answers", lambda: images.containerd_answers(self.paths),
                   alive=self.check, timeout=30, log=self.paths.log("containerd"))
        archive = self.paths.node / "pause.tar"
        pause.write_archive(self.programs["pause"], archive, config.PAUSE_IMAGE)
        images.import_archive(self.paths, archive)


def inside(paths: ClusterPaths) -> list[str | Path]:
    """The start of a command line that runs inside the node."""
    for process in processes.recorded(paths):
        if process.name == _HOLDER and process.alive():
            # Not `ip netns exec`: that mounts a fresh /sys and hides /sys/fs/cgroup.
            return ["nsenter", f"--target={process.pid}", "--mount", "--net", "--pid", "--"]
    raise Failure(f"cluster {paths.name} has no real node that runs",
                  todo=f"dev/cluster up {paths.name} --node real")


def run_inside(paths: ClusterPaths, command: list[str]) -> NoReturn:
    """Becomes a command inside the node, on this terminal."""
    arguments = [str(part) for part in (*inside(paths), *command)]
    os.execvp(arguments[0], arguments)


def _child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if len(children) != 1:
        raise Failure(f"process {pid} should have one child, it has {len(children)}")
    return int(children[0])
