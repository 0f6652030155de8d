"""Imports image archives into a real node's containerd."""

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

from .. import ui
from ..errors import Failure
from ..paths import ClusterPaths, lock

_NAMESPACE = "k8s.io"
"""Where the kubelet's images are kept, as containerd calls it."""


def load_archives(paths: ClusterPaths, archives: list[str]) -> None:
    """`dev/cluster load`: imports what the node does not have yet."""
    for archive in map(Path, archives):
        load(paths, archive.absolute())


def load(paths: ClusterPaths, archive: Path) -> None:
    """Imports one archive, unless the very same images are there already."""
    identity = _identity(archive)
    with lock(paths.node / ".load.lock"):
        record = paths.node / "loaded.json"
        known: dict[str, dict[str, str]] = json.loads(record.read_text()) if record.exists() else {}
        before = list_images(paths)
        loaded = known.get(identity)
        if loaded and loaded.items() <= before.items():
            ui.say(f"  {archive.name}: already loaded as {', '.join(loaded)}")
            return
        with ui.step(f"load {archive.name}"):
            names = import_archive(paths, archive)
        if not names:
            raise Failure(f"{archive} names no image",
                          todo="give it one: skopeo copy ... oci-archive:FILE:localhost/NAME:TAG")
        after = list_images(paths)
        known[identity] = {name: after[name] for name in names if name in after}
        record.write_text(json.dumps(known, indent=2) + "\n")
    for name, digest in known[identity].items():
        ui.say(f"    {name} {digest}")


def list_images(paths: ClusterPaths) -> dict[str, str]:
    """The names of the node's images, with their digests."""
    lines = _ctr(paths, "images", "list").splitlines()[1:]
    return {fields[0]: fields[2] for fields in map(str.split, lines) if len(fields) > 2}  # noqa: PLR2004


def import_archive(paths: ClusterPaths, archive: Path) -> list[str]:
    """Imports an archive, and returns the names that its images got."""
    output = _ctr(paths, "images", "import", str(archive))
    return [line.split()[1] for line in output.splitlines() if line.startswith("unpacking ")]


def containerd_answers(paths: ClusterPaths) -> bool:
    """Whether containerd serves its socket."""
    try:
        _ctr(paths, "version")
    except Failure:
        return False
    return True


def _identity(archive: Path) -> str:
    """What an archive holds: the digest of its table of contents, which has all other digests."""
    try:
        with tarfile.open(archive) as tar:
            for entry in tar:
                if entry.name.removeprefix("./") in ("index.json", "manifest.json"):
                    content = tar.extractfile(entry)
                    if content is not None:
                        return hashlib.sha256(content.read()).hexdigest()
    except (OSError, tarfile.TarError) as error:
        raise Failure(f"cannot read {archive}: {error}") from None
    raise Failure(f"{archive} is neither an OCI nor a docker archive",
                  todo="write it with `skopeo copy ... oci-archive:FILE:NAME:TAG`, or `docker save`")


def _ctr(paths: ClusterPaths, *arguments: str) -> str:
    from .realnode import inside  # noqa: PLC0415  (realnode imports this module)

    command = [*map(str, inside(paths)), "ctr", "--namespace", _NAMESPACE, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"`ctr {' '.join(arguments)}` failed: {result.stderr.strip()}",
                      log=paths.log("containerd"))
    return result.stdout
