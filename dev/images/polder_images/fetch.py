"""Packages from registries, by name, through the registries' own clients; pinned by checksum."""

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import cache
from .progress import Failure, run, say

#: Pinned too: it does the copying of Maven's packages.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


@dataclass(frozen=True)
class Sdist:
    """A source distribution of PyPI."""

    package: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return f"{self.package}-{self.version}.tar.gz"

    def command(self, folder: Path) -> list[str]:
        """Brings the file into a folder."""
        return [str(pip()), "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                "--dest", str(folder), f"{self.package}=={self.version}"]


@dataclass(frozen=True)
class Jar:
    """A jar of Maven Central."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return f"{self.artifact}-{self.version}.jar"

    def command(self, folder: Path) -> list[str]:
        """Brings the file into a folder."""
        return ["mvn", "--quiet", "--batch-mode", COPY, f"-DoutputDirectory={folder}",
                f"-Dartifact={self.group}:{self.artifact}:{self.version}"]


def fetch(pin: Sdist | Jar) -> Path:
    """The path of a pinned file, fetched if the cache does not have it."""
    target = cache.folder("downloads") / pin.name
    with cache.lock(f"download-{pin.name}"):
        if target.exists() and sha256(target) == pin.sha256:
            return target
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
        try:
            run("fetch", pin.command(part), part.with_suffix(".log"))
            found = sha256(part / pin.name)
            if found != pin.sha256:
                raise Failure(f"{pin.name}: its SHA-256 is {found}, not {pin.sha256}")
            os.replace(part / pin.name, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        part.with_suffix(".log").unlink(missing_ok=True)
    say("fetch", f"{pin.name}, {target.stat().st_size / 1e6:.0f} MB")
    return target


def pip() -> Path:
    """A pip of our own: Debian's Python comes without one."""
    folder = cache.folder("downloads") / f"pip-{sys.version_info.major}.{sys.version_info.minor}"
    program = folder / "bin" / "pip"
    with cache.lock("download-pip"):
        if not program.exists():
            run("fetch", [sys.executable, "-m", "venv", "--clear", str(folder)],
                folder.with_suffix(".log"))
    return program


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
