"""Process 1 of a real node: makes the node's view of the machine, then reaps.

Runs by path, without the package, inside the namespaces that unshare made.
When it ends, the kernel ends every process of the node, and then takes back
the node's mounts, interfaces and packet filter rules: nothing of them was ever
visible outside.

usage: holder.py FOLDER   (the cluster's folder "node")
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

# The kubelet sets these for the whole machine when they differ. It gets files
# of our own in their place, so that it finds what it wants and changes nothing.
KERNEL_TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def mount(*arguments: str | Path) -> None:
    """Runs mount(8)."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def make_view(folder: Path) -> None:
    """Gives the node its own /run, /var/log and /var/lib/cni, and short paths.

    Unix sockets must have paths below 108 characters, which the cluster's
    folder may well exceed: the big folders appear under /run/node.
    """
    # Shared among the node's own namespaces only: unshare has cut the tie to
    # the machine's, and the kubelet wants to see what pods mount.
    mount("--make-rshared", "/")
    for path in ("/run", "/var/log", "/var/lib/cni"):
        mount("-t", "tmpfs", "-o", "mode=0755", "node", path)
    if not Path("/var/run").is_symlink():
        mount("--bind", "/run", "/var/run")
    for name in ("containerd", "kubelet"):
        target = Path("/run/node") / name
        target.mkdir(parents=True)
        mount("--bind", folder / name, target)
    Path("/run/lock").mkdir()


def hide_tunables() -> None:
    """Puts our own files in the place of the kernel's settings."""
    for name, value in KERNEL_TUNABLES.items():
        original = Path("/proc/sys") / name
        if original.exists():
            stand_in = Path("/run/node/sysctl") / name
            stand_in.parent.mkdir(parents=True, exist_ok=True)
            stand_in.write_text(value + "\n")
            mount("--bind", stand_in, original)


def make_network() -> None:
    """The node routes between its pods and the machine."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def reap() -> None:
    """Collects the processes that lost their parent, for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def main() -> None:
    """Makes the view, says so, and stays."""
    folder = Path(sys.argv[1])
    make_view(folder)
    hide_tunables()
    make_network()
    (folder / "ready").touch()
    reap()


if __name__ == "__main__":
    main()
