"""Where everything lies: the repository, the cache of programs, the clusters' folders."""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import Failure

DEV = Path(__file__).resolve().parent.parent
MANIFESTS = DEV / "manifests"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


def cache_home() -> Path:
    """The folder of what can be built again; shared by all checkouts."""
    if given := os.environ.get("POLDER_CACHE"):
        return Path(given).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "polder"


def dev_home() -> Path:
    """The folder of what runs: one per checkout, unless POLDER_DEV_HOME says otherwise."""
    return Path(os.environ.get("POLDER_DEV_HOME") or DEV.parent / ".dev").absolute()


def clusters_home() -> Path:
    """The folder with one folder per cluster."""
    return dev_home() / "clusters"


@dataclass(frozen=True)
class ClusterPaths:
    """The folder of one cluster. Everything a cluster writes lies in it."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Failure(
                f"{self.name!r} cannot be the name of a cluster",
                todo="use at most 24 lower-case letters, digits and dashes",
            )

    @property
    def root(self) -> Path:
        """The cluster's folder."""
        return clusters_home() / self.name

    @property
    def state(self) -> Path:
        """What the cluster was started as."""
        return self.root / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.root / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Links to the pinned programs, for PATH."""
        return self.root / "bin"

    @property
    def pids(self) -> Path:
        """One record per process."""
        return self.root / "pids"

    @property
    def logs(self) -> Path:
        """The logs of all components, the audit log, and a real node's pods."""
        return self.root / "logs"

    @property
    def audit_log(self) -> Path:
        """Every request to the API server, one JSON object per line."""
        return self.logs / "audit.log"

    @property
    def certs(self) -> Path:
        """Keys and certificates."""
        return self.root / "certs"

    @property
    def config(self) -> Path:
        """Generated configuration files of the components."""
        return self.root / "config"

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def node(self) -> Path:
        """What containerd and the kubelet of a real node keep."""
        return self.root / "node"

    @property
    def volumes(self) -> Path:
        """The directories behind the PersistentVolumes."""
        return self.root / "volumes"

    def log(self, component: str) -> Path:
        """The output of one component."""
        return self.logs / f"{component}.log"

    def make(self) -> None:
        """Makes the folders; keys lie in them, so they are the owner's alone.

        `root` and `volumes` may be passed through, because a pod's process
        gets to its volume by that way when it is not root.
        """
        for folder in (self.pids, self.logs, self.certs, self.config, self.etcd, self.bin):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.pids, self.certs, self.config, self.etcd):
            folder.chmod(0o700)
        self.volumes.mkdir(exist_ok=True)
        self.volumes.chmod(0o711)


def known_clusters() -> list[str]:
    """The names of the clusters that have a folder."""
    if not clusters_home().is_dir():
        return []
    return sorted(p.name for p in clusters_home().iterdir() if p.is_dir() and _NAME.fullmatch(p.name))


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds a file lock: freed by the kernel when the holder dies.

    The holder may remove the file: whoever waited for it then starts over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_same(file.fileno(), path):
                yield
                return


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def cluster_lock(name: str) -> Path:
    """The lock under which a cluster is started or stopped."""
    return clusters_home() / f".{name}.lock"


def machine_lock(what: str = "addresses") -> Path:
    """The lock for what all checkouts share: by default, the choice of addresses."""
    return Path(tempfile.gettempdir()) / f"polder-dev-{os.getuid()}-{what}.lock"
