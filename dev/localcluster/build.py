"""Builds the pinned programs once, into a cache folder keyed by their sources."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from . import ui
from .components import ALL, BUILD_FLAGS, KUBERNETES, Component
from .errors import Failure
from .paths import lock

ENVTEST_PROGRAMS = ("kube-apiserver", "etcd", "kubectl")
"""What KUBEBUILDER_ASSETS holds, by the convention of controller-runtime's envtest."""


def assets() -> Path | None:
    """The folder of ready-made programs that the user asks for."""
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if not given:
        return None
    folder = Path(given).absolute()
    missing = [name for name in ENVTEST_PROGRAMS if not os.access(folder / name, os.X_OK)]
    if missing:
        raise Failure(
            f"KUBEBUILDER_ASSETS is {folder}, which lacks {', '.join(missing)}",
            todo="name a folder that has them, or unset it to have them built",
        )
    return folder


def ensure(programs: Iterable[str]) -> dict[str, Path]:
    """The paths of the programs, building those that the cache does not have."""
    wanted = list(programs)
    found: dict[str, Path] = {}
    if folder := assets():
        found = {name: folder / name for name in ENVTEST_PROGRAMS if name in wanted}
    for component in ALL:
        mine = [name for name in component.programs if name in wanted and name not in found]
        if mine:
            _ensure_component(component, mine)
            found |= {name: component.folder / name for name in mine}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise Failure(f"nothing builds {', '.join(unknown)}")
    return found


def build_all(programs: Iterable[str]) -> None:
    """`dev/cluster build`: as `ensure`, and says what it found."""
    start = time.monotonic()
    found = ensure(programs)
    if folder := assets():
        ui.say(f"  {', '.join(ENVTEST_PROGRAMS)}: taken from KUBEBUILDER_ASSETS, {folder}")
    for folder in sorted({path.parent for path in found.values()}):
        ui.say(f"  {folder}: {', '.join(n for n, p in found.items() if p.parent == folder)}")
    ui.say(f"All {len(found)} programs are there ({time.monotonic() - start:.1f} s).")


def _missing(component: Component, programs: list[str]) -> list[str]:
    return [name for name in programs if not (component.folder / name).exists()]


def _ensure_component(component: Component, programs: list[str]) -> None:
    if not _missing(component, programs):
        return
    # Two runs at once: the second waits here, and then finds everything built.
    with lock(component.folder.parent / f".{component.key}.lock"):
        missing = _missing(component, programs)
        if missing:
            _build(component, missing)


def _build(component: Component, programs: list[str]) -> None:
    go = shutil.which("go")
    if go is None:
        raise Failure(
            "the Go toolchain is not in PATH",
            todo="install Go 1.26 or newer from https://go.dev/dl/ and try again",
        )
    target = component.folder
    target.mkdir(parents=True, exist_ok=True)
    title = component.name
    if component is KUBERNETES:
        title += f" ({', '.join(programs)})"
    # On the same file system as the target, so that the rename below is atomic:
    # a program is there whole or not at all.
    scratch = tempfile.TemporaryDirectory(dir=target, prefix=".build-")
    with ui.step(f"build {title} {component.version}"), scratch as temporary:
        out = Path(temporary)
        source, flags = component.module, []
        if component.overlay or component.extras:
            upstream = _download(go, component)
            for extra in component.extras:
                shutil.copytree(upstream / extra, target / Path(extra).name, dirs_exist_ok=True)
            source, flags = _overlaid(component, upstream, out / "source")
        _go_build(go, component, programs, source, [*flags, "-o", f"{out}/"])
        for name in programs:
            (out / name).rename(target / name)


def _download(go: str, component: Component) -> Path:
    """The pinned module's own files; go.sum vouches for them."""
    wanted = f"{component.pinned_by}@v{component.version}"
    result = _go([go, "mod", "download", "-json", wanted], component, component.module)
    return Path(json.loads(result)["Dir"])


def _overlaid(component: Component, upstream: Path, source: Path) -> tuple[Path, list[str]]:
    """A copy of the wrapper that builds upstream's files with some replaced.

    Go replaces no file in its module cache, but does so below any other path,
    and a link is one.
    """
    shutil.copytree(component.module, source)
    (source / "upstream").symlink_to(upstream)
    with (source / "go.mod").open("a") as file:
        file.write(f"\nreplace {component.pinned_by} => ./upstream\n")
    replaced = {str(source / "upstream" / path): str(file) for path, file in component.overlay.items()}
    overlay = source / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replaced}))
    return source, ["-overlay", str(overlay)]


def _go_build(go: str, component: Component, programs: list[str], source: Path, flags: list[str]) -> None:
    packages = [component.programs[name] for name in programs]
    _go([go, "build", *BUILD_FLAGS, "-ldflags", component.ldflags, *flags, *packages], component, source)


def _go(command: list[str], component: Component, folder: Path) -> str:
    """Runs Go; what it prints on its standard output."""
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    log = component.folder / "build.log"
    with log.open("wb") as errors:
        result = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=errors, check=False)
    if result.returncode != 0:
        raise Failure(
            f"building {component.name} {component.version} failed",
            log=log,
            todo="see whether the Go module proxy can be reached (`go env GOPROXY`) and the disk has room",
        )
    log.unlink()
    return result.stdout.decode()
