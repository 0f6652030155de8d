"""The programs of the local cluster, each pinned by a Go module under dev/go/.

A module's go.mod and go.sum name every byte that the program is built from.
To change a version, change it there; the cache key follows.
"""

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import Failure
from .paths import DEV, cache_home

BUILD_FLAGS = ("-buildvcs=false", "-trimpath", "-mod=readonly")


@dataclass(frozen=True)
class Component:
    """One wrapper module and the programs it builds."""

    name: str
    programs: dict[str, str]
    """Program to Go package; "." is the wrapper's own main package."""
    pinned_by: str = ""
    """The required module whose version is the component's; none for our own code."""
    stamps: tuple[str, ...] = ()
    """Linker stamps, `{version}`, `{major}` and `{minor}` filled in."""
    extras: tuple[str, ...] = ()
    """Folders of the pinned module that are kept beside the programs, under their last name."""

    @property
    def module(self) -> Path:
        """The folder of the wrapper module."""
        return DEV / "go" / self.name

    @property
    def overlay(self) -> dict[str, Path]:
        """Files that take the place of the pinned module's own, by their path in it."""
        folder = self.module / "overlay"
        files = sorted(folder.rglob("*.go")) if folder.is_dir() else []
        return {str(file.relative_to(folder)): file for file in files}

    @property
    def version(self) -> str:
        """The pinned version, without the "v"; "dev" for our own code."""
        if not self.pinned_by:
            return "dev"
        text = (self.module / "go.mod").read_text()
        found = re.search(rf"^(?:require |\t){re.escape(self.pinned_by)} v(\S+)", text, re.MULTILINE)
        if not found:
            raise Failure(f"{self.module / 'go.mod'} does not require {self.pinned_by}")
        return found.group(1)

    @property
    def ldflags(self) -> str:
        """The linker's flags: stripped, with the version stamped in."""
        major, minor, *_ = [*self.version.split("."), "", ""]
        filled = [s.format(version=self.version, major=major, minor=minor) for s in self.stamps]
        return " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in filled)])

    @property
    def key(self) -> str:
        """Names the cache folder: changes whenever a byte that is built changes."""
        digest = hashlib.sha256()
        digest.update(repr((BUILD_FLAGS, self.ldflags, platform.system(), platform.machine())).encode())
        for file in sorted(self.module.iterdir()):
            if file.name in ("go.mod", "go.sum") or file.suffix == ".go":
                digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
        for path, file in self.overlay.items():
            digest.update(f"\0{path}\0".encode() + file.read_bytes())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def folder(self) -> Path:
        """Where the built programs lie."""
        return cache_home() / "bin" / self.key


def _kubernetes() -> Component:
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return Component(
        name="kubernetes",
        pinned_by="k8s.io/kubernetes",
        programs={
            program: f"k8s.io/kubernetes/cmd/{program}"
            for program in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubectl",
                "kubelet",
                "kube-proxy",
            )
        },
        stamps=tuple(
            f"{package}.{stamp}"
            for package in packages
            for stamp in ("gitVersion=v{version}", "gitMajor={major}", "gitMinor={minor}")
        ),
    )


KUBERNETES = _kubernetes()
ETCD = Component("etcd", {"etcd": "."}, pinned_by="go.etcd.io/etcd/server/v3")
PROVISIONER = Component("provisioner", {"provisioner": "."})
KWOK = Component("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, pinned_by="sigs.k8s.io/kwok")
COREDNS = Component("coredns", {"coredns": "."}, pinned_by="github.com/coredns/coredns")
PAUSE = Component("pause", {"pause": "."})
EXTERNAL_SECRETS = Component(
    "eso",
    {"external-secrets": "."},
    pinned_by="github.com/external-secrets/external-secrets",
    extras=("config/crds/bases",),
)
ARGO_CD = Component(
    "argocd",
    {"argocd": "."},
    pinned_by="github.com/argoproj/argo-cd/v3",
    extras=("manifests/crds",),
)
NETPOL = Component("netpol", {"netpol": "."}, pinned_by="github.com/mattfenwick/cyclonus")
HELM = Component(
    "helm",
    {"helm": "helm.sh/helm/v3/cmd/helm"},
    pinned_by="helm.sh/helm/v3",
    stamps=(
        "helm.sh/helm/v3/internal/version.version=v{version}",
        # What `helm template` and `helm lint` take for the cluster's version.
        *(
            f"helm.sh/helm/v3/pkg/{package}.k8sVersion{part}={value}"
            for package in ("chartutil", "lint/rules")
            for part, value in zip(("Major", "Minor"), KUBERNETES.version.split("."), strict=False)
        ),
    ),
)
# Takes the cluster's version for `helm template` from its own k8s.io/client-go.
HELM4 = Component(
    "helm4",
    {"helm4": "."},
    pinned_by="helm.sh/helm/v4",
    stamps=("helm.sh/helm/v4/internal/version.version=v{version}",),
)
KUBECONFORM = Component(
    "kubeconform",
    {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
    pinned_by="github.com/yannh/kubeconform",
    stamps=("main.version=v{version}",),
)

OTELCOL = Component(
    "otelcol",
    {"otelcol": "."},
    pinned_by="github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver",
)
VICTORIA_LOGS = Component(
    "victorialogs",
    {"victoria-logs": "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"},
    pinned_by="github.com/VictoriaMetrics/VictoriaLogs",
)
# The operator itself would take longer to build than all that tests could see of it.
PROMETHEUS_CRDS = Component(
    "prometheus-crds",
    {"prometheus-crds": "."},
    pinned_by="github.com/prometheus-operator/prometheus-operator",
)

# What a simulated cluster needs comes first: it is usable before the rest is built.
ALL = (KUBERNETES, ETCD, PROVISIONER, KWOK, COREDNS, PAUSE, HELM, EXTERNAL_SECRETS, NETPOL,
       HELM4, KUBECONFORM, PROMETHEUS_CRDS, ARGO_CD, VICTORIA_LOGS, OTELCOL)

CONTROL_PLANE = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "provisioner",
)
NEEDED = {
    "simulated": (*CONTROL_PLANE, "kwok"),
    "real": (*CONTROL_PLANE, "kubelet", "kube-proxy", "coredns", "pause"),
    "all": tuple(program for component in ALL for program in component.programs),
}
"""The programs that `up` needs, by kind of node; `all` adds what tests and people use."""
