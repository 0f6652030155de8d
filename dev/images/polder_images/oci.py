"""Writes an OCI image archive out of layers, which are plain tar files.

https://github.com/opencontainers/image-spec: an archive is a tar of an OCI layout. Layers stay
uncompressed: most of their bytes are jars, and both building and importing are faster so.
"""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from .fetch import sha256

_TYPE = "application/vnd.oci.image."
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """This machine's architecture in Debian's and OCI's word."""
    return _ARCHITECTURES[platform.machine()]


def write(target: Path, ref: str, layers: list[Path], config: dict) -> None:
    """Write an archive of one image, called `ref`, with a config as of the image spec."""
    digests = [sha256(layer) for layer in layers]
    image = _json({
        "architecture": architecture(), "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created_by": "polder dev/images"} for _ in layers],
    })
    manifest = _json({
        "schemaVersion": 2, "mediaType": _TYPE + "manifest.v1+json",
        "config": _descriptor("config.v1+json", image),
        "layers": [{"mediaType": _TYPE + "layer.v1.tar", "digest": f"sha256:{digest}",
                    "size": layer.stat().st_size}
                   for layer, digest in zip(layers, digests, strict=True)],
    })
    index = _json({"schemaVersion": 2, "manifests": [
        _descriptor("manifest.v1+json", manifest) | {"annotations": {
            "io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref}},
    ]})
    with tarfile.open(target, "w") as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", index)
        for blob in (image, manifest):
            _add(archive, "blobs/sha256/" + hashlib.sha256(blob).hexdigest(), blob)
        for layer, digest in zip(layers, digests, strict=True):
            archive.add(layer, "blobs/sha256/" + digest)


def _json(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _descriptor(kind: str, blob: bytes) -> dict:
    return {"mediaType": _TYPE + kind, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}",
            "size": len(blob)}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
