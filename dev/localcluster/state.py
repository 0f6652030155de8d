"""What a cluster was started as, kept in its folder."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from .allocate import Network
from .components import KUBERNETES
from .paths import ClusterPaths, known_clusters


@dataclass
class State:
    """The choices of one `up`."""

    name: str
    node: str
    """`simulated` or `real`."""
    ports: dict[str, int]
    nodes: int = 1
    """How many nodes; always one when it is real."""
    slot: int | None = None
    """Which address ranges a real node has."""
    ready: bool = False
    """Whether `up` got to its end."""
    kubernetes: str = field(default_factory=lambda: KUBERNETES.version)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def network(self) -> Network:
        """The real node's addresses."""
        if self.slot is None:
            raise ValueError("a simulated cluster has no network")
        return Network(self.slot)

    @property
    def host(self) -> str:
        """The address where the API server listens: reachable from the node, if there is one."""
        return "127.0.0.1" if self.slot is None else str(self.network.host)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.host}:{self.ports['kube-apiserver']}"

    @property
    def services(self) -> str:
        """The range of cluster IPs."""
        return "10.96.0.0/16" if self.slot is None else str(self.network.services)

    def save(self, paths: ClusterPaths) -> None:
        """Writes the state whole or not at all."""
        temporary = paths.state.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n")
        temporary.rename(paths.state)


def load(paths: ClusterPaths) -> State | None:
    """A cluster's state; None when it was never started, or stopped early."""
    try:
        return State(**json.loads(paths.state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def others(name: str) -> list[State]:
    """The states of all other clusters of this checkout."""
    names = (known for known in known_clusters() if known != name)
    return [state for state in map(load, map(ClusterPaths, names)) if state is not None]
