"""The command line: arguments, then one call."""

import argparse
import shlex
import signal
from typing import NoReturn

from . import build, cluster, deps, ui
from .components import NEEDED
from .errors import Failure
from .node import images, realnode
from .paths import ClusterPaths, known_clusters
from .processes import recorded
from .state import load

NODES = ("simulated", "real")


def main() -> int:
    """Runs the command and returns the exit code."""
    arguments = _parser().parse_args()
    # A polite kill is to be as clean as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return arguments.run(arguments) or 0
    except Failure as failure:
        ui.explain(failure)
        return 1
    except KeyboardInterrupt:
        ui.say("Interrupted.")
        return 130
    except BrokenPipeError:
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev/cluster", description=(
        "Local Kubernetes clusters with a real or with simulated nodes, for the demo and the tests. "
        "See dev/README.md."))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sub = commands.add_parser("build", help="build the pinned programs into the cache")
    sub.add_argument("--node", choices=(*NODES, "all"), default="all", help="only what this kind of node needs")
    sub.set_defaults(run=_build)

    sub = commands.add_parser("program", help="print the path of a pinned program, built if need be")
    sub.add_argument("program", metavar="NAME", choices=NEEDED["all"])
    sub.set_defaults(run=_program)

    sub = commands.add_parser("deps", help="install what the machine needs, or say what is missing")
    sub.add_argument("--node", choices=NODES, default="real")
    sub.add_argument("--tests", action="store_true", help="also what the tests need")
    sub.set_defaults(run=_deps)

    sub = commands.add_parser("up", help="start a cluster and wait until it is ready")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("--node", choices=NODES, required=True)
    sub.add_argument("--nodes", type=int, default=3, help="how many simulated nodes (default 3)")
    sub.add_argument("--keep-on-failure", action="store_true", help="leave what runs if it fails, to look at it")
    sub.set_defaults(run=_up)

    sub = commands.add_parser("down", help="stop a cluster and remove its folder")
    which = sub.add_mutually_exclusive_group(required=True)
    which.add_argument("name", metavar="NAME", nargs="?")
    which.add_argument("--all", action="store_true", help="every cluster of this checkout")
    sub.add_argument("--keep-logs", action="store_true", help="leave the folder of logs")
    sub.set_defaults(run=_down)

    sub = commands.add_parser("env", help="print the variables of a cluster, for eval")
    sub.add_argument("name", metavar="NAME")
    sub.set_defaults(run=_env)

    sub = commands.add_parser("status", help="show clusters and their processes; exit code 1 if one is not up")
    sub.add_argument("name", metavar="NAME", nargs="?")
    sub.set_defaults(run=_status)

    sub = commands.add_parser("load", help="import image archives (OCI or docker) into a real node")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("archives", metavar="IMAGE.tar", nargs="+")
    sub.set_defaults(run=_load)

    sub = commands.add_parser("logs", help="show the end of the components' logs")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("component", nargs="?", help="only this one, whole")
    sub.set_defaults(run=_logs)

    sub = commands.add_parser("node", help="run a command inside a real node's namespaces")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("argv", metavar="COMMAND", nargs=argparse.REMAINDER)
    sub.set_defaults(run=_node)
    return parser


def _build(arguments: argparse.Namespace) -> None:
    build.build_all(NEEDED[arguments.node])


def _program(arguments: argparse.Namespace) -> None:
    print(build.ensure([arguments.program])[arguments.program])


def _deps(arguments: argparse.Namespace) -> None:
    deps.ensure(arguments.node, arguments.tests)


def _up(arguments: argparse.Namespace) -> None:
    cluster.up(arguments.name, arguments.node, nodes=arguments.nodes, keep=arguments.keep_on_failure)


def _down(arguments: argparse.Namespace) -> None:
    names = known_clusters() if arguments.all else [arguments.name]
    if not names:
        ui.say("No cluster runs.")
    failures = []
    for name in names:
        try:
            cluster.down(name, keep_logs=arguments.keep_logs)
        except Failure as failure:  # the others are stopped all the same
            failures.append(failure)
    if failures:
        raise failures[0]


def _existing(name: str) -> ClusterPaths:
    paths = ClusterPaths(name)
    if load(paths) is None:
        known = ", ".join(n for n in known_clusters() if load(ClusterPaths(n))) or "none"
        raise Failure(f"there is no cluster {name} (there is: {known})",
                      todo=f"start it: dev/cluster up {name} --node simulated")
    return paths


def _env(arguments: argparse.Namespace) -> None:
    paths = _existing(arguments.name)
    print(f"export KUBECONFIG={shlex.quote(str(paths.kubeconfig))}")
    print(f"export POLDER_AUDIT_LOG={shlex.quote(str(paths.audit_log))}")
    print(f'export PATH={shlex.quote(str(paths.bin))}:"$PATH"')


def _status(arguments: argparse.Namespace) -> int:
    names = [arguments.name] if arguments.name else known_clusters()
    if not names:
        print("No cluster runs.")
    all_up = True
    for name in names:
        paths = ClusterPaths(name)
        state = load(paths)
        if state is None:
            print(f"{name}: not running")
            all_up = False
            continue
        is_up = cluster.healthy(paths) is not None
        all_up = all_up and is_up
        print(f"{name}: {'up' if is_up else 'NOT UP'}, node {state.node}, "
              f"Kubernetes {state.kubernetes}, {state.server}, since {state.created}")
        print(f"  folder {paths.root}")
        for process in recorded(paths):
            print(f"  {process.name:<24} pid {process.pid:<8} {'runs' if process.alive() else 'ENDED'}")
    return 0 if all_up else 1


def _load(arguments: argparse.Namespace) -> None:
    images.load_archives(_existing(arguments.name), arguments.archives)


def _logs(arguments: argparse.Namespace) -> None:
    paths = ClusterPaths(arguments.name)
    if not paths.logs.is_dir():  # there are logs after a failed start, too
        paths = _existing(arguments.name)
    if arguments.component:
        if not paths.log(arguments.component).exists():
            there = ", ".join(sorted(file.stem for file in paths.logs.glob("*.log")))
            raise Failure(f"there is no log of {arguments.component}", todo=f"choose one of: {there}")
        print(paths.log(arguments.component).read_text(errors="replace"), end="")
        return
    for file in sorted(paths.logs.glob("*.log")):
        if file == paths.audit_log:
            continue
        print(f"==> {file} <==")
        print("\n".join(ui.tail(file)), end="\n\n")


def _node(arguments: argparse.Namespace) -> NoReturn:
    command = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    realnode.run_inside(_existing(arguments.name), command or ["bash"])
