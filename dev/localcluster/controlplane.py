"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as host processes."""

from pathlib import Path

from . import kubeconfig
from .api import Api, wait_until
from .paths import MANIFESTS, ClusterPaths
from .processes import Process, check_alive, start
from .state import State

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"


class ControlPlane:
    """Starts the control plane of one cluster."""

    def __init__(self, paths: ClusterPaths, state: State, programs: dict[str, Path]) -> None:
        self.paths = paths
        self.state = state
        self.programs = programs
        self.api = Api(state.server, paths.certs)
        self.processes: list[Process] = []

    def start_api_server(self) -> None:
        """Starts etcd and the API server, and waits until it serves."""
        # Both at once: the API server tries again until etcd answers.
        self._start("etcd", self._etcd())
        self._start("kube-apiserver", self._api_server())
        wait_until(
            "the API server is ready", self.api.ready, alive=self.check,
            timeout=90, log=self.paths.log("kube-apiserver"),
        )

    def start_controllers(self) -> None:
        """Starts the controller manager and the scheduler; needs the API server."""
        for name in ("kube-controller-manager", "kube-scheduler"):
            self.kubeconfig(name)
        self._start("kube-controller-manager", self._controller_manager())
        self._start("kube-scheduler", self._scheduler())

    def wait_for_controllers(self) -> None:
        """Waits until a pod could be made: its service account exists."""
        wait_until(
            "the default service account exists",
            lambda: self.api.get("/api/v1/namespaces/default/serviceaccounts/default") is not None,
            alive=self.check, timeout=60, log=self.paths.log("kube-controller-manager"),
        )

    def check(self) -> None:
        """Raises when a component has ended."""
        check_alive(self.paths, self.processes)

    def kubeconfig(self, identity: str) -> Path:
        """Writes the kubeconfig of a component."""
        target = self.paths.config / f"{identity}.kubeconfig"
        kubeconfig.write(
            target, cluster=self.state.name, server=self.state.server,
            certs=self.paths.certs, identity=identity,
        )
        return target

    def _start(self, name: str, arguments: list[str]) -> None:
        self.processes.append(start(self.paths, name, [self.programs[name], *arguments]))

    def _etcd(self) -> list[str]:
        client = f"http://127.0.0.1:{self.state.ports['etcd']}"
        peer = f"http://127.0.0.1:{self.state.ports['etcd-peer']}"
        return [
            "--name=dev",
            f"--data-dir={self.paths.etcd}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=dev={peer}",
            # Data that does not outlive the cluster need not survive a power cut.
            "--unsafe-no-fsync",
            # One member elects itself: no reason to wait a second for rivals.
            "--heartbeat-interval=20",
            "--election-timeout=100",
            "--quota-backend-bytes=4294967296",
        ]

    def _api_server(self) -> list[str]:
        certs = self.paths.certs
        real = self.state.slot is not None
        return [
            f"--etcd-servers=http://127.0.0.1:{self.state.ports['etcd']}",
            f"--bind-address={self.state.host}",
            f"--secure-port={self.state.ports['kube-apiserver']}",
            f"--advertise-address={self.state.host}",
            # A loopback address cannot be the endpoint of the kubernetes service.
            f"--endpoint-reconciler-type={'lease' if real else 'none'}",
            f"--service-cluster-ip-range={self.state.services}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--tls-cert-file={certs / 'apiserver.crt'}",
            f"--tls-private-key-file={certs / 'apiserver.key'}",
            f"--client-ca-file={certs / 'ca.crt'}",
            f"--kubelet-client-certificate={certs / 'apiserver-kubelet-client.crt'}",
            f"--kubelet-client-key={certs / 'apiserver-kubelet-client.key'}",
            f"--kubelet-certificate-authority={certs / 'ca.crt'}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
            f"--service-account-key-file={certs / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={certs / 'service-accounts.key'}",
            f"--audit-policy-file={MANIFESTS / 'audit-policy.yaml'}",
            f"--audit-log-path={self.paths.audit_log}",
            "--audit-log-format=json",
            # Written before the answer is sent: who has the answer can count on it.
            "--audit-log-mode=blocking",
            # In MB; large enough never to be rotated away under a test.
            "--audit-log-maxsize=10000",
        ]

    def _controller_manager(self) -> list[str]:
        certs = self.paths.certs
        arguments = [
            f"--kubeconfig={self.paths.config / 'kube-controller-manager.kubeconfig'}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.state.ports['kube-controller-manager']}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--root-ca-file={certs / 'ca.crt'}",
            f"--service-account-private-key-file={certs / 'service-accounts.key'}",
            f"--cluster-signing-cert-file={certs / 'ca.crt'}",
            f"--cluster-signing-key-file={certs / 'ca.key'}",
            "--resource-quota-sync-period=10s",
            "--pvclaimbinder-sync-period=5s",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ]
        if self.state.slot is not None:
            pods = self.state.network.pods
            arguments += [
                "--allocate-node-cidrs=true",
                f"--cluster-cidr={pods}",
                f"--node-cidr-mask-size={pods.prefixlen}",
                f"--service-cluster-ip-range={self.state.services}",
            ]
        return arguments

    def _scheduler(self) -> list[str]:
        return [
            f"--kubeconfig={self.paths.config / 'kube-scheduler.kubeconfig'}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.state.ports['kube-scheduler']}",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ]
