"""The cluster's authority and the certificates of its components, by openssl."""

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .errors import Failure

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_DAYS = "3650"


@dataclass(frozen=True)
class Identity:
    """A certificate: who it says its holder is, and where it may serve."""

    name: str
    """The file's name."""
    user: str
    """Common name: the Kubernetes user."""
    groups: tuple[str, ...] = ()
    """Organisations: the Kubernetes groups."""
    serves: tuple[str, ...] = ()
    """Alternative names, as openssl writes them: DNS:..., IP:..."""


MASTERS = "system:masters"


def control_plane(addresses: Iterable[str], service: str) -> list[Identity]:
    """The identities that every cluster has. `service` is the API server's cluster IP."""
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
             "kubernetes.default.svc.cluster.local", "localhost"]
    serves = [*(f"DNS:{n}" for n in names), *(f"IP:{a}" for a in (*addresses, service))]
    return [
        Identity("apiserver", "kube-apiserver", serves=tuple(serves)),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", (MASTERS,)),
        Identity("admin", "kubernetes-admin", (MASTERS,)),
        Identity("kube-controller-manager", "system:kube-controller-manager"),
        Identity("kube-scheduler", "system:kube-scheduler"),
        # Users of their own, so that the audit log tells who wrote what.
        Identity("provisioner", "system:dev:provisioner", (MASTERS,)),
    ]


def make_authority(folder: Path) -> None:
    """Makes the authority, and the key that signs service account tokens."""
    _openssl(
        "req", "-x509", *_KEY, "-days", _DAYS, "-subj", "/CN=polder-dev-ca",
        "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
        "-keyout", folder / "ca.key", "-out", folder / "ca.crt",
    )
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
             "-out", folder / "service-accounts.key")
    _openssl("pkey", "-in", folder / "service-accounts.key", "-pubout",
             "-out", folder / "service-accounts.pub")


def issue(folder: Path, identities: Iterable[Identity]) -> None:
    """Makes a key and a certificate for each identity."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda identity: _issue(folder, identity), identities))


def _issue(folder: Path, identity: Identity) -> None:
    subject = "".join(f"/O={group}" for group in identity.groups) + f"/CN={identity.user}"
    usage = "clientAuth"
    names: list[str] = []
    if identity.serves:
        usage = "serverAuth,clientAuth"
        names = ["-addext", "subjectAltName=" + ",".join(identity.serves)]
    _openssl(
        "req", "-x509", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", *_KEY,
        "-days", _DAYS, "-subj", subject,
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "keyUsage=critical,digitalSignature,keyEncipherment",
        "-addext", f"extendedKeyUsage={usage}", *names,
        "-keyout", folder / f"{identity.name}.key", "-out", folder / f"{identity.name}.crt",
    )


def _openssl(*arguments: str | Path) -> None:
    try:
        result = subprocess.run(["openssl", *map(str, arguments)],
                                capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failure("openssl is not installed", todo="run `dev/cluster deps`") from None
    if result.returncode != 0:
        raise Failure(
            f"openssl {arguments[0]} failed: {result.stderr.strip()}",
            todo="OpenSSL 3.0 or newer is needed; see `openssl version`",
        )
