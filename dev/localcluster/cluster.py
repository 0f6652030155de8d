"""up, down and status: the order in which the parts of a cluster come and go."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from . import allocate, build, certs, kubeconfig, simulated, ui
from .components import ALL, NEEDED
from .controlplane import ControlPlane
from .errors import Failure
from .node import realnode
from .paths import ClusterPaths, cluster_lock, lock, machine_lock
from .processes import marked, recorded, stop
from .state import State, load, others
from .storage import start_storage


def up(name: str, node: str, *, nodes: int, keep: bool) -> None:
    """Starts a cluster and waits until it is ready; says so if it already runs."""
    paths = ClusterPaths(name)
    start = time.monotonic()
    with lock(cluster_lock(name)):
        if _already_up(paths, node):
            ui.say(f"Cluster {name} is already up ({time.monotonic() - start:.1f} s).")
            return
        if node == "real":
            realnode.check_possible()
        programs = build.ensure(NEEDED[node])
        ui.say(f"Starting cluster {name} with {'a real node' if node == 'real' else 'simulated nodes'}:")
        _remove(paths)
        try:
            _start(paths, node, nodes if node == "simulated" else 1, programs)
        except BaseException:
            if keep:
                ui.say(f"What was started still runs, as asked: stop it with `dev/cluster down {name}`.")
            else:
                with _uninterrupted(), ui.step("stop what was started"):
                    _stop(paths)
                    _remove(paths, keep_logs=True)
            raise
    ui.say(f"Cluster {name} is up ({time.monotonic() - start:.1f} s). To use it:")
    ui.say(f'  eval "$(dev/cluster env {name})"')
    if node == "simulated":
        ui.say(simulated.CANNOT_SHOW)


def down(name: str, *, keep_logs: bool = False) -> None:
    """Stops whatever runs of a cluster, however far it got, and removes its folder."""
    paths = ClusterPaths(name)
    with lock(cluster_lock(name)):
        if paths.root.exists() or marked(paths):
            with _uninterrupted(), ui.step(f"stop cluster {name}"):
                _stop(paths)
                _remove(paths, keep_logs=keep_logs)
        else:
            ui.say(f"Cluster {name} does not run.")
        cluster_lock(name).unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignores Ctrl-C and a polite kill: tidying up takes two seconds, and must not stop halfway."""
    saved = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)


def healthy(paths: ClusterPaths) -> State | None:
    """The state of a cluster that is up and answers."""
    state = load(paths)
    if state is None or not state.ready:
        return None
    if not all(process.alive() for process in recorded(paths)):
        return None
    plane = ControlPlane(paths, state, {})
    return state if plane.api.ready() and simulated.all_ready(plane) else None


def _already_up(paths: ClusterPaths, node: str) -> bool:
    state = load(paths)
    if state is None or not state.ready:
        return False
    if healthy(paths):
        if state.node != node:
            raise Failure(
                f"cluster {paths.name} already runs, with a {state.node} node",
                todo=f"choose another name, or stop it: dev/cluster down {paths.name}",
            )
        return True
    ui.say(f"Cluster {paths.name} is only half there: starting it afresh.")
    with ui.step("stop what is left of it"):
        _stop(paths)
    return False


def _start(paths: ClusterPaths, node: str, nodes: int, programs: dict[str, Path]) -> None:
    paths.make()
    with lock(machine_lock()):
        taken = others(paths.name)
        state = State(
            name=paths.name, node=node, nodes=nodes,
            ports=allocate.ports(paths.root, (port for s in taken for port in s.ports.values())),
        )
        if node == "real":
            state.slot = allocate.network(s.slot for s in taken if s.slot is not None).slot
        state.save(paths)
        host = realnode.Node(paths, state, programs) if node == "real" else None
        if host:
            with ui.step("make the node's namespaces and network"):
                host.make()

    with ui.step("make certificates"):
        _make_certificates(paths, state)
    _link_programs(paths, programs)
    plane = ControlPlane(paths, state, programs)
    if host:
        host.start_containerd()
    with ui.step("start etcd and the API server"):
        plane.start_api_server()
    with ui.step("start the controllers, the scheduler and the storage provisioner"):
        plane.start_controllers()
        plane.processes.append(start_storage(plane))
        if host is None:
            plane.processes.append(simulated.start_nodes(plane))
        else:
            host.start_kubelet(plane)
        plane.wait_for_controllers()
    with ui.step("wait for the nodes"):
        if host is None:
            simulated.wait_for_nodes(plane)
        else:
            host.wait_for_ready(plane)
    state.ready = True
    state.save(paths)


def _make_certificates(paths: ClusterPaths, state: State) -> None:
    service = str(IPv4Network(state.services)[1])
    identities = certs.control_plane({state.host, "127.0.0.1"}, service)
    if state.node == "real":
        identities += realnode.identities(state)
    else:
        identities.append(certs.Identity("kwok", "system:dev:kwok", (certs.MASTERS,)))
    certs.make_authority(paths.certs)
    certs.issue(paths.certs, identities)
    kubeconfig.write(paths.kubeconfig, cluster=paths.name, server=state.server,
                     certs=paths.certs, identity="admin")


def _link_programs(paths: ClusterPaths, programs: dict[str, Path]) -> None:
    """Makes the folder for PATH: what runs, and helm if it is built already."""
    wanted = dict(programs)
    for component in ALL:
        for name in component.programs:
            if name not in wanted and (component.folder / name).exists():
                wanted[name] = component.folder / name
    for name, program in wanted.items():
        link = paths.bin / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)


def _stop(paths: ClusterPaths) -> None:
    """Stops everything that runs of a cluster, whether or not it was recorded."""
    state = load(paths)
    stop(recorded(paths))
    stop(marked(paths))
    if state is not None and state.slot is not None:
        realnode.Node(paths, state, {}).remove()


def _remove(paths: ClusterPaths, *, keep_logs: bool = False) -> None:
    """Removes the folder of a cluster that is stopped."""
    if not paths.root.exists():
        return
    if not keep_logs:
        shutil.rmtree(paths.root)
        return
    for entry in paths.root.iterdir():
        if entry == paths.logs:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
