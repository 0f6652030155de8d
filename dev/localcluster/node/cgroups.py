"""The control group of a real node: the kubelet makes its pods' groups below it."""

import os
import time
from pathlib import Path

from ..errors import Failure

ROOT = Path("/sys/fs/cgroup")


def _hierarchies() -> list[Path]:
    """The roots in which the group is made: one in version 2, one per controller in version 1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [path for path in sorted(ROOT.iterdir()) if path.is_dir() and not path.is_symlink()]


def make(name: str) -> None:
    """Makes the group in every hierarchy."""
    for root in _hierarchies():
        group = root / name
        group.mkdir(exist_ok=True)
        if (root / "cgroup.controllers").exists():
            _delegate(root)
            _delegate(group)
        # Version 1: a cpuset takes no process until it has processors and memory.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (group / setting).exists() and not (group / setting).read_text().strip():
                (group / setting).write_text((root / setting).read_text())


def _delegate(group: Path) -> None:
    """Version 2: hands every controller that the group has to its children."""
    for controller in (group / "cgroup.controllers").read_text().split():
        try:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            continue  # the kubelet says which one it cannot do without


def remove(name: str, patience: float = 5.0) -> None:
    """Removes the group and all below it. Its processes must be gone."""
    deadline = time.monotonic() + patience
    for root in _hierarchies():
        group = root / name
        while group.exists() and not _remove_tree(group):
            if time.monotonic() > deadline:
                raise Failure(f"the control group {group} could not be removed",
                              todo="see which processes it has left, in cgroup.procs")
            time.sleep(0.05)


def _remove_tree(group: Path) -> bool:
    for folder, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return False  # a process in it is still on its way out
    return True
