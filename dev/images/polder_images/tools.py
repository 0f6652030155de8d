"""The commands that building needs, installed from Debian when they are missing."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .progress import Failure, run, say

#: command -> Debian packages; the keyring is not there on Ubuntu
PACKAGES = {"mmdebstrap": ("mmdebstrap", "debian-archive-keyring"), "buildah": ("buildah",),
            "mvn": ("maven",)}
POLICY = Path("/usr/sbin/policy-rc.d")
_once = threading.Lock()


def need(commands: tuple[str, ...]) -> None:
    """Make sure that the commands are there, or say what a person has to install."""
    with _once:
        missing = [package for name in commands if not shutil.which(name)
                   for package in PACKAGES[name]]
        if missing:
            install(missing)


def install(packages: list[str]) -> None:
    """Install Debian packages, without starting any daemon they bring."""
    by_hand = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"missing commands; on Debian or Ubuntu, as root: {by_hand}")
    say("tools", f"installing {', '.join(packages)}")
    log = Path(tempfile.mkdtemp(prefix="polder-apt-")) / "log"
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    lock = ["-o", "DPkg::Lock::Timeout=300"]
    command = ["apt-get", *lock, "install", "-y", "-q", "--no-install-recommends", *packages]
    with no_daemons():
        if subprocess.run([*command, "--simulate"], capture_output=True, check=False).returncode:
            run("tools", ["apt-get", *lock, "update", "-q"], log, env=environment)
        run("tools", command, log, env=environment)
    shutil.rmtree(log.parent)


@contextmanager
def no_daemons() -> Iterator[None]:
    """While in here, packages do not start services: Debian's policy-rc.d says no.

    https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
    """
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
