"""Polder's own image: the repository's Dockerfile, run by buildah over a binary that is there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from . import cache
from .base import Base
from .cache import Image
from .progress import Failure, run


class Polder(Image):
    """`localhost/polder`."""

    name = "polder"
    ref = "localhost/polder:dev"
    tools = ("buildah",)
    sources = ("polder.py",)

    def __init__(self, root: Path, binary: Path) -> None:
        self.dockerfile, self.binary, self.base = root / "Dockerfile", binary, Base()
        self.notices, self.write_notices = root / "target/notices", root / "dev/notices"

    def inputs(self) -> Iterator[bytes]:
        """The binary, what is told of its parts, the Dockerfile and the base."""
        yield from super().inputs()
        yield self.base.key().encode()
        yield self.dockerfile.read_bytes()
        try:
            yield self.binary.read_bytes()
        except OSError as error:
            raise Failure(f"no binary for the image {self.ref}: {error}; "
                          "run `make build`, or name one with --binary") from error
        run(self.name, [self.write_notices, self.notices], cache.log(f"{self.name}-notices"))
        yield from (file.read_bytes() for file in sorted(self.notices.rglob("*")) if file.is_file())

    def make(self, work: Path, target: Path) -> None:
        """A build context of what the stage `prebuilt` takes; buildah's storage lasts as long as that."""
        base = self.base.build()
        context = work / "context"
        (context / "target/release").mkdir(parents=True)
        copy = shutil.copyfile(self.binary, context / "target/release/polder")
        copy.chmod(0o755)
        shutil.copytree(self.notices, context / "target/notices")
        buildah = ["buildah", "--root", work / "storage", "--runroot", work / "run",
                   "--storage-driver", "vfs"]
        log = cache.log(self.name)
        run(self.name, [*buildah, "pull", "-q", f"oci-archive:{base}"], log)
        run(self.name, [*buildah, "bud", "--isolation", "chroot", "--pull-never",
                        "--build-arg", f"RUNTIME_IMAGE={self.base.ref}",
                        "--build-arg", "BINARY_FROM=prebuilt",
                        "--file", self.dockerfile, "--tag", self.ref, context], log)
        run(self.name, [*buildah, "push", "-q", self.ref, f"oci-archive:{target}:{self.ref}"], log)
