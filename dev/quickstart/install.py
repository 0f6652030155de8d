"""Polder through its chart, then the quickstart example, step by step as a user would."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

from .progress import Failed, Progress
from .tools import ROOT, Cluster

NAMESPACE = "polder-system"
EXAMPLE = ROOT / "examples" / "quickstart"
# What is to become ready, in the order in which people would look.
WORKLOADS = [
    "sparkcluster/etl",
    "sqlendpoint/bi",
    "batchjob/load",
    "batchjob/monthly",
    "batchjob/catalog-check",
]
# In this order: the operator lets go of the domain, and the domain's data is in its namespace.
REMOVE = [
    "kubectl delete domain weather",
    "kubectl delete namespace weather quickstart-db",
    "helm uninstall -n polder-system polder && kubectl delete namespace polder-system",
    "kubectl delete crd,clusterrole -l app.kubernetes.io/part-of=polder",
]


def install(progress: Progress, cluster: Cluster) -> None:
    """Installs or upgrades Polder, two replicas, and waits until they are ready."""
    with progress.step("install Polder with its Helm chart"):
        release(cluster, "--wait", "--timeout", "3m")


def rehearse(cluster: Cluster) -> None:
    """Fails with what the chart has against this cluster or its values; makes nothing."""
    release(cluster, "--dry-run=server")


def release(cluster: Cluster, *how: str) -> None:
    """Helm's command."""
    cluster.helm(
        "upgrade", "--install", "polder", "charts/polder", "--namespace", NAMESPACE,
        "--create-namespace", *how, *chart_values(cluster),
    )  # fmt: skip


def chart_values(cluster: Cluster) -> list[str]:
    """Local images on the local cluster; on the user's own, what the user names."""
    if cluster.local:
        binary = hashlib.sha256((ROOT / "target/release/polder").read_bytes()).hexdigest()
        values = ROOT / "dev" / "quickstart" / "values.yaml"
        # A new binary behind the same tag has to roll the pods.
        return ["--values", str(values), "--set-string", f"podAnnotations.binary={binary[:16]}"]
    return cluster.values


def example(progress: Progress, cluster: Cluster) -> None:
    """Applies the example in the order of its folders, and waits until all of it is ready."""
    with progress.step("start the PostgreSQL of the example"):
        apply(cluster, EXAMPLE / "1-postgres")
        cluster.kubectl("rollout", "status", "-n", "quickstart-db", "statefulset/postgres",
                        "--timeout", "3m")  # fmt: skip
    with progress.step("make the domain"):
        apply(cluster, EXAMPLE / "2-domain.yaml")
        wait_ready(progress, cluster, None, ["domain/weather"], 120)
    with progress.step("run the workloads of the domain"):
        apply(cluster, EXAMPLE / "3-workloads")
        wait_ready(progress, cluster, "weather", WORKLOADS, 600)


def apply(cluster: Cluster, path: Path) -> None:
    """Applies a file, a folder or a kustomization; strict, so that a typo is an error."""
    is_kustomization = (path / "kustomization.yaml").exists()
    rendered = (
        cluster.kubectl("kustomize", path)
        if is_kustomization
        else "\n---\n".join(
            file.read_text() for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])
        )
    )
    if fitting := cluster.replacements:
        any_of = "|".join(re.escape(text) for text in fitting)
        rendered = re.sub(any_of, lambda found: fitting[found[0]], rendered)
    folder = ROOT / ".dev"
    folder.mkdir(exist_ok=True)
    target = folder / f"applied-{path.stem}.yaml"
    target.write_text(rendered)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict",
                    "-f", target)  # fmt: skip


def wait_ready(
    progress: Progress, cluster: Cluster, namespace: str | None, objects: list[str], seconds: float
) -> None:
    """Waits until objects are Ready at their newest generation, and says what changes meanwhile."""
    deadline = time.monotonic() + seconds
    said: dict[str, str] = {}
    scope = ["-n", namespace] if namespace else []
    while True:
        waiting = []
        for name in objects:
            text = cluster.kubectl("get", name, *scope, "-o", "json")
            state, ready = condition(json.loads(text))
            if said.get(name) != state:
                said[name] = state
                progress.say(f"  {name}: {state}")
            if not ready:
                waiting.append(name)
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise Failed(
                f"not ready after {seconds:.0f} s: "
                + "; ".join(f"{name}: {said[name]}" for name in waiting)
            )
        time.sleep(1)


def condition(item: dict) -> tuple[str, bool]:
    """What the Ready condition says, and whether it is true of the newest generation."""
    status = item.get("status", {})
    if status.get("observedGeneration") != item["metadata"]["generation"]:
        return "not seen yet", False
    for entry in status.get("conditions", []):
        if entry["type"] == "Ready":
            message = entry.get("message", "").split("\n")[0]
            return f"{entry['reason']}: {message}", entry["status"] == "True"
    return "no Ready condition", False
