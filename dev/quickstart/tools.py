"""Calls of other programs, with errors that show what they printed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .progress import Failed

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(
    os.environ.get("POLDER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polder"
)


def run(
    *command: str | Path,
    env: dict[str, str] | None = None,
    log: Path | None = None,
    input: str | None = None,
    timeout: float = 3600,
) -> str:
    """Runs a program and returns what it printed on standard output.

    Standard error goes to `log` where one is given. A program that fails raises `Failed` with the
    end of what it printed.
    """
    arguments = [str(part) for part in command]
    errors = log.open("a") if log else subprocess.PIPE
    try:
        result = subprocess.run(
            arguments,
            cwd=ROOT,
            env=env or dict(os.environ),
            input=input,
            stdin=None if input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"`{' '.join(arguments)}` did not end within {timeout:.0f} s") from error
    except FileNotFoundError as error:
        raise Failed(f"{arguments[0]} is not installed") from error
    if result.returncode != 0:
        printed = log.read_text()[-4000:] if log else result.stderr[-4000:]
        raise Failed(
            f"`{' '.join(arguments)}` ended with code {result.returncode}:\n"
            f"{result.stdout[-2000:]}{printed}" + (f"\nAll of it: {log}" if log else "")
        )
    return result.stdout


@dataclass
class Cluster:
    """A cluster to work on: the programs and the environment to reach it with."""

    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    local: str | None = None
    #: arguments of helm, and texts of the example with what stands for them here
    values: list[str] = field(default_factory=list)
    replacements: dict[str, str] = field(default_factory=dict)

    @classmethod
    def named(cls, name: str) -> Cluster:
        """A local cluster that is up."""
        env = dict(os.environ)
        for line in run("dev/cluster", "env", name).splitlines():
            line = line.strip()
            if line.startswith("export "):
                key, _, value = line.removeprefix("export ").partition("=")
                value = value.strip().strip("'\"")
                env[key] = os.path.expandvars(value.replace("$PATH", env["PATH"]))
        return cls(env=env, local=name)

    @classmethod
    def given(cls, kubeconfig: str) -> Cluster:
        """The user's own cluster, if it answers."""
        if not Path(kubeconfig).is_file():
            raise Failed(f"KUBECONFIG={kubeconfig}: there is no such file")
        for program in ("kubectl", "helm"):
            if not shutil.which(program):
                raise Failed(f"{program} is not installed: your own cluster is reached with yours")
        cluster = cls(env={**os.environ, "KUBECONFIG": kubeconfig})
        try:
            cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=10s", timeout=60)
        except Failed as error:
            why = str(error).strip().splitlines()[-1]
            raise Failed(f"KUBECONFIG={kubeconfig}: the API server does not answer: {why}") from error
        return cluster

    def kubectl(self, *arguments: str | Path, timeout: float = 600) -> str:
        """kubectl on this cluster."""
        return run("kubectl", *arguments, env=self.env, timeout=timeout)

    def helm(self, *arguments: str | Path) -> str:
        """helm on this cluster."""
        return run("helm", *arguments, env=self.env, timeout=600)
