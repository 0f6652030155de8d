"""The PostgreSQL image: Debian's server and psql, for the demo's Iceberg catalog and its jobs."""

from pathlib import Path

from . import debian, oci
from .cache import Image
from .layers import Layer, copy_tree, matches
from .progress import say

VERSION = "15"
UID = 70
DATA = "var/lib/postgresql/data"
_BIN = f"/usr/lib/postgresql/{VERSION}/bin"

#: LLVM serves only the just-in-time compiler, which PostgreSQL does without when it is not there.
NEVER_UNPACKED = ("/usr/lib/*/libLLVM*", "/usr/lib/llvm*", "/usr/lib/postgresql/*/lib/bitcode/*",
                  "/usr/lib/postgresql/*/lib/llvmjit*")
#: Debian's administration of several clusters, in perl.
UNUSED = ("etc/postgresql-common", "etc/postgresql",
          "usr/share/postgresql-common", "usr/bin/pg_*", "usr/bin/psql", "usr/bin/postgres*",
          "usr/lib/*/libz3.so*", "var/lib/postgresql/*", "usr/lib/systemd")
#: The user has to be there before the packages, to get our number; and no cluster is to be made.
HOOK = (f'echo "postgres:x:{UID}:{UID}:PostgreSQL:/nonexistent:/bin/sh" >>"$1/etc/passwd"; '
        f'echo "postgres:x:{UID}:" >>"$1/etc/group"; mkdir -p "$1/etc/postgresql-common"; '
        'echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"')


class Postgres(Image):
    """`localhost/polder-postgres`."""

    name = "postgres"
    ref = f"localhost/polder-postgres:{VERSION}"
    tools = ("mmdebstrap",)
    sources = ("postgres.py", "postgres/entrypoint.sh")

    def make(self, work: Path, target: Path) -> None:
        """One layer: Debian, the server, the entrypoint."""
        tree = debian.bootstrap(self.name, (f"postgresql-{VERSION}",), work,
                                exclude=NEVER_UNPACKED, hook=HOOK)
        unused = (*debian.LEFTOVERS, *UNUSED)
        with Layer(work / "layer.tar") as layer:
            copy_tree(layer, tree, lambda name: not matches(name, unused))
            layer.folder(DATA, 0o700, UID)
            layer.path("opt/entrypoint.sh",
                       Path(__file__).parent.parent / "rootfs/postgres/entrypoint.sh", 0o755)
        say(self.name, "writing the archive")
        oci.write(target, self.ref, [work / "layer.tar"], {
            "User": f"{UID}:{UID}", "WorkingDir": "/tmp",
            "Entrypoint": ["/opt/entrypoint.sh"],
            "ExposedPorts": {"5432/tcp": {}},
            # a fast shutdown; SIGTERM would wait for clients to leave
            "StopSignal": "SIGINT",
            "Env": [f"PATH={_BIN}:/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                    f"PGDATA=/{DATA}/pgdata"],
            "Labels": {"org.opencontainers.image.title": "PostgreSQL for Polder's demo and tests",
                       "org.opencontainers.image.version": VERSION},
        })
