"""The StorageClasses, and the provisioner that makes a directory for every claim."""

from .controlplane import ControlPlane
from .kubectl import apply
from .paths import MANIFESTS
from .processes import Process, start


def start_storage(plane: ControlPlane) -> Process:
    """Starts the provisioner and applies the StorageClasses.

    The provisioner runs on the host in both modes: the folder of volumes exists
    before a real node makes its own view of the file system, so that the same
    path leads to the same directory on both sides.
    """
    process = start(
        plane.paths, "provisioner",
        [plane.programs["provisioner"],
         f"--kubeconfig={plane.kubeconfig('provisioner')}",
         f"--root={plane.paths.volumes}"],
    )
    apply(plane, MANIFESTS / "storage-classes.yaml")
    return process
