"""A cluster of the user's own: what the example needs of it, told before anything is made."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .progress import Failed, Progress
from .tools import ROOT, Cluster

DEFAULT = "storageclass.kubernetes.io/is-default-class"
POSTGRES = "localhost/polder-postgres:15"
# The only volume that pods of several nodes write at once.
WAREHOUSE = "{name: warehouse, size: 2Gi, class: standard, path: /warehouse}"
SINGLE = "accessModes: [ReadWriteOnce]"


def fit(progress: Progress, cluster: Cluster) -> None:
    """Fits the example to the cluster, or says all that is lacking; makes nothing."""
    may_install(cluster)
    lacking: list[str] = []
    values, image = of_environment(lacking)
    volumes, shared, mode = storage(cluster, lacking)
    if lacking:
        raise Failed("\n- ".join(["nothing was made, as the example needs more:", *lacking]))
    cluster.values = ["--values", values]
    cluster.replacements = {
        POSTGRES: image,
        WAREHOUSE: WAREHOUSE.replace("standard", f"{shared}, accessMode: {mode}"),
        "class: standard": f"class: {volumes}",
        "class: fast": f"class: {volumes}",
        SINGLE: f"storageClassName: {volumes}\n      {SINGLE}",
    }
    still_fits(cluster.replacements)
    progress.say("on your cluster: Polder in polder-system, its ClusterRoles, definitions and admission "
                 "policies; the example in quickstart-db and weather, up to 4 CPUs, 10 GiB of memory")  # fmt: skip
    progress.say(f"  volumes: 7 of 1 GiB, class {volumes}; one of 2 GiB, class {shared}, {mode}")


def may_install(cluster: Cluster) -> None:
    """Fails for whoever is no administrator."""
    try:
        cluster.kubectl("auth", "can-i", "*", "*", "--all-namespaces", "--quiet")
    except Failed as error:
        raise Failed("nothing was made: installing takes an administrator of the cluster, which you "
                     "are not in the context of this kubeconfig") from error  # fmt: skip


def of_environment(lacking: list[str]) -> tuple[str, str]:
    """The values file for the chart, and the image of the example's database."""
    values, image = os.environ.get("VALUES", ""), os.environ.get("POSTGRES_IMAGE", "")
    if not values:
        lacking.append(
            "VALUES=FILE: values for the chart, with image and sparkImages that your cluster can pull. "
            "`dev/images/build polder spark` builds them as archives to push; Spark's needs Iceberg and "
            "PostgreSQL's driver"
        )
    elif not Path(values).is_file():
        lacking.append(f"VALUES={values}: there is no such file")
    if not image:
        lacking.append("POSTGRES_IMAGE=IMAGE: what `dev/images/build postgres` builds, pushed likewise")
    return values, image


def storage(cluster: Cluster, lacking: list[str]) -> tuple[str, str, str]:
    """Class of volumes; class and access mode of the one that pods share."""
    items = json.loads(cluster.kubectl("get", "storageclasses", "-o", "json"))["items"]
    annotations = {it["metadata"]["name"]: it["metadata"].get("annotations", {}) for it in items}
    there = f"there is {', '.join(annotations)}" if annotations else "there is none, install a provisioner"

    def chosen(variable: str) -> str:
        name = os.environ.get(variable, "")
        if name and name not in annotations:
            lacking.append(f"{variable}={name}: there is no such storage class; {there}")
        return name

    defaults = [name for name, them in annotations.items() if them.get(DEFAULT) == "true"]
    volumes = chosen("STORAGE_CLASS") or next(iter(defaults), "")
    if not volumes:
        lacking.append(f"STORAGE_CLASS=NAME: the cluster has no default storage class; {there}")
    if shared := chosen("SHARED_STORAGE_CLASS"):
        return volumes, shared, "ReadWriteMany"
    nodes = len(cluster.kubectl("get", "nodes", "-o", "name").split())
    if nodes > 1:
        lacking.append(f"SHARED_STORAGE_CLASS=NAME: one that serves ReadWriteMany, as pods on {nodes} "
                       f"nodes write the warehouse; {there}")  # fmt: skip
    return volumes, volumes, "ReadWriteOnce"


def still_fits(replacements: dict[str, str]) -> None:
    """Fails if the example has changed, and nobody thought of this file."""
    files = (ROOT / "examples" / "quickstart").rglob("*.yaml")
    example = "\n".join(file.read_text() for file in files)
    for text in replacements:
        if text not in example:
            raise Failed(f"the example has no `{text}` any more: mend dev/quickstart/own.py")
