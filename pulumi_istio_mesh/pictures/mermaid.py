"""Plans as a Mermaid flow chart, which GitHub, GitLab and most wikis draw by themselves.

Thick arrows are calls between networks and between meshes, with the Service and who may call it; thin ones calls
between pods where not all pods of a network call each other; dotted ones lead remote clusters to the istiod that
serves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..istio import names
from ..plan.mesh_plan import ClusterPlan, IstiodRoute, LetIn, MeshPlan

_SERVICE_PORTS = f"{names.XDS_PORT}, {names.WEBHOOK_PORT}"


def mermaid(*plans: MeshPlan) -> str:
    """Return the picture of meshes: networks with their clusters, who serves whom, who calls whom and how.

    A mesh that knows others has its border drawn; those that are none of the plans are one node each. Cluster and
    network names must be unique among the plans.
    """
    lines = ["flowchart LR"]
    for plan in plans:
        border = bool(plan.peers) or len(plans) > 1
        networks = _members(plan)
        inside = [*_networks(plan, networks), *_control(plan), *_direct(plan, networks), *_through(plan, networks)]
        if border:
            inside = [f'subgraph {_id("mesh", plan.mesh_id)}["mesh {plan.mesh_id}"]', *_indented(inside), "end"]
        lines += _indented(inside)
    lines += _indented(line for plan in plans for line in _borders(plan, {other.mesh_id: other for other in plans}))
    return "\n".join(lines) + "\n"


def _members(plan: MeshPlan) -> dict[str, list[ClusterPlan]]:
    networks: dict[str, list[ClusterPlan]] = {}
    for cluster in plan.clusters:
        networks.setdefault(cluster.network, []).append(cluster)
    return networks


def _networks(plan: MeshPlan, networks: dict[str, list[ClusterPlan]]) -> Iterator[str]:
    for network, members in networks.items():
        yield f'subgraph {_id("network", network)}["network {network}"]'
        for cluster in members:
            yield from _indented(_nodes(cluster))
        yield from _indented(_firewall(plan, network, {cluster.name for cluster in members}))
        yield "end"


def _firewall(plan: MeshPlan, network: str, members: set[str]) -> Iterator[str]:
    """What the VPC lets in, as a table; health checks, which every load balancer brings, left out."""
    rows = [
        f"{flow.cluster}: {flow.name} {', '.join(flow.ports) or 'all ports'} from {', '.join(flow.sources)}"
        for flow in plan.firewall
        if flow.cluster in members and flow.name != "health-checks"
    ]
    if rows:
        yield f'{_id("firewall", network)}[/"firewall, TCP<br/>{"<br/>".join(rows)}"/]'


def _borders(plan: MeshPlan, drawn: dict[str, MeshPlan]) -> Iterator[str]:
    """What other meshes may call here, and what is called of those that are not drawn."""
    here = _id("mesh", plan.mesh_id)
    for peer in plan.peers:
        there = _id("mesh", peer.name)
        if peer.name not in drawn:
            yield f'{there}{{{{"mesh {peer.name}"}}}}'
            for called in peer.calls:
                yield f"{here} ==>|{called.service}| {there}"
        for cluster in plan.clusters:
            if cluster.federation_gateway:
                for let in peer.lets_in:
                    yield f"{there} ==>|{_let_in(let)}| {_id('federation', cluster.name)}"


def _let_in(let: LetIn) -> str:
    return f'"{let.service}<br/>for {", ".join("everybody" if who == "*" else who for who in let.callers)}"'


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _nodes(cluster: ClusterPlan) -> Iterator[str]:
    role = f"served by {cluster.primary}" if cluster.remote else "istiod"
    yield f'{_id("cluster", cluster.name)}["{cluster.name}<br/>{role}"]'
    if cluster.gateway:
        ports = [str(names.MTLS_PORT), *([_SERVICE_PORTS] if cluster.istiod_route is IstiodRoute.GATEWAY else [])]
        yield f'{_id("gateway", cluster.name)}(("gateway {cluster.name}<br/>{", ".join(ports)}"))'
        yield f"{_id('gateway', cluster.name)} --- {_id('cluster', cluster.name)}"
    if cluster.federation_gateway:
        yield f'{_id("federation", cluster.name)}(("federation gateway {cluster.name}<br/>{names.MTLS_PORT}"))'
        yield f"{_id('federation', cluster.name)} --- {_id('cluster', cluster.name)}"
    if cluster.istiod_route is IstiodRoute.SERVICE:
        yield f'{_id("istiod", cluster.name)}(("istiod {cluster.name}<br/>{_SERVICE_PORTS}"))'
        yield f"{_id('istiod', cluster.name)} --- {_id('cluster', cluster.name)}"


def _control(plan: MeshPlan) -> Iterator[str]:
    routes = {cluster.name: cluster.istiod_route for cluster in plan.clusters}
    for cluster in plan.clusters:
        if cluster.remote:
            way = "gateway" if routes[cluster.primary] is IstiodRoute.GATEWAY else "istiod"
            yield f"{_id('cluster', cluster.name)} -.->|config, certificates| {_id(way, cluster.primary)}"


def _direct(plan: MeshPlan, networks: dict[str, list[ClusterPlan]]) -> Iterator[str]:
    """Say nothing where all clusters of a network call each other: standing in one box says it."""
    calls = {(path.source, path.target) for path in plan.paths if path.direct}
    for members in networks.values():
        within = [(one.name, other.name) for one in members for other in members if one is not other]
        if not calls.issuperset(within):
            for source, target in within:
                if (source, target) in calls:
                    yield f"{_id('cluster', source)} -->|pod to pod| {_id('cluster', target)}"
                elif source < target and (target, source) not in calls:
                    yield f"{_id('cluster', source)} x--x|no calls| {_id('cluster', target)}"


def _through(plan: MeshPlan, networks: dict[str, list[ClusterPlan]]) -> Iterator[str]:
    """One arrow from a whole network where all of it calls a cluster, else one from each cluster that does."""
    calls = {(path.source, path.target) for path in plan.paths if not path.direct}
    for target in plan.clusters:
        for network, members in networks.items():
            callers = [cluster.name for cluster in members if (cluster.name, target.name) in calls]
            whole = len(callers) == len(members)
            sources: Iterable[str] = (
                [_id("network", network)] if whole else [_id("cluster", caller) for caller in callers]
            )
            for source in sources:
                yield f"{source} ==>|mTLS| {_id('gateway', target.name)}"


def _id(kind: str, name: str) -> str:
    """Return an identifier that no word of Mermaid's own can be; names hold no underscore, so it stays unique."""
    return f"{kind}_{name.replace('-', '_')}"
