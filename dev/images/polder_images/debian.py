"""Root file systems of Debian packages, by mmdebstrap."""

import os
from pathlib import Path

from . import cache
from .progress import run, say

SUITE = "bookworm"
#: Never installed: documentation, except licences.
_EXCLUDED = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*",
             "path-include=/usr/share/doc/*/copyright", "path-exclude=/usr/share/locale/*",
             "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/lintian/*")
#: Of no use once the packages are configured. Full perl comes only as usrmerge's dependency.
LEFTOVERS = ("dev/*", "var/cache/*", "var/lib/apt/*", "var/log/*", "run/*", "tmp/*", "boot/*",
             "var/lib/dpkg/*-old", "usr/share/perl", "usr/share/perl5", "usr/lib/*/perl",
             "usr/lib/*/libperl.so*", "etc/.pwd.lock", "etc/hostname", "etc/resolv.conf")


def bootstrap(who: str, packages: tuple[str, ...], work: Path, *,
              variant: str = "essential", exclude: tuple[str, ...] = (), hook: str = "") -> Path:
    """A tar of a minimal Debian with some packages.

    `variant` is mmdebstrap's: `extract` unpacks the packages without setting them up. `exclude`
    are files never to unpack; `hook` is a shell command run before the packages are installed,
    with the root as "$1". POLDER_DEBIAN_MIRROR may name another mirror.
    """
    say(who, f"Debian {SUITE} with {', '.join(packages)}")
    target = work / "debian.tar"
    options = [*_EXCLUDED, *(f"path-exclude={path}" for path in exclude)]
    command = ["mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}",
               '--aptopt=APT::Install-Recommends "false"', "--aptopt=Acquire::Retries 3",
               # update-alternatives of Java and PostgreSQL fails without this folder
               '--essential-hook=mkdir -p "$1/usr/share/man/man1"',
               *(f"--dpkgopt={option}" for option in options)]
    if hook:
        command.append(f"--essential-hook={hook}")
    command += [SUITE, target]
    if mirror := os.environ.get("POLDER_DEBIAN_MIRROR"):
        command.append(mirror)
    run(who, command, cache.log(who), env=dict(os.environ, TMPDIR=str(work)))
    return target
