"""A plan in sentences: what a reviewer wants to know of a mesh before it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..topology.shown import shown
from .mesh_plan import ClusterPlan, MeshPlan, PeerPlan

_FEW = 4


def words(plan: MeshPlan) -> Iterator[str]:
    """Yield a line for each cluster, whom it calls and how, whom it can't, and what crosses the borders of the mesh."""
    yield from map(shown, _words(plan))


def _words(plan: MeshPlan) -> Iterator[str]:
    for cluster in plan.clusters:
        yield f"{cluster.name}: {'; '.join(_facts(cluster))}"
    for cluster in plan.clusters:
        yield from _calls(plan, cluster.name)
    for peer in plan.peers:
        yield from _across(plan, peer)
    for flow in plan.firewall:
        yield f"the VPC lets {', '.join(flow.sources)} in to {flow.cluster}, {flow.ports_told}: {flow.why}"


def _facts(cluster: ClusterPlan) -> Iterator[str]:
    yield f"network {cluster.network}"
    yield _served(cluster)
    if cluster.revisions:
        (serving, version), *others = cluster.revisions
        told = [f"{revision} ({own})" for revision, own in others]
        beside = f", and {listed(told)} whoever asks for it" if told else ""
        yield f"revision {serving} ({version}) serves what names none{beside}"
    if cluster.istiod_route is not None:
        yield f"serves {listed(cluster.remotes)} through {cluster.istiod_route.value}"
    if cluster.discovers:
        yield f"reads {listed(cluster.discovers)}"
    if cluster.gateway:
        yield "the east-west gateway that is there" if cluster.gateway_there else "an east-west gateway"
    if cluster.federation_gateway:
        yield "a federation gateway"


def _served(cluster: ClusterPlan) -> str:
    if cluster.remote:
        return f"served by the istiod of {cluster.primary}"
    if cluster.adopted:
        return "the istiod that is there, adopted"
    return "the istiod that is there, of another installer" if cluster.joins else "istiod of its own"


def _calls(plan: MeshPlan, source: str) -> Iterator[str]:
    direct = [path.target for path in plan.paths if path.source == source and path.direct]
    through = [path.target for path in plan.paths if path.source == source and not path.direct]
    if direct:
        yield f"{source} calls {listed(direct)}: pod to pod"
    if through:
        gateways = "its gateway" if len(through) == 1 else "their gateways"
        yield f"{source} calls {listed(through)}: through {gateways}"
    unknown = [other.name for other in plan.clusters if other.name not in (source, *direct, *through)]
    if unknown:
        yield f"{source} can't call {listed(unknown)}: what runs only there has no endpoints here"


def validity_words(plan: MeshPlan) -> Iterator[str]:
    """Yield a line for each certificate that the mesh makes."""
    for prefix, certificates in (("root", plan.roots), ("intermediate of", plan.intermediates)):
        for found in certificates:
            yield f"{prefix} {found.name}: valid from {found.issued} to {found.expires}"


def _across(plan: MeshPlan, peer: PeerPlan) -> Iterator[str]:
    known = listed(peer.trust_domains)
    yield f"mesh {peer.name} is known, as {known}: its roots are trusted, and let in is who is named here"
    gateways = [cluster.name for cluster in plan.clusters if cluster.federation_gateway]
    for let in peer.lets_in:
        who = "everybody" if "*" in let.callers else listed(let.callers)
        yield f"{who} of {peer.name} may call {let.service}: through the federation gateway of {listed(gateways)}"
    for called in peer.calls:
        instead = f"; while that fails, {called.fallback} answers" if called.fallback else ""
        yield f"{listed(called.namespaces)} can call {called.service} of {peer.name} as {called.host}{instead}"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Return names as they are told: `a, b and c`; of more than `most` the first few, and how many more."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[:_FEW])} and {len(names) - _FEW} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, noun: str) -> str:
    """Return how many there are of something: `1 pod`, `2 pods`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
