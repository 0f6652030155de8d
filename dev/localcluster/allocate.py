"""Ports and address ranges that nobody else on the machine uses.

Call under the machine lock, and store the result in the cluster's state before
the lock is given back.
"""

import hashlib
import ipaddress
import json
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from .errors import Failure

PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

# Below the range from which the kernel hands out ports to clients (32768 on).
_FIRST_PORT = 20_000
_BLOCK = 10
_BLOCKS = 1_000
_SLOTS = 32


@dataclass(frozen=True)
class Network:
    """The addresses of one real node. All follow from the slot."""

    slot: int

    @property
    def interface(self) -> str:
        """The host's end of the pair of interfaces."""
        return f"polder{self.slot}"

    @property
    def link(self) -> IPv4Network:
        """The link between the host and the node."""
        return IPv4Network((f"10.250.{self.slot}.0", 30))

    @property
    def host(self) -> IPv4Address:
        """The host's address on the link, where the API server listens."""
        return self.link[1]

    @property
    def node(self) -> IPv4Address:
        """The node's address on the link: its InternalIP."""
        return self.link[2]

    @property
    def pods(self) -> IPv4Network:
        """The range of pod addresses."""
        return IPv4Network((f"10.244.{self.slot}.0", 24))

    @property
    def services(self) -> IPv4Network:
        """The range of cluster IPs."""
        return IPv4Network((f"10.96.{8 * self.slot}.0", 21))

    @property
    def dns(self) -> IPv4Address:
        """The cluster IP of the DNS service: 10.96.0.10 in the first cluster."""
        return self.services[10]


def ports(root: Path, taken: Iterable[int]) -> dict[str, int]:
    """A block of free ports that no other cluster has claimed.

    Where the search starts follows from the cluster's folder, so that two
    checkouts that start at the same time do not look at the same block.
    """
    claimed = set(taken)
    start = int.from_bytes(hashlib.sha256(str(root).encode()).digest()[:4], "big")
    for offset in range(_BLOCKS):
        first = _FIRST_PORT + (start + offset) % _BLOCKS * _BLOCK
        block = range(first, first + len(PORTS))
        if claimed.isdisjoint(block) and all(_is_free(port) for port in block):
            return dict(zip(PORTS, block, strict=True))
    raise Failure("there is no free block of ports between 20000 and 30000")


def network(taken: Iterable[int]) -> Network:
    """Address ranges that no route of the machine overlaps."""
    claimed = set(taken)
    routes = _routes()
    for slot in range(_SLOTS):
        candidate = Network(slot)
        mine = (candidate.link, candidate.pods, candidate.services)
        if slot in claimed or Path(f"/sys/class/net/{candidate.interface}").exists():
            continue
        if not any(route.overlaps(network) for route in routes for network in mine):
            return candidate
    raise Failure(
        "no address range is free for another real node",
        todo="stop other clusters (`dev/cluster status`), or see `ip route`",
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def _routes() -> list[IPv4Network]:
    output = subprocess.run(["ip", "-json", "-4", "route", "show", "table", "all"],
                            check=True, capture_output=True, text=True).stdout
    found = []
    for route in json.loads(output or "[]"):
        try:
            network = ipaddress.IPv4Network(route["dst"])
        except ValueError:
            continue  # "default"
        if network.prefixlen:
            found.append(network)
    return found
