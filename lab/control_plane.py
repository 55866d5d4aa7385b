"""A cluster's control plane: etcd, the API server and the controllers, on the cluster's own network."""

from collections.abc import Sequence
from pathlib import Path

from lab import addresses
from lab.kubernetes_api import KubernetesApi
from lab.network import enter
from lab.paths import ClusterPaths
from lab.process import Program, start, wait_until
from lab.shape import Shape, number_of

_ETCD = "http://127.0.0.1:2379"
_SECONDS_FOR_ONE = 60
_SECONDS_FOR_EACH = 10
"""Clusters start at the same time and share the machine's cores, so each further one slows all of them."""


class ControlPlane:
    """Starts the programs in the order they need each other."""

    def __init__(self, shape: Shape, paths: ClusterPaths, programs: Path) -> None:
        self._shape = shape
        self._paths = paths
        self._programs = programs
        self._number = number_of(paths.name)
        self._timeout_seconds = _SECONDS_FOR_ONE + _SECONDS_FOR_EACH * shape.clusters

    def start(self) -> list[Program]:
        """Returns the running programs once the API server says that it is ready."""
        running = [self._start("etcd", self._etcd()), self._start("kube-apiserver", self._api_server())]
        api = KubernetesApi(self._paths)
        wait_until(
            api.ready,
            f"API server of {self._paths.name} ready",
            programs=running,
            timeout_seconds=self._timeout_seconds,
        )
        running.append(self._start("kube-controller-manager", self._controller_manager()))
        if self._shape.nodes:
            running.append(self._start("kube-scheduler", self._scheduler()))
        return running

    def _start(self, program: str, arguments: Sequence[str]) -> Program:
        command = [*enter(self._paths.name), self._programs / program, *arguments]
        return start(program, command, records=self._paths.processes, logs=self._paths.logs)

    def _etcd(self) -> list[str]:
        return [
            f"--data-dir={self._paths.root / 'etcd'}",
            # The lab's state need not survive a power failure, and fsync is most of what etcd waits for.
            "--unsafe-no-fsync",
            f"--listen-client-urls={_ETCD}",
            f"--advertise-client-urls={_ETCD}",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--log-level=warn",
        ]

    def _api_server(self) -> list[str]:
        pki = self._paths.certificates
        return [
            f"--etcd-servers={_ETCD}",
            f"--advertise-address={addresses.node(self._number)}",
            "--bind-address=0.0.0.0",
            f"--secure-port={addresses.API_SERVER_PORT}",
            f"--service-cluster-ip-range={addresses.service_range(self._number)}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki / 'service-account.pub'}",
            f"--service-account-signing-key-file={pki / 'service-account.key'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={pki / 'admin.crt'}",
            f"--kubelet-client-key={pki / 'admin.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--requestheader-client-ca-file={pki / 'ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={pki / 'front-proxy.crt'}",
            f"--proxy-client-key-file={pki / 'front-proxy.key'}",
            # One API server for ever: leases to find out who else serves would be writes for nothing.
            "--endpoint-reconciler-type=master-count",
            "--profiling=false",
            "--v=1",
        ]

    def _controller_manager(self) -> list[str]:
        pki, pods = self._paths.certificates, self._shape.pod_cidr(self._paths.name)
        return [
            *self._client("controller-manager"),
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--service-account-private-key-file={pki / 'service-account.key'}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            "--use-service-account-credentials=true",
            "--allocate-node-cidrs=true",
            f"--cluster-cidr={pods}",
            f"--node-cidr-mask-size={addresses.NODE_PREFIX}",
            f"--cluster-name={self._paths.name}",
            "--v=1",
        ]

    def _scheduler(self) -> list[str]:
        return [*self._client("scheduler"), "--v=1"]

    def _client(self, user: str) -> list[str]:
        kubeconfig = self._paths.kubeconfig(user)
        return [
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ]
