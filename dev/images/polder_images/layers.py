"""Layers: tar files made of other tar files and of files of our own, never unpacked on disk."""

import io
import tarfile
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path

#: Time of every file of our own, so that a layer depends on its content alone.
EPOCH = 1735689600


class Layer:
    """A layer that is being written."""

    def __init__(self, path: Path) -> None:
        self.tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def __enter__(self) -> "Layer":
        return self

    def __exit__(self, *_: object) -> None:
        self.tar.close()

    def folder(self, name: str, mode: int = 0o755, owner: int = 0) -> None:
        """Add a folder; owner is user and group."""
        member = self._member(name, mode, owner)
        member.type = tarfile.DIRTYPE
        self.tar.addfile(member)

    def link(self, name: str, to: str) -> None:
        """Add a symbolic link."""
        member = self._member(name, 0o777)
        member.type, member.linkname = tarfile.SYMTYPE, to
        self.tar.addfile(member)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file."""
        member = self._member(name, mode)
        member.size = len(content)
        self.tar.addfile(member, io.BytesIO(content))

    def path(self, name: str, source: Path, mode: int = 0o644) -> None:
        """Add a file whose content is that of a file on disk."""
        member = self._member(name, mode)
        member.size = source.stat().st_size
        with open(source, "rb") as content:
            self.tar.addfile(member, content)

    def copy(self, source: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Add a member of another tar, as it is."""
        self.tar.addfile(member, source.extractfile(member) if member.isreg() else None)

    @staticmethod
    def _member(name: str, mode: int, owner: int = 0) -> tarfile.TarInfo:
        member = tarfile.TarInfo(name)
        member.mode, member.mtime = mode, EPOCH
        member.uid = member.gid = owner
        return member


def copy_tree(layer: Layer, source: Path, keep: Callable[[str], bool],
              append: dict[str, bytes] | None = None) -> None:
    """Copy a root file system's tar into a layer: the members to keep, without device nodes.

    `append` maps the names of files to what is added at their end.
    """
    append = append or {}
    with tarfile.open(source) as tar:
        for member in tar:
            member.name = member.name.removeprefix("./")
            if member.isdev() or not keep(member.name):
                continue
            if extra := append.get(member.name):
                content = tar.extractfile(member)
                layer.file(member.name, (content.read() if content else b"") + extra, member.mode)
            else:
                layer.copy(tar, member)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name, or a folder that it is in, matches one of the shell patterns."""
    return any(fnmatch(name, pattern) or fnmatch(name, pattern + "/*") for pattern in patterns)
