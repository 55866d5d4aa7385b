"""Calls that start, stop or take another way, and how they are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..plan.connections import Pair, grouped
from ..plan.mesh_plan import MeshPlan
from ..topology.dialled import DialledService
from .change import Change, Kind, PathChange, Sides, Way, listed
from .control_planes import NO_PLAINTEXT
from .dialled import dialled


def path_changes(before: MeshPlan, after: MeshPlan) -> list[PathChange]:
    """Return every ordered pair of clusters whose calls start, stop or take another way, sorted."""
    was, will = _ways(before), _ways(after)
    return [
        PathChange(*pair, was.get(pair, Way.NONE), will.get(pair, Way.NONE))
        for pair in sorted(was.keys() | will.keys())
        if was.get(pair) != will.get(pair)
    ]


def _ways(plan: MeshPlan) -> dict[Pair, Way]:
    return {(path.source, path.target): Way.DIRECT if path.direct else Way.GATEWAY for path in plan.paths}


def traffic(sides: Sides) -> Iterator[Change]:
    """Yield what changes for calls inside the mesh."""
    yield from _paths(sides)
    yield from _dialled(sides)
    yield from _routes(sides)
    before, after = sides.before.topology, sides.after.topology
    primaries = sides.primaries
    if before.mtls != after.mtls:
        told = {"strict": "workloads refuse plaintext", "permissive": "workloads take plaintext, too"}[after.mtls]
        behind = sides.behind("PeerAuthentication", primaries, "mtls")
        yield Change(Kind.TRAFFIC, told, behind, safe_way=NO_PLAINTEXT if after.mtls == "strict" else None)
    if before.failover != after.failover:
        told = (
            "calls prefer endpoints in the caller's own zone and region, and leave them only while they fail"
            if after.failover
            else "calls are shared by all endpoints, wherever they are"
        )
        yield Change(Kind.TRAFFIC, told, sides.behind("DestinationRule", primaries, "failover"))
    was, will = set(before.cluster_local), set(after.cluster_local)
    charts = sides.istiods(primaries)
    if will - was:
        told = f"{listed(sorted(will - was))}: each cluster answers by itself, never another one"
        yield Change(Kind.TRAFFIC, told, charts)
    if was - will:
        yield Change(
            Kind.TRAFFIC, f"{listed(sorted(was - will))}: answered by all clusters, no longer by each itself", charts
        )


def _paths(sides: Sides) -> Iterator[Change]:
    found = path_changes(sides.before.plan, sides.after.plan)
    for before, after in sorted({(one.before, one.after) for one in found}, key=lambda ways: _ORDER.index(ways)):
        pairs = {(one.source, one.target) for one in found if (one.before, one.after) == (before, after)}
        outside = {pair for pair in pairs if pair[0] in sides.after.topology.evicted}
        for group, goes_on in ((pairs - outside, ""), (outside, "; its proxies may go on while they run")):
            for sources, targets in grouped(group):
                whom = "each other" if sources == targets else listed(targets)
                yield Change(
                    Kind.TRAFFIC,
                    f"{listed(sources)} to {whom}: {_said(before, after, len(targets))}{goes_on}",
                    _gateways(sides, targets),
                    paths=tuple(PathChange(s, t, before, after) for s in sources for t in targets if (s, t) in group),
                )


_ORDER = [
    (Way.DIRECT, Way.NONE),
    (Way.GATEWAY, Way.NONE),
    (Way.DIRECT, Way.GATEWAY),
    (Way.GATEWAY, Way.DIRECT),
    (Way.NONE, Way.DIRECT),
    (Way.NONE, Way.GATEWAY),
]
"""What stops first, then what moves, then what starts."""


def _said(before: Way, after: Way, targets: int) -> str:
    gateway = "through its gateway" if targets == 1 else "through their gateways"
    ways = {Way.DIRECT: "pod to pod", Way.GATEWAY: gateway}
    if after is Way.NONE:
        return f"no longer; was {ways[before]}"
    if before is Way.NONE:
        return f"new, {ways[after]}"
    return f"{ways[before]} -> {ways[after]}"


def _gateways(sides: Sides, targets: Iterable[str]) -> tuple[str, ...]:
    """The gateways that come or go for calls, and what lets them in."""
    concerned = {
        side.clusters[name].primary for side in (sides.before, sides.after) for name in targets if name in side.clusters
    }
    return (*sides.turned("EastWestGateway", targets), *sides.turned("Exposure", concerned))


def _dialled(sides: Sides) -> Iterator[Change]:
    """Gateways and istiods that stay, and are dialled elsewhere than before."""
    for found in dialled(sides):
        was, will = found.before, found.after
        if was is not None and will is not None and _where(was) != _where(will):
            told = f"the {found.said} of {found.cluster} is dialled at {_where(will)} instead of {_where(was)}"
            yield Change(Kind.TRAFFIC, told, (f"~ {found.resource}",))


def _where(service: DialledService) -> str:
    if isinstance(service.address, str):
        return service.address
    return {
        "LoadBalancer": "its load balancer's address",
        "NodePort": "its nodes' external addresses",
        "ClusterIP": "no address at all",
    }[service.type]


def _routes(sides: Sides) -> Iterator[Change]:
    """How remote clusters reach the istiod that goes on serving them."""
    for name in sides.stay:
        before, after = sides.before.clusters[name], sides.after.clusters[name]
        was, will = before.istiod_route, after.istiod_route
        if was is not None and will is not None and was is not will:
            remotes = listed(after.remotes)
            told = f"{remotes} reach the istiod of {name} through {will.value} instead of {was.value}"
            if len(after.remotes) == 1:
                told = told.replace(" reach ", " reaches ", 1)
            yield Change(Kind.TRAFFIC, told, sides.behind("IstiodExposure", [name]))
