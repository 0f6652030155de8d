"""What has to be built once; later runs find it in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .progress import Failed, Progress
from .tools import CACHE, ROOT, run

# The client that the demo queries with. It is pure Python: no Java, no Spark.
CLIENT = [
    "googleapis-common-protos==1.76.0",
    "grpcio==1.85.1",
    "grpcio-status==1.85.1",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "protobuf==7.36.2",
    "pyarrow==26.0.1",
    "pyspark-client==4.1.3",
    "python-dateutil==4.0.0",
    "PyYAML==6.0.3",
    "typing_extensions==4.16.0",
    "tzdata==2026.6",
    "zstandard==0.25.0",
]


@dataclass
class Built:
    """What the other steps use."""

    images: list[Path]
    client: Path


def logs() -> Path:
    """Folder for what builds print."""
    folder = ROOT / ".dev" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare(progress: Progress, with_images: bool) -> Built:
    """Builds programs, operator, images and client; side by side, as most of it is waiting.

    On the user's own cluster only the client is needed: kubectl and helm are the user's.
    """
    if not with_images:
        with progress.step("make the Python client"):
            return Built(images=[], client=client())
    for name in ("cargo", "go"):
        if not shutil.which(name):
            raise Failed(f"{name} is not installed: Polder builds with Rust (rustup) and Go")
    with progress.step("install what the system lacks"):
        run("dev/cluster", "deps", "--node", "real", log=logs() / "deps.log")
    images: dict[str, str] = {}

    def operator() -> None:
        run("dev/release", log=logs() / "cargo.log")
        images["polder"] = run("dev/images/build", "polder", log=logs() / "image-polder.log")

    def example_images() -> None:
        images["spark"] = run("dev/images/build", "spark", log=logs() / "image-spark.log")
        images["postgres"] = run("dev/images/build", "postgres", log=logs() / "image-postgres.log")

    jobs = {
        "build Kubernetes, etcd, helm": lambda: run(
            "dev/cluster", "build", log=logs() / "programs.log"
        ),
        "make the Python client": client,
        "build the operator and its image": operator,
        "build the Spark and PostgreSQL images": example_images,
    }
    side_by_side(progress, jobs)
    paths = [Path(line) for text in images.values() for line in text.split() if line]
    return Built(images=paths, client=client())


def side_by_side(progress: Progress, jobs: dict[str, Callable[[], object]]) -> None:
    """Runs jobs at the same time; the first failure is raised once all have ended."""
    failures: list[BaseException] = []

    def work(name: str, job: Callable[[], object]) -> None:
        begin = time.monotonic()
        try:
            job()
            progress.record(name, time.monotonic() - begin)
        except BaseException as error:  # noqa: BLE001 - raised below, in the main thread
            failures.append(error)

    for name in jobs:
        progress.say(f"{name} ...")
    threads = [threading.Thread(target=work, args=item, daemon=True) for item in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def client() -> Path:
    """A Python with the PySpark client, as a virtual environment in the cache."""
    key = hashlib.sha256(" ".join([sys.version, *CLIENT]).encode()).hexdigest()[:12]
    folder = CACHE / "client" / key
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", folder)
        run(python, "-m", "pip", "install", "--quiet", *CLIENT, env=pip_environment())
        (folder / "complete").touch()
    return python


def pip_environment() -> dict[str, str]:
    """The user's own settings of pip, without its chatter."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
