"""The configuration files of a real node's components.

JSON is YAML, so what is structured is written as JSON. Paths under /run exist
inside the node only.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from ..paths import ClusterPaths
from ..state import State
from .network import MTU

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/polder-dev/pause:1"
CNI_PLUGINS = "/usr/lib/cni"


def write_all(paths: ClusterPaths, state: State) -> None:
    """Writes every file into the cluster's folder `config`."""
    cni = paths.config / "cni"
    cni.mkdir(exist_ok=True)
    _write_json(cni / "10-pods.conflist", _cni(state))
    (paths.config / "containerd.toml").write_text(_containerd(paths))
    (paths.config / "Corefile").write_text(_corefile(paths, state))
    _write_json(paths.config / "kubelet.json", _kubelet(paths, state))
    _write_json(paths.config / "kube-proxy.json", _kube_proxy(paths, state))


def _write_json(target: Path, content: dict[str, Any]) -> None:
    target.write_text(json.dumps(content, indent=2) + "\n")


def _containerd(paths: ClusterPaths) -> str:
    return f"""\
version = 2
root = "/run/node/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/run/node/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE a score below our own cannot be set, and no pod would start.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{_snapshotter(paths.node)}"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{paths.config / 'cni'}"
"""


def _snapshotter(folder: Path) -> str:
    """overlayfs, unless the folder itself lies on one, as in a development container."""
    kind, longest = "", -1
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, found, *_ = line.split()
        if folder.is_relative_to(point) and len(point) > longest:
            kind, longest = found, len(point)
    return "native" if kind == "overlay" else "overlayfs"


def _cni(state: State) -> dict[str, Any]:
    # ptp and not bridge: every packet between two pods is routed, so that the
    # answer of a service's pod passes the node's address translation again.
    # Across a bridge that takes br_netfilter, which a kernel may lack.
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "mtu": MTU,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni/addresses",
                    "ranges": [[{"subnet": str(state.network.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _kubelet(paths: ClusterPaths, state: State) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(state.network.node),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(paths.certs / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(paths.certs / "kubelet.crt"),
        "tlsPrivateKeyFile": str(paths.certs / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup(paths)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDomain": "cluster.local",
        "clusterDNS": [str(state.network.dns)],
        # A changed Secret reaches its pods within this time, and not only every minute.
        "syncFrequency": "15s",
        # The machine's resolver cannot be reached from the node.
        "resolvConf": "",
        "podLogsDir": str(paths.logs / "pods"),
        "volumePluginDir": "/run/node/volume-plugins",
        "maxPods": 110,
        # The disk is the developer's own: only a machine that is really full evicts.
        "evictionHard": {
            "memory.available": "64Mi",
            "nodefs.available": "256Mi",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "256Mi",
        },
        # Images were loaded by hand and come from no registry: never collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def _kube_proxy(paths: ClusterPaths, state: State) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(paths.config / "kube-proxy.kubeconfig")},
        "mode": "iptables",
        "clusterCIDR": str(state.network.pods),
        # These settings belong to the machine, not to the node's namespace.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _corefile(paths: ClusterPaths, state: State) -> str:
    # Nothing outside the cluster can be reached, so other names get a quick
    # "no such name" instead of a time-out.
    return f"""\
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind {state.network.node}
    errors
    ready 127.0.0.1:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig "{paths.config / 'coredns.kubeconfig'}"
        pods insecure
        ttl 5
    }}
    cache 5
}}
.:53 {{
    bind {state.network.node}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def cgroup(paths: ClusterPaths) -> str:
    """The name of the node's control group: unlike that of any other checkout's cluster."""
    return f"polder-{paths.name}-{hashlib.sha256(str(paths.root).encode()).hexdigest()[:8]}"
