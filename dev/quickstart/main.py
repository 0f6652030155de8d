"""Arguments, and the order of the steps."""

from __future__ import annotations

import argparse
import sys

from . import install, own, prepare, show
from .progress import Failed, Progress
from .tools import ROOT, Cluster, run


def main() -> int:
    """The command line of the demo."""
    parser = argparse.ArgumentParser(prog="dev/demo", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "client"])
    parser.add_argument("--cluster", default="demo", help="name of the local cluster")
    parser.add_argument("--kubeconfig", help="use this cluster instead of a local one")
    parser.add_argument("--quiet", action="store_true", help="do not query and show the results")
    arguments = parser.parse_args()
    commands = {"up": up, "down": down, "client": client}
    try:
        return commands[arguments.command](arguments)
    except KeyboardInterrupt:
        print("\ninterrupted; `make demo` goes on where it was, `make demo-down` cleans up",
              file=sys.stderr)  # fmt: skip
        return 130
    except Failed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def up(arguments: argparse.Namespace) -> int:
    """Everything, from a bare machine to query results."""
    progress = Progress()
    given = Cluster.given(arguments.kubeconfig) if arguments.kubeconfig else None
    if given:
        own.fit(progress, given)
        install.rehearse(given)
    built = prepare.prepare(progress, with_images=not given)
    if given:
        cluster = given
    else:
        name = arguments.cluster
        with progress.step("start the control plane and the node"):
            run("dev/cluster", "up", name, "--node", "real", log=prepare.logs() / "cluster.log")
        with progress.step("load the images into the node"):
            run("dev/cluster", "load", name, *built.images, log=prepare.logs() / "load.log")
        cluster = Cluster.named(name)
    try:
        install.install(progress, cluster)
        install.example(progress, cluster)
        if not arguments.quiet:
            show.show(progress, cluster, built.client)
    except Failed as error:
        raise Failed(f"{show.diagnosis(cluster)}\n\n{error}") from error
    print(f"Done. Where the time went:\n{progress.summary()}\n")
    if not arguments.quiet:
        print(what_next(arguments))
    return 0


def down(arguments: argparse.Namespace) -> int:
    """Stops the local cluster; everything in it goes with it."""
    run("dev/cluster", "down", arguments.cluster)
    print(f"The local cluster {arguments.cluster} and everything in it is gone.")
    return 0


def client(_: argparse.Namespace) -> int:
    """Prints the Python that has the PySpark client."""
    print(prepare.client())
    return 0


def what_next(arguments: argparse.Namespace) -> str:
    """Where to look, and how to stop."""
    reach = (
        f"export KUBECONFIG={arguments.kubeconfig}"
        if arguments.kubeconfig
        else f'eval "$(dev/cluster env {arguments.cluster})"   # kubectl and helm for this cluster'
    )
    stop = "\n  ".join(install.REMOVE) if arguments.kubeconfig else "make demo-down"
    return f"""What to look at next, from {ROOT}:
  {reach}
  kubectl get polder -A                          all domains and workloads, at a glance
  kubectl describe domain weather                quota in use, and every condition in words
  kubectl get pods,pvc -n weather                drivers, workers, and their shuffle volumes
  kubectl explain domain.spec                    the reference, field by field
  kubectl patch domain weather --type merge -p '{{"spec": {{"suspend": true}}}}'   stop all compute, keep all data
  examples/quickstart/                           what was applied
To stop, and leave nothing behind:
  {stop}"""
