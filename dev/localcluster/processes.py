"""Starts, records, verifies and stops processes.

Every process is recorded with its start time, so a pid that the kernel has
given to somebody else since is never taken for ours.
"""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import Failure
from .paths import ClusterPaths

MARK = "POLDER_DEV_CLUSTER"
"""Variable in the environment of what we start: the cluster's folder.

It finds a process that was started but not yet recorded when `up` was killed.
"""


@dataclass(frozen=True)
class Process:
    """A recorded process."""

    name: str
    pid: int
    started: int
    """Clock ticks since boot, field 22 of /proc/PID/stat."""
    boot: str

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.boot == boot_id() and start_time(self.pid) == self.started


def boot_id() -> str:
    """Changes with every boot: a start time means nothing without it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """When a process started; None when it does not run (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def start(
    paths: ClusterPaths,
    name: str,
    command: list[str | Path],
    *,
    environment: dict[str, str] | None = None,
) -> Process:
    """Starts a component in the background, its output in logs/NAME.log."""
    inherited = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "TMPDIR", "TZ")}
    path = f"{paths.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with paths.log(name).open("ab") as log:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Out of reach of the terminal's Ctrl-C: `up` decides what to stop.
            start_new_session=True,
            cwd=paths.root,
            env=inherited | {"PATH": path, MARK: str(paths.root)} | (environment or {}),
        )
    return record(paths, name, child.pid)


def record(paths: ClusterPaths, name: str, pid: int) -> Process:
    """Records a running process, so that `down` finds it."""
    started = start_time(pid)
    process = Process(name, pid, started if started is not None else -1, boot_id())
    file = paths.pids / f"{name}.json"
    file.with_suffix(".tmp").write_text(json.dumps(asdict(process)) + "\n")
    file.with_suffix(".tmp").rename(file)
    return process


def recorded(paths: ClusterPaths) -> list[Process]:
    """All processes that were started for a cluster."""
    found = []
    for file in sorted(paths.pids.glob("*.json")):
        try:
            found.append(Process(**json.loads(file.read_text())))
        except (ValueError, TypeError):
            continue  # half written: `marked` finds it
    return found


def marked(paths: ClusterPaths) -> list[Process]:
    """The processes that carry the cluster's mark, recorded or not."""
    wanted = f"{MARK}={paths.root}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            started = start_time(int(folder.name))
            if started is not None:
                found.append(Process("unrecorded", int(folder.name), started, boot_id()))
    return found


def check_alive(paths: ClusterPaths, processes: list[Process]) -> None:
    """Raises for the first process that has ended."""
    for process in processes:
        if not process.alive():
            raise Failure(
                f"{process.name} ended unexpectedly", log=paths.log(process.name),
                todo="see its log for the reason; with `up --keep-on-failure` the rest stays up to look at",
            )


def stop(processes: list[Process], patience: float = 10.0) -> None:
    """Kills processes and waits until they are gone.

    At once and without a farewell: a cluster's data is thrown away with it, and
    an orderly kube-apiserver takes as long to stop as to start.
    """
    for process in processes:
        if process.alive():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + patience
    remaining = processes
    while remaining := [process for process in remaining if process.alive()]:
        if time.monotonic() > deadline:
            names = ", ".join(f"{p.name} (pid {p.pid})" for p in remaining)
            raise Failure(f"could not kill {names}", todo="see what they wait for, and run `down` again")
        time.sleep(0.02)
    _reap()


def _reap() -> None:
    """Collects those of our children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
