"""What `lab status` shows: clusters, where they are, what they use, and what about them isn't the real thing."""

import http.client
import os
from dataclasses import dataclass
from pathlib import Path

from lab import addresses, cgroups, leftovers, node_addresses, plugins
from lab.build import on_path
from lab.kubernetes_api import ApiError, KubernetesApi
from lab.paths import ClusterPaths
from lab.process import Recorded
from lab.shape import Shape, number_of


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster at the moment it was asked."""

    name: str
    api_server: str
    network: str
    pod_cidr: str
    service_cidr: str
    api: str
    """`ready` or what is wrong."""
    node: str
    pods: str
    """Running of all."""
    load_balancers: tuple[str, ...]
    memory_mib: int
    dead: tuple[str, ...]
    """Programs that were started and are no longer there."""


@dataclass(frozen=True)
class Piece:
    """A part of the lab and what plays it."""

    name: str
    stand_in: bool
    what: str


def of_clusters(shape: Shape) -> list[ClusterStatus]:
    """The state of every cluster, asked of its API server."""
    return [_of_cluster(shape, name) for name in shape.names]


def pieces() -> list[Piece]:
    """What is real here and what is a stand-in."""
    language, tls = plugins.real_language_host(), plugins.real_tls_provider()
    node = on_path("pulumi") is None
    return [
        Piece("pulumi engine, kubernetes provider", False, "published sources, built here or found on PATH"),
        Piece("Kubernetes, etcd, containerd, runc", False, "published sources and Debian packages"),
        Piece("istiod, pilot-agent, istioctl, charts", False, "published sources"),
        Piece("python language host", language is None, str(language or "lab/language_host.py")),
        Piece("yaml language host", False, "published sources, built here or found on PATH"),
        Piece("node language host", node, "lab/go/pulumi-nodejs" if node else "of the pulumi on PATH"),
        Piece("tls provider", tls is None, str(tls or "lab/tls_provider.py: PrivateKey only")),
        Piece("Envoy", True, "upstream's build, without Istio's filters: no Istio metrics, lab/telemetry.py"),
        Piece("load balancer", True, "lab/loadbalancer.py"),
        Piece("cluster DNS", True, "lab/dns.py"),
        Piece("cloud controller", True, "lab/node_addresses.py: the node's addresses"),
    ]


def _of_cluster(shape: Shape, name: str) -> ClusterStatus:
    number, processes = number_of(name), _processes(name)
    api, node, pods, balancers = _asked(shape, name)
    alive = [p for p in processes.values() if p.alive]
    return ClusterStatus(
        name=name,
        api_server=addresses.api_server(number),
        network=next((n for n, members in shape.networks.items() if name in members), f"{name} (its own)"),
        pod_cidr=str(shape.pod_cidr(name)),
        service_cidr=str(addresses.service_range(number)),
        api=api,
        node=node,
        pods=pods,
        load_balancers=balancers,
        memory_mib=sum(_resident_mib(p) for p in [*alive, *cgroups.members(name)]),
        dead=tuple(program for program, process in processes.items() if not process.alive),
    )


def _asked(shape: Shape, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    try:
        api = KubernetesApi(ClusterPaths.of(name))
        if not api.ready():
            return "not ready", "?", "?", ()
        nodes, pods = api.get("/api/v1/nodes")["items"], api.get("/api/v1/pods")["items"]
        services = api.get("/api/v1/services")["items"]
    except (OSError, ApiError, http.client.HTTPException) as error:
        return f"no answer ({error})", "?", "?", ()
    ready = "Ready" if nodes and node_addresses.is_ready(nodes[0]) else "not ready"
    running = sum(pod.get("status", {}).get("phase") == "Running" for pod in pods)
    balancers = [
        f"{s['metadata']['namespace']}/{s['metadata']['name']} {i.get('ip') or i.get('hostname')}"
        for s in services
        for i in s.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    ]
    return "ready", ready if shape.nodes else "none", f"{running} of {len(pods)}", tuple(balancers)


def _processes(cluster: str) -> dict[str, Recorded]:
    return {program: process for (name, program), process in leftovers.recorded().items() if name == cluster}


def _resident_mib(process: Recorded) -> int:
    try:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024**2
