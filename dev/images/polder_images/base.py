"""The image under Polder's own: a C library, certificates, time zones; no shell, no packages.

It stands in for gcr.io/distroless/cc-debian12 where that registry is out of reach.
"""

import tarfile
from pathlib import Path

from . import debian, oci
from .cache import Image
from .layers import Layer, matches

PACKAGES = ("libc6", "libgcc-s1", "ca-certificates", "tzdata")
KEPT = (
    "lib64", "lib/ld-linux*", "usr/share/zoneinfo",
    *(f"{prefix}lib/*-linux-gnu/{name}" for prefix in ("", "usr/") for name in (
        "ld-linux*", "libc.so.*", "libm.so.*", "libdl.so.*", "libpthread.so.*", "librt.so.*",
        "libresolv.so.*", "libnss_dns.so.*", "libnss_files.so.*", "libgcc_s.so.*")),
    *(f"usr/share/doc/{package}/copyright"
      for package in ("libc6", "gcc-12-base", "ca-certificates", "tzdata")),
)
LEFT_OUT = ("usr/share/zoneinfo/right", "usr/share/zoneinfo/posix")
CERTIFICATES = "usr/share/ca-certificates/mozilla/*.crt"
FILES = {
    "etc/passwd": "root:x:0:0:root:/:/nologin\nnonroot:x:65532:65532:nonroot:/:/nologin\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class Base(Image):
    """`localhost/polder-base`."""

    name = "polder-base"
    ref = f"localhost/polder-base:{debian.SUITE}"
    tools = ("mmdebstrap",)
    sources = ("base.py",)

    def make(self, work: Path, target: Path) -> None:
        """One layer, picked out of the packages' files."""
        tree = debian.bootstrap(self.name, PACKAGES, work, variant="extract")
        certificates = []
        with Layer(work / "layer.tar") as layer, tarfile.open(tree) as tar:
            for member in tar:
                member.name = member.name.removeprefix("./")
                if matches(member.name, KEPT) and not matches(member.name, LEFT_OUT):
                    layer.copy(tar, member)
                elif matches(member.name, (CERTIFICATES,)) and (file := tar.extractfile(member)):
                    certificates.append(file.read())
            layer.file("etc/ssl/certs/ca-certificates.crt", b"".join(certificates))
            for name, content in FILES.items():
                layer.file(name, content.encode())
            layer.folder("tmp", 0o1777)
        oci.write(target, self.ref, [work / "layer.tar"],
                  {"User": "65532:65532", "WorkingDir": "/",
                   "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]})
