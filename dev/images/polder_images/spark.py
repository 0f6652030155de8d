"""The Spark image: Debian, a JRE, Python, and Spark as PyPI's `pyspark` brings it."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from . import debian, oci
from .cache import Image
from .fetch import Jar, Sdist, fetch
from .layers import Layer, copy_tree, matches
from .progress import say

VERSION = "4.1.4"
PY4J = "py4j-0.10.9.9-src.zip"
SDIST = Sdist("pyspark", VERSION,
              "bcbd5e18690cf79d438e97210ad06fb8d451a251bb77becc2b0418868d2acd73")
JARS = (
    Jar("org.apache.iceberg", "iceberg-spark-runtime-4.1_2.13", "1.11.0",
        "d6ea6c5d099288daeb7d5a92061bd3d7d8f296492632b42378e5f2f0e3066242"),
    Jar("org.postgresql", "postgresql", "42.7.14",
        "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c"),
)
PACKAGES = ("openjdk-17-jre-headless", "python3", "ca-certificates", "procps", "tini")
HOME = "opt/spark"
UID = 185

#: Left out of the sdist's jars: other platforms' native libraries, netty's QUIC (nothing in
#: Spark speaks it), Connect's Scala shell and YARN. The mathematics behind MLlib have to stay:
#: Spark's Kryo serialiser resolves their classes in every shuffle of Python objects.
UNUSED_JARS = (
    "*-osx-*", "*-windows-*", "*-linux-riscv64*", "netty-codec-native-quic-*",
    "netty-codec-classes-quic-*", "netty-codec-http3-*", "connect-repl", "spark-yarn_*",
)
#: Left out of the JRE: what only `javac --release` and heaps over 32 GB use.
UNUSED_JRE = ("usr/lib/jvm/*/lib/ct.sym", "usr/lib/jvm/*/lib/server/classes_nocoops.jsa",
              "usr/lib/jvm/*/man", "usr/share/fonts/*", "usr/share/alsa/*")


class Spark(Image):
    """`localhost/polder-spark`."""

    name = "spark"
    ref = f"localhost/polder-spark:{VERSION}"
    tools = ("mmdebstrap", "mvn")
    sources = ("spark.py", "spark/entrypoint.sh")

    def make(self, work: Path, target: Path) -> None:
        """Debian and the downloads at the same time, then two layers."""
        with ThreadPoolExecutor(max_workers=3) as pool:
            tree = pool.submit(debian.bootstrap, self.name, PACKAGES, work)
            sdist = pool.submit(fetch, SDIST)
            jars = list(pool.map(fetch, JARS))
            spark_layer(work / "spark-layer.tar", sdist.result(), jars)
            debian_layer(work / "debian-layer.tar", tree.result())
        say(self.name, "writing the archive")
        oci.write(target, self.ref, [work / "debian-layer.tar", work / "spark-layer.tar"], {
            "User": f"{UID}:{UID}", "WorkingDir": f"/{HOME}/work-dir",
            "Entrypoint": ["/opt/entrypoint.sh"],
            "Env": [f"SPARK_HOME=/{HOME}", "JAVA_HOME=/opt/java", "LANG=C.UTF-8",
                    f"PATH=/{HOME}/bin:/usr/local/bin:/usr/bin:/bin",
                    f"PYTHONPATH=/{HOME}/python/lib/pyspark.zip:/{HOME}/python/lib/{PY4J}",
                    "PYSPARK_PYTHON=python3"],
            "Labels": {"org.opencontainers.image.title": "Spark for Polder's demo and tests",
                       "org.opencontainers.image.version": VERSION},
        })


def debian_layer(path: Path, tree: Path) -> None:
    """Debian, with Spark's user and the JRE at a path that does not name the architecture."""
    unused = (*debian.LEFTOVERS, *UNUSED_JRE)
    user = f"spark:x:{UID}:{UID}:Spark:/nonexistent:/bin/bash\n".encode()
    group = f"spark:x:{UID}:\n".encode()
    with Layer(path) as layer:
        copy_tree(layer, tree, lambda name: not matches(name, unused),
                  {"etc/passwd": user, "etc/group": group})
        layer.folder("opt", 0o755)
        layer.link("opt/java", f"../usr/lib/jvm/java-17-openjdk-{oci.architecture()}")


def spark_layer(path: Path, sdist: Path, jars: list[Path]) -> None:
    """SPARK_HOME and the entrypoint."""
    say("spark", f"Spark {VERSION} and {', '.join(jar.stem for jar in jars)}")
    with Layer(path) as layer:
        for name in ("opt", HOME, *(f"{HOME}/{sub}" for sub in
                     ("bin", "sbin", "jars", "conf", "python", "python/lib", "licenses"))):
            layer.folder(name)
        layer.folder(f"{HOME}/work-dir", 0o775, UID)
        for name, content, mode in spark_files(sdist):
            layer.file(f"{HOME}/{name}", content, mode)
        for jar in jars:
            layer.path(f"{HOME}/jars/{jar.name}", jar)
        entrypoint = Path(__file__).parent.parent / "rootfs/spark/entrypoint.sh"
        layer.path("opt/entrypoint.sh", entrypoint, 0o755)


def spark_files(sdist: Path) -> Iterator[tuple[str, bytes, int]]:
    """Name under SPARK_HOME, content and mode of each file that the image keeps."""
    with tarfile.open(sdist, "r|gz") as tar:
        for member in tar:
            name = place(PurePosixPath(member.name)) if member.isreg() else None
            if name:
                content = tar.extractfile(member)
                yield name, slim(name, content.read() if content else b""), member.mode & 0o755


def place(path: PurePosixPath) -> str | None:
    """Where a file of the sdist goes under SPARK_HOME, or None for a file left out."""
    match path.parts[1:]:
        case ("deps", "bin" | "sbin", name) if not matches(name, ("*.cmd", "sparkR*", "docker-*")):
            return f"{path.parts[2]}/{name}"
        case ("deps", "jars", *rest):
            name = "/".join(rest)
            other = {"amd64": "*-linux-aarch_64*", "arm64": "*-linux-x86_64*"}[oci.architecture()]
            return None if matches(name, (*UNUSED_JARS, other)) else f"jars/{name}"
        case ("deps", "licenses", name):
            return f"licenses/{name}"
        case ("lib", name) if name in ("pyspark.zip", PY4J):
            return f"python/lib/{name}"
        case ("LICENSE" | "NOTICE",):
            return path.name
    return None


def slim(name: str, content: bytes) -> bytes:
    """A file's content without what the image does not need."""
    if name.startswith("jars/rocksdbjni-"):
        wanted = {"amd64": "librocksdbjni-linux64.so", "arm64": "librocksdbjni-linux-aarch64.so"}
        keep = wanted[oci.architecture()]
        return rezip(content, lambda entry: not entry.startswith("librocksdbjni-") or entry == keep)
    if name == "python/lib/pyspark.zip":
        return rezip(content, lambda entry: "/tests/" not in entry)
    return content


def rezip(content: bytes, keep: Callable[[str], bool]) -> bytes:
    """A zip file with only the entries to keep."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, \
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if keep(entry.filename):
                new.writestr(entry, old.read(entry))
    return out.getvalue()
