"""Applies manifests with the pinned kubectl."""

import json
import subprocess
from pathlib import Path
from typing import Any

from .controlplane import ControlPlane
from .errors import Failure


def apply(plane: ControlPlane, *manifests: Path) -> None:
    """Applies files of the repository."""
    _apply(plane, [f"--filename={manifest}" for manifest in manifests])


def apply_objects(plane: ControlPlane, objects: list[dict[str, Any]]) -> None:
    """Applies objects made here."""
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    _apply(plane, ["--filename=-"], items)


def _apply(plane: ControlPlane, arguments: list[str], stdin: str = "") -> None:
    result = subprocess.run(
        [str(plane.programs["kubectl"]), f"--kubeconfig={plane.paths.kubeconfig}", "apply",
         "--server-side", "--field-manager=dev-cluster",
         # What is applied here needs no schema from the server: saves a request of 1 MB.
         "--validate=ignore", *arguments],
        input=stdin, capture_output=True, text=True, check=False,
    )
    if result.returncode != 0:
        raise Failure(f"kubectl apply failed: {result.stderr.strip()}",
                      log=plane.paths.log("kube-apiserver"))
