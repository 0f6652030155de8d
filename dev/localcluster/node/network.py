"""The link between the machine and a real node."""

import subprocess
from pathlib import Path

from ..allocate import Network
from ..errors import Failure

MTU = 1400


def connect(network: Network, holder: int, owner: Path) -> None:
    """Makes the pair of interfaces, and the machine's routes to pods and services.

    The routes let the API server call webhooks, and a person look at any pod,
    by the cluster's own addresses. They go away with the interface.
    """
    name = network.interface
    _ip("link", "add", name, "mtu", str(MTU), "type", "veth",
        "peer", "name", "eth0", "mtu", str(MTU), "netns", str(holder))
    # Whose it is, for `disconnect`.
    _ip("link", "set", name, "alias", str(owner)[-255:])
    _ip("address", "add", f"{network.host}/{network.link.prefixlen}", "dev", name)
    _ip("link", "set", name, "up")
    _run("nsenter", f"--target={holder}", "--net", "ip", "address", "add",
         f"{network.node}/{network.link.prefixlen}", "dev", "eth0")
    _run("nsenter", f"--target={holder}", "--net", "ip", "link", "set", "eth0", "up")
    for target in (network.pods, network.services):
        _ip("route", "add", str(target), "via", str(network.node), "dev", name)


def disconnect(network: Network, owner: Path) -> None:
    """Removes the machine's end, if it is still there and ours."""
    try:
        alias = Path(f"/sys/class/net/{network.interface}/ifalias").read_text().strip()
    except OSError:
        return
    if alias == str(owner)[-255:]:
        subprocess.run(["ip", "link", "delete", network.interface], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed: {result.stderr.strip()}",
                      todo="a real node needs root, and a kernel with veth and network namespaces")
