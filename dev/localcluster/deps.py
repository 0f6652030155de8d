"""What the machine has to have: installed as root on Debian, spelled out elsewhere."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ui
from .errors import Failure
from .paths import lock, machine_lock


@dataclass(frozen=True)
class Need:
    """A program (or module of Python), and the Debian package that has it."""

    program: str
    package: str
    why: str

    def found(self) -> bool:
        """Whether the machine has it."""
        if self.program == "ensurepip":  # Debian keeps this module in a package of its own
            return importlib.util.find_spec(self.program) is not None
        return which(self.program) is not None


_BASE = (Need("openssl", "openssl", "the clusters' certificates"),)
NODE_PROGRAMS = (
    Need("unshare", "util-linux", "the node's namespaces"),
    Need("nsenter", "util-linux", "the node's namespaces"),
    Need("ip", "iproute2", "the node's network"),
    Need("containerd", "containerd", "runs the pods"),
    Need("runc", "runc", "runs the pods"),
    Need("/usr/lib/cni/ptp", "containernetworking-plugins", "the pods' network"),
    Need("iptables", "iptables", "kube-proxy"),
    Need("conntrack", "conntrack", "kube-proxy"),
    Need("ipset", "ipset", "kube-proxy"),
)
"""What a real node cannot start without."""
_BUILD = (
    Need("cc", "gcc", "linking the operator"),
    Need("mmdebstrap", "mmdebstrap", "building images"),
    Need("buildah", "buildah", "building images"),
    Need("mvn", "maven", "fetching jars"),
    Need("ensurepip", "python3-venv", "the Python client of the demo"),
)
_TESTS = (
    Need("promtool", "prometheus", "checking metrics and alerts, and scraping the operator"),
    Need("prometheus-alertmanager", "prometheus-alertmanager", "receiving alerts"),
    Need("git", "git", "the repositories of the GitOps tests"),
    Need("curl", "curl", "deleting old logs in the tests of shipping"),
    Need("zsh", "zsh", "the tests of completion"),
    Need("fish", "fish", "the tests of completion"),
    Need("redis-server", "redis-server", "Argo CD in the GitOps tests"),
)
_NEEDS = {"simulated": _BASE, "real": (*_BASE, *NODE_PROGRAMS, *_BUILD)}

_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# Made by dev/cluster deps while it installs packages.\nexit 101\n"


def which(program: str) -> str | None:
    """Finds a program, also where an ordinary user's PATH does not look."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def ensure(node: str, tests: bool = False) -> None:
    """`dev/cluster deps`: installs what is missing, or fails saying what to install."""
    _require_go()
    needs = (*_NEEDS[node], *(_TESTS if tests else ()))
    missing = [need for need in needs if not need.found()]
    if not missing:
        also = " and the tests need" if tests else " needs"
        ui.say(f"Everything that a cluster with a {node} node{also} is installed.")
        return
    packages = sorted({need.package for need in missing})
    for need in missing:
        ui.say(f"  missing: {need.program} (Debian package {need.package}), for {need.why}")
    if os.geteuid() != 0 or which("apt-get") is None:
        raise Failure(
            "these programs are missing, and cannot be installed "
            + ("without root" if which("apt-get") else "because this is not a Debian"),
            todo=f"run: sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(packages)}",
        )
    _install(packages)
    still = [need.program for need in missing if not need.found()]
    if still:
        raise Failure(f"{', '.join(still)} still missing after installing {' '.join(packages)}")


def _require_go() -> None:
    if which("go") is None:
        raise Failure("the Go toolchain is not in PATH",
                      todo="install Go 1.26 or newer from https://go.dev/dl/")


def _install(packages: list[str]) -> None:
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-qq"]
    with lock(machine_lock("apt")), _no_daemons():
        with ui.step("apt-get update"):
            _apt([*apt, "update"])
        with ui.step(f"apt-get install {' '.join(packages)}"):
            _apt([*apt, "install", "--yes", "--no-install-recommends", *packages])
        _disable_services(packages)


def _apt(command: list[str]) -> None:
    result = subprocess.run(command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed:\n{(result.stderr or result.stdout).strip()}",
                      todo="see whether the package mirror can be reached and the disk has room")


@contextmanager
def _no_daemons() -> Iterator[None]:
    """Forbids packages to start services while they are installed.

    Debian's packages ask policy-rc.d first; 101 means "not allowed". The
    machine's own policy is put back afterwards.
    """
    saved = _POLICY.with_name("policy-rc.d.polder-saved")
    existed = _POLICY.exists()
    if existed and not saved.exists():
        _POLICY.rename(saved)
    _POLICY.write_text(_POLICY_TEXT)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
        if saved.exists():
            saved.rename(_POLICY)


def _disable_services(packages: list[str]) -> None:
    """What was newly installed is not to start at the next boot either."""
    for service in sorted({"containerd", "redis-server"}.intersection(packages)):
        if which("systemctl"):
            subprocess.run(["systemctl", "disable", f"{service}.service"], capture_output=True, check=False)
