"""The cache of archives: one file per image and hash of its inputs, made whole or not at all."""

import fcntl
import hashlib
import os
import platform
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import tools
from .progress import say

#: Files of this package that shape every image.
COMMON = ("debian.py", "layers.py", "oci.py")
#: How many archives of an image to keep.
KEEP = 3


def folder(*parts: str) -> Path:
    """A folder in the cache, made if need be."""
    base = os.environ.get("POLDER_CACHE")
    if not base:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polder"
    path = Path(base).absolute().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def log(name: str) -> Path:
    """The file for the output of an image's commands; only the last build's is kept."""
    path = folder("images", "logs") / f"{name}.log"
    path.unlink(missing_ok=True)
    return path


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the cache's lock of that name; others wait."""
    with open(folder("images", "locks") / name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Image(ABC):
    """How to make one image. A subclass says what goes into it and puts that together."""

    #: short name, of the archive too
    name: str
    #: the name that the image has for Kubernetes
    ref: str
    #: commands that the build runs, see tools.PACKAGES
    tools: tuple[str, ...] = ()
    #: files of this folder's package and of rootfs/ that go into the key
    sources: tuple[str, ...] = ()

    def inputs(self) -> Iterator[bytes]:
        """All that the image depends on, beside its name and the machine's architecture."""
        here = Path(__file__).parent
        for name in (*COMMON, *self.sources):
            path = here / name if name.endswith(".py") else here.parent / "rootfs" / name
            yield name.encode()
            yield path.read_bytes()

    def key(self) -> str:
        """The hash of the inputs."""
        digest = hashlib.sha256()
        for part in (self.ref.encode(), platform.machine().encode(), *self.inputs()):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()[:16]

    def archive(self) -> Path:
        """Where the image's archive is, or will be."""
        return folder("images") / f"{self.name}-{self.key()}.tar"

    @abstractmethod
    def make(self, work: Path, target: Path) -> None:
        """Write the archive to `target`; `work` is an empty folder, gone afterwards."""

    def build(self) -> Path:
        """The path of the archive, built if it is not there yet."""
        archive = self.archive()
        if self._cached(archive):
            return archive
        with lock(self.name):
            if self._cached(archive):
                return archive
            tools.need(self.tools)
            say(self.name, f"building {self.ref}")
            parent = folder("images", "work")
            for left in parent.glob(f"{self.name}-*"):  # by a build that was killed
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=parent))
            work.chmod(0o755)  # mmdebstrap's own user has to get in
            try:
                self.make(work, work / "archive.tar")
                os.replace(work / "archive.tar", archive)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            self.forget_old()
            say(self.name, f"{self.ref} is built, {archive.stat().st_size / 1e6:.0f} MB")
            return archive

    def _cached(self, archive: Path) -> bool:
        """Whether the archive is there; if so, it counts as used now."""
        try:
            os.utime(archive)
        except FileNotFoundError:
            return False
        say(self.name, f"{self.ref} is in the cache")
        return True

    def forget_old(self) -> None:
        """Keep only the archives of this image that were used last."""
        same = [path for path in folder("images").glob(f"{self.name}-*.tar")
                if len(path.stem) == len(self.name) + 17]
        for path in sorted(same, key=lambda path: path.stat().st_mtime)[:-KEEP]:
            path.unlink(missing_ok=True)


def build_all(images: list[Image]) -> list[Path]:
    """Build images side by side; the paths of their archives, in the same order."""
    with ThreadPoolExecutor(max_workers=len(images)) as pool:
        return [future.result() for future in [pool.submit(image.build) for image in images]]
