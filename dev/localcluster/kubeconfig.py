"""Kubeconfig files that hold their certificates, so that they can be copied away."""

import base64
from pathlib import Path

_TEMPLATE = """\
apiVersion: v1
kind: Config
current-context: {cluster}
clusters:
  - name: {cluster}
    cluster:
      server: {server}
      certificate-authority-data: {authority}
contexts:
  - name: {cluster}
    context:
      cluster: {cluster}
      user: {user}
users:
  - name: {user}
    user:
      client-certificate-data: {certificate}
      client-key-data: {key}
"""


def write(target: Path, *, cluster: str, server: str, certs: Path, identity: str) -> None:
    """Writes a kubeconfig for one of the identities in the folder of certificates."""
    text = _TEMPLATE.format(
        cluster=f"polder-{cluster}",
        server=server,
        user=identity,
        authority=_encoded(certs / "ca.crt"),
        certificate=_encoded(certs / f"{identity}.crt"),
        key=_encoded(certs / f"{identity}.key"),
    )
    target.touch(mode=0o600)
    target.chmod(0o600)
    target.write_text(text)


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
