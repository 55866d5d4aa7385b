"""A cluster's one node: containerd, kubelet and kube-proxy.

They share a mount namespace of their own, because kubelet and the CNI plugins write to fixed paths
(/var/lib/kubelet, /var/lib/cni, /run/netns) that several nodes on one machine would fight over.
"""

import json
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from lab import addresses, cgroups
from lab.containerd import copy_store, run_containerd
from lab.network import enter
from lab.paths import ClusterPaths
from lab.process import Program, Recorded, run, start, wait_until
from lab.shape import Shape, number_of


class Node:
    """Starts the node's programs; the API server must answer already."""

    def __init__(self, shape: Shape, paths: ClusterPaths, programs: Path, image_store: Path) -> None:
        self._paths = paths
        self._programs = programs
        self._image_store = image_store
        self._pods = shape.pod_cidr(paths.name)
        self._number = number_of(paths.name)
        self._cni = paths.root / "cni"

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self._paths.name

    @property
    def name(self) -> str:
        """The Node's name."""
        return f"node-{self._paths.name}"

    def prepare(self) -> None:
        """Everything that needs no API server: cgroup, images, configuration."""
        cgroups.make(self._paths.name)
        copy_store(self._image_store, self._paths.containerd / "root")
        self._cni.mkdir(parents=True, exist_ok=True)
        (self._cni / "10-lab.conflist").write_text(json.dumps(_cni_configuration(self._pods, self._paths.root)))
        resolver = self._paths.root / "resolv.conf"
        resolver.write_text(f"nameserver {addresses.dns_service(self._number)}\n")
        self._kubelet_file.write_text(json.dumps(self._kubelet_configuration(resolver), indent=2))

    def start(self) -> list[Program]:
        """Starts containerd, kubelet and kube-proxy; the Node registers soon after."""
        holder = self._start_mount_namespace()
        inside = ["nsenter", f"--target={holder.handle.pid}", "--mount", "--net"]
        return [
            holder,
            run_containerd(
                inside, self._paths.containerd, self._cni, records=self._paths.processes, logs=self._paths.logs
            ),
            self._start("kubelet", [*inside, self._programs / "kubelet", *self._kubelet()]),
            self._start("kube-proxy", [*inside, self._programs / "kube-proxy", *self._proxy()]),
        ]

    def _start(self, program: str, command: Sequence[str | Path]) -> Program:
        return start(program, command, records=self._paths.processes, logs=self._paths.logs)

    def _start_mount_namespace(self) -> Program:
        """A process that does nothing but keep the node's mounts; they go when it ends."""
        command = [*enter(self._paths.name), "unshare", "--mount", "--propagation=slave", "sleep", "infinity"]
        holder = self._start("mounts", command)
        pid = holder.handle.pid
        own = Path("/proc/self/ns/mnt").readlink()
        wait_until(
            lambda: Recorded.running(pid) is not None and Path(f"/proc/{pid}/ns/mnt").readlink() != own,
            "a mount namespace of its own",
            programs=[holder],
            timeout_seconds=10,
            interval_seconds=0.02,
        )
        inside = ["nsenter", f"--target={pid}", "--mount"]
        private = {name: self._paths.root / name for name in ("kubelet", "var-lib-cni", "run-containerd")}
        fixed = ("/var/lib/kubelet", "/var/lib/cni", "/run/containerd")
        for folder, target in zip(private.values(), fixed, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            Path(target).mkdir(parents=True, exist_ok=True)
            run([*inside, "mount", "--bind", folder, target])
        run([*inside, "mount", "--make-rshared", "/var/lib/kubelet"])
        run([*inside, "mount", "-t", "tmpfs", "none", "/run/netns"])
        return holder

    @property
    def _kubelet_file(self) -> Path:
        return self._paths.root / "kubelet.json"

    def _kubelet(self) -> list[str]:
        region = f"region-{self._number}"
        return [
            f"--config={self._kubelet_file}",
            f"--kubeconfig={self._paths.kubeconfig('kubelet')}",
            f"--hostname-override={self.name}",
            f"--node-ip={addresses.node(self._number)}",
            # Each cluster in a region of its own, for calls that prefer what is near.
            f"--node-labels=topology.kubernetes.io/region={region},topology.kubernetes.io/zone={region}-a",
            "--root-dir=/var/lib/kubelet",
            f"--cert-dir={self._paths.root / 'kubelet-pki'}",
            # Leaves the node's addresses to us, so that it can have an ExternalIP: lab/node_addresses.py.
            "--cloud-provider=external",
            "--v=1",
        ]

    def _kubelet_configuration(self, resolver: Path) -> dict[str, object]:
        pki = self._paths.certificates
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # Kubernetes 1.38 will be the first that really needs cgroup v2.
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroups.name_of(self._paths.name)}",
            "cgroupsPerQOS": True,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{self._paths.containerd_socket}",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki / "kubelet.crt"),
            "tlsPrivateKeyFile": str(pki / "kubelet.key"),
            "clusterDomain": "cluster.local",
            "clusterDNS": [str(addresses.dns_service(self._number))],
            "resolvConf": str(resolver),
            "podLogsDir": str(self._paths.root / "pod-logs"),
            # The machine's disk is shared with whatever else is on it, so its fill level is no reason to evict.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "makeIPTablesUtilChains": False,
            # How long a changed Secret or ConfigMap may take to show in a Pod's files: this plus a cache.
            "syncFrequency": "5s",
            "nodeStatusUpdateFrequency": "10s",
            "healthzBindAddress": "127.0.0.1",
            "registerNode": True,
        }

    def _proxy(self) -> list[str]:
        return [
            f"--kubeconfig={self._paths.kubeconfig('proxy')}",
            f"--hostname-override={self.name}",
            "--proxy-mode=nftables",
            f"--cluster-cidr={self._pods}",
            "--metrics-bind-address=127.0.0.1:10249",
            "--healthz-bind-address=127.0.0.1:10256",
            # These belong to the whole machine; the lab must not change them.
            "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
            "--v=1",
        ]


def _cni_configuration(pods: IPv4Network, root: Path) -> dict[str, object]:
    on_this_node = next(pods.subnets(new_prefix=addresses.NODE_PREFIX))
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(root / "cni-addresses"),
            "ranges": [[{"subnet": str(on_this_node)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge, ports]}
