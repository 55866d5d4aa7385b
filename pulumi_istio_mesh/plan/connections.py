"""Who dials whom over which ports: what to hand to a network team before the first `pulumi up`.

Sources: Istio, "Ports used by Istio" and its installation pages for multi-cluster meshes; the GKE page for 15017.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..istio import names
from ..topology.dialled import DialledService
from ..topology.models import Topology
from .mesh_plan import IstiodRoute, MeshPlan
from .words import listed

Pair = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """One end of connections."""

    what: str
    """`pods`, `API server`, `gateway`, `istiod`, `federation gateway`, `mesh` or `runner`."""
    of: str
    """The cluster, or the other mesh."""


@dataclass(frozen=True)
class Connection:
    """TCP from one place to another, which everything on the way must let through."""

    source: Place
    target: Place
    ports: str
    """`TCP 15443`, or in words where only workloads or kubeconfigs know it."""
    why: str


@dataclass(frozen=True)
class Connections:
    """Connections of one kind: from each of the first clusters to each of the others, but never to itself."""

    source: str
    sources: tuple[str, ...]
    target: str
    targets: tuple[str, ...]
    ports: str
    why: str

    def ends(self, most: int | None = None) -> tuple[str, str]:
        """Return both ends as they are told, `pods of east and west`; of more than `most` clusters the first few."""
        target = _told(self.target, self.targets, most)
        if self.sources == self.targets and len(self.targets) > 1:
            target = f"each other's {self.target if self.target == 'pods' else self.target + 's'}"
        return _told(self.source, self.sources, most), target


_CALLS, _MTLS = "calls, pod to pod", "calls, mTLS by SNI"
_WORKLOADS = "any port of workloads"
_KUBECONFIG = "the port that its kubeconfig says"


def connections(topology: Topology, plan: MeshPlan) -> tuple[Connection, ...]:
    """Return every connection that the mesh needs between clusters, and from outside; each once."""
    return tuple(dict.fromkeys(_connections(topology, plan)))


def _connections(topology: Topology, plan: MeshPlan) -> Iterator[Connection]:
    for path in plan.paths:
        if path.direct:
            yield Connection(_pods(path.source), _pods(path.target), _WORKLOADS, _CALLS)
        else:
            yield Connection(_pods(path.source), Place("gateway", path.target), _tcp(names.MTLS_PORT), _MTLS)
    routes = {cluster.name: cluster.istiod_route for cluster in plan.clusters}
    for cluster in plan.clusters:
        for read in cluster.discovers:
            yield Connection(_pods(cluster.name), _api_server(read), _api_port(topology, read), "istiod reads it")
        by_gateway = routes[cluster.primary] is IstiodRoute.GATEWAY
        istiod = (
            Place("gateway" if by_gateway else "istiod", cluster.primary) if cluster.remote else _pods(cluster.name)
        )
        if cluster.remote:
            told = "configuration and certificates"
            yield Connection(_pods(cluster.name), istiod, _tcp(names.XDS_PORT), told)
        yield Connection(_api_server(cluster.name), istiod, _tcp(names.WEBHOOK_PORT), "it asks istiod to inject")
        port = _api_port(topology, cluster.name)
        if topology.render_to is None:
            yield Connection(Place("runner", "pulumi"), _api_server(cluster.name), port, "it builds the mesh")
        for peer in plan.peers:
            if cluster.federation_gateway and peer.lets_in:
                entrance = Place("federation gateway", cluster.name)
                yield Connection(Place("mesh", peer.name), entrance, _tcp(names.MTLS_PORT), "calls of exports")
            if peer.calls:
                there = Place("mesh", peer.name)
                yield Connection(_pods(cluster.name), there, _tcp(names.MTLS_PORT), "calls of imports")


def together(found: Iterable[Connection]) -> list[Connections]:
    """Return connections of one kind as one, where they lead from each of some clusters to each of some others."""
    kinds: dict[tuple[str, str, str, str], set[Pair]] = {}
    for one in found:
        kind = (one.source.what, one.target.what, one.ports, one.why)
        kinds.setdefault(kind, set()).add((one.source.of, one.target.of))
    return [
        Connections(source, tuple(sources), target, tuple(targets), ports, why)
        for (source, target, ports, why), pairs in kinds.items()
        for sources, targets in _products(pairs)
    ]


def _products(pairs: set[Pair]) -> list[tuple[list[str], list[str]]]:
    """Return groups of pairs; those of a place with itself, such as an API server and its own pods, one by one."""
    own = [([source], [target]) for source, target in sorted(pairs) if source == target]
    return own + grouped({pair for pair in pairs if pair[0] != pair[1]})


def grouped(pairs: Iterable[Pair]) -> list[tuple[list[str], list[str]]]:
    """Return ordered pairs as few products of sources and targets, sorted; a name is never paired with itself.

    Every pair is in exactly one of them, and nothing else is but a name with itself.
    """
    found = set(pairs)
    by_target: list[tuple[list[str], list[str]]] = _merged(found)
    by_source = [(sources, targets) for targets, sources in _merged({(target, source) for source, target in found})]
    return sorted(by_target if len(by_target) <= len(by_source) else by_source)


def _merged(pairs: set[Pair]) -> list[tuple[list[str], list[str]]]:
    """Group pairs by their second name, and join groups as long as they stay a product."""
    firsts: dict[str, set[str]] = {}
    for first, second in pairs:
        firsts.setdefault(second, set()).add(first)
    groups: list[tuple[set[str], list[str]]] = []
    for second in sorted(firsts):
        for index, (members, seconds) in enumerate(groups):
            joined, both = members | firsts[second], [*seconds, second]
            if all(firsts[name] == joined - {name} for name in both):
                groups[index] = (joined, both)
                break
        else:
            groups.append((firsts[second], [second]))
    return [(sorted(members), seconds) for members, seconds in groups]


def address(topology: Topology, what: str, of: str) -> str:
    """Return where a place is, as far as the topology says it."""
    if what == "runner":
        return "your machine, or your pipeline's"
    if what == "mesh":
        return "as its offer and its network say"
    cluster = topology.clusters[of]
    if what == "pods":
        return ", ".join(map(str, cluster.pod_cidr)) or "its pod range"
    if what == "API server":
        return cluster.api_server if isinstance(cluster.api_server, str) else "as its kubeconfig says"
    service, name = {
        "gateway": (cluster.east_west_gateway, names.EAST_WEST_GATEWAY),
        "federation gateway": (cluster.federation_gateway, names.FEDERATION_GATEWAY),
        "istiod": (cluster.istiod_service, names.ISTIOD_FOR_REMOTES),
    }[what]
    return _dialled_at(service, name)


def _dialled_at(service: DialledService, name: str) -> str:
    if isinstance(service.address, str):
        return service.address
    return f"the address of Service {name}"


def _told(what: str, of: tuple[str, ...], most: int | None) -> str:
    if what == "runner":
        return "where pulumi runs"
    plural = "" if len(of) == 1 or what in ("pods", "mesh") else "s"
    if what == "mesh":
        return f"mesh {listed(of, most)}"
    return f"{'' if what == 'pods' else 'the '}{what}{plural} of {listed(of, most)}"


def _api_port(topology: Topology, cluster: str) -> str:
    server = topology.clusters[cluster].api_server
    return _tcp(urlsplit(server).port or 443) if isinstance(server, str) else _KUBECONFIG


def _tcp(port: int) -> str:
    return f"TCP {port}"


def _pods(cluster: str) -> Place:
    return Place("pods", cluster)


def _api_server(cluster: str) -> Place:
    return Place("API server", cluster)
