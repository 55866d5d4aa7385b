"""Changes after which a live mesh would not work as before, or not at all for a while: each with the safe way."""

from __future__ import annotations

from collections.abc import Iterator

from ..topology.models import Root, Topology
from ..topology.shown import quoted
from .change import Change, Kind, Sides, listed
from .sharing import borders

_PAGE = "docs/operations.md"


def dangers(sides: Sides) -> Iterator[Change]:
    """Yield what should not be done like this."""
    before, after = sides.before.topology, sides.after.topology
    if sides.stay:
        yield from _identity(sides, before, after)
        yield from _roots(sides, before, after)
        yield from _installed(sides, before, after)
    yield from _renamed(sides)
    for name in sides.stay:
        yield from _cluster(sides, name)


def _identity(sides: Sides, before: Topology, after: Topology) -> Iterator[Change]:
    charts = sides.behind("ControlPlane", sides.stay)
    if before.mesh_id != after.mesh_id:
        yield Change(
            Kind.TRUST,
            f"mesh ID {before.mesh_id} -> {after.mesh_id}: proxies that run keep the old one, and clusters count as "
            "members of another mesh",
            charts,
            safe_way=f"keep mesh_id: {before.mesh_id}; build a mesh of the new name beside it, and move workloads over",
        )
    if before.identity_domain != after.identity_domain and before.identity_domain not in after.identity_domains:
        yield Change(
            Kind.TRUST,
            f"trust domain {before.identity_domain} -> {after.identity_domain}: every identity changes, proxies that "
            "run are refused by those that restart, and policies that name identities match nobody",
            (*charts, *borders(sides)),
            safe_way=f"let trust_domain_aliases name {before.identity_domain}, under a root that vouches for both "
            f"({_PAGE}#change-the-trust-domain)",
        )
    still = [domain for domain in before.identity_domains if domain not in after.identity_domains]
    if before.identity_domain == after.identity_domain and still:
        yield Change(
            Kind.TRUST,
            f"identities of {listed(still)} no longer count as the mesh's own: workloads that still carry them are "
            "refused",
            (*charts, *borders(sides)),
            safe_way="wait until every workload has a certificate of the new one: a day "
            f"({_PAGE}#change-the-trust-domain)",
        )


def _installed(sides: Sides, before: Topology, after: Topology) -> Iterator[Change]:
    everything = (*sides.behind("MeshCluster", sides.stay), *sides.behind("Rendering", sides.stay))
    if before.install != after.install:
        yield Change(
            Kind.RESTARTS,
            f"install {before.install} -> {after.install}: what takes the objects of Istio's charts over comes before "
            "what had them goes, and deletes them; pulumi up refuses it",
            everything,
            safe_way=f"pulumi destroy, then pulumi up ({_PAGE}#change-install)",
        )
    was, will = before.render_to, after.render_to
    if was == will:
        return
    own, comes, goes = (f"{sides.after.name}-crds-", sides.after.resources, sides.before.resources)
    of_crds = (f"{sign} {one}" for sign, found in (("+", comes - goes), ("-", goes - comes)) for one in sorted(found))
    everything = (*everything, *(one for one in of_crds if one.partition(" ")[2].partition(" ")[2].startswith(own)))
    if was is not None and will is not None:
        told = f"objects are written to {quoted(will)} instead of {quoted(was)}, all of them anew"
        yield Change(Kind.OTHER, told, (*everything, *_crds_writers(sides)))
    else:
        yield Change(
            Kind.RESTARTS,
            f"objects are written to {quoted(will)} and not installed any more: what is installed is deleted"
            if will is not None
            else f"objects are installed and not written to {quoted(was or '')} any more: those files are deleted",
            everything,
            safe_way=f"give the {'rendered' if will is not None else 'installed'} mesh a stack of its own, under the "
            "same root: by trust.kind given or external, for a generated root would be another one",
        )


def _crds_writers(sides: Sides) -> Iterator[str]:
    """Yield what writes CRDs on both sides."""
    kept = sides.before.resources & sides.after.resources
    yield from (f"~ {one}" for one in sorted(kept) if one.startswith(f"kubernetes {sides.after.name}-crds-"))


def _roots(sides: Sides, before: Topology, after: Topology) -> Iterator[Change]:
    if before.trust.kind != after.trust.kind:
        yield Change(
            Kind.TRUST,
            f"trust {before.trust.kind} -> {after.trust.kind}: workloads with certificates of the old root and of the "
            "new one refuse each other until all have restarted",
            (
                *_authorities(sides),
                *sides.turned("IntermediateAuthority", sides.primaries),
                *(f"{'-' if before.trust.kind == 'generated' else '+'} Trust {sides.after.name}",),
            ),
            safe_way="let the new authority come under a root that the mesh trusts already, or plan an outage",
        )
        return
    was, will = _by_name(before), _by_name(after)
    for name in was.keys() & will.keys():
        if _certificate(was[name], before) != _certificate(will[name], after):
            yield Change(
                Kind.TRUST,
                f"root {name} becomes another certificate under the same name: nothing that the old one vouches for is "
                "trusted any more",
                _authorities(sides),
                safe_way=f"leave root {name} as it is, and add a generation beside it ({_PAGE}#rotate-the-root)",
            )
    if not was or not will:
        return
    signed, signs = before.signing_root.name, after.signing_root.name
    if signs not in was or signed not in will:
        dropped = [f"drop {signed}"] if signed not in will else []
        runs = [*([f"add {signs}"] if signs not in was else []), f"let {signs} sign", *dropped]
        number = "two" if len(runs) == 2 else "three"
        yield Change(
            Kind.TRUST,
            f"root {signed} is replaced by {signs} in one step: workloads of the old and of the new root refuse each "
            "other until all have new certificates",
            _authorities(sides),
            safe_way=f"{number} runs: {', then '.join(runs)} ({_PAGE}#rotate-the-root)",
        )


def _by_name(topology: Topology) -> dict[str, Root]:
    return {root.name: root for root in topology.trust.roots}


def _certificate(root: Root, topology: Topology) -> tuple[object, ...]:
    return (root.issued, root.days, root.key, root.trust_domains or (topology.identity_domain,))


def _authorities(sides: Sides) -> tuple[str, ...]:
    return sides.behind("Secret", sides.primaries, "cacerts")


def _renamed(sides: Sides) -> Iterator[Change]:
    """A cluster that goes while another one with all its facts comes."""
    before, after = sides.before, sides.after
    gone = [name for name in before.clusters if name not in after.clusters]
    for came in (name for name in after.clusters if name not in before.clusters):
        for went in gone:
            if _facts(sides.before.topology, went) == _facts(sides.after.topology, came):
                yield Change(
                    Kind.CLUSTERS,
                    f"{went} goes and {came} comes with the same facts: if that is one cluster renamed, the old name's "
                    "objects are deleted last, and they are the new name's, too; pulumi up refuses it",
                    (f"- MeshCluster {sides.of(went)}", f"+ MeshCluster {sides.of(came)}"),
                    safe_way=f"run once without {went}, then once with {came} ({_PAGE}#rename-a-cluster)",
                )


def _facts(topology: Topology, cluster: str) -> tuple[object, ...]:
    """What a renamed cluster keeps; what follows from its name left out."""
    declared = topology.clusters[cluster].model_dump()
    network, primary = declared.pop("network"), declared.pop("primary")
    return (declared, network if network != cluster else None, primary if primary != cluster else None)


def _cluster(sides: Sides, name: str) -> Iterator[Change]:
    before, after = sides.before.clusters[name], sides.after.clusters[name]
    if before.network != after.network:
        yield Change(
            Kind.TRAFFIC,
            f"{name} moves from network {before.network} to network {after.network}: pods that run are dialled as if "
            "they were still there",
            (*sides.behind("ControlPlane", [name]), *sides.behind("EastWestGateway", [name])),
            safe_way=f"restart every workload with a sidecar in {name} right after "
            f"({_PAGE}#move-a-cluster-to-another-network)",
        )
    if before.primary != after.primary:
        own, concerned = "an istiod of its own", {name, before.primary, after.primary}
        was, will = (own if side.primary == name else f"the istiod of {side.primary}" for side in (before, after))
        dead = before.primary in sides.after.topology.evicted
        meanwhile = "which is evicted" if dead else "its proxies keep their connection until it ends"
        yield Change(
            Kind.CLUSTERS,
            f"{name} will be served by {will} instead of {was}{',' if dead else ':'} {meanwhile}, and no pod can be "
            f"made {'until then' if dead else 'for some seconds'}",
            (
                *sides.behind("ControlPlane", [name]),
                *sides.turned("IntermediateAuthority", [name]),
                *sides.turned("Exposure", sorted(concerned)),
                *sides.ways_to_istiod(sorted(concerned)),
            ),
            safe_way=None
            if dead
            else "change nothing else in the same run "
            f"({_PAGE}#give-a-remote-cluster-an-istiod-of-its-own-or-take-it-away)",
        )
    yield from _google(sides, name)


def _google(sides: Sides, name: str) -> Iterator[Change]:
    """What Google can't change in a cluster that is there."""
    was, will = (side.topology.clusters[name].gke for side in (sides.before, sides.after))
    if (was is None) != (will is None):
        yield Change(
            Kind.CLUSTERS,
            f"{name} is {'no longer a cluster' if will is None else 'a GKE cluster'} that this program makes: "
            + (
                "it is deleted, with all that runs in it"
                if will is None
                else "a new one is made, and the other one left"
            ),
            sides.turned("GkeCluster", [name]),
            safe_way="add the other one under a name of its own, move workloads, then take this one out",
        )
    if was is None or will is None:
        return
    fixed = {
        "location": (was.location, will.location),
        "autopilot": (was.autopilot, will.autopilot),
        "pods per node": (was.most_pods, will.most_pods),
        "ranges": (_ranges(sides.before.topology, name), _ranges(sides.after.topology, name)),
        "VPC": (_vpc(sides.before.topology, name), _vpc(sides.after.topology, name)),
    }
    changed = [what for what, (old, new) in fixed.items() if old != new]
    if changed:
        after_network = sides.after.clusters[name].network
        yield Change(
            Kind.CLUSTERS,
            f"the GKE cluster {name} is deleted and made anew, for Google can't change its {listed(changed)}",
            (*sides.behind("GkeCluster", [name]), *sides.behind("GkeNetwork", [after_network])),
            safe_way="add a cluster with the new facts under a name of its own, move workloads, then take this one out",
        )


def _ranges(topology: Topology, name: str) -> list[object]:
    """Return the ranges that stay for good; that of nodes can be widened."""
    ranges = topology.gke_ranges(name)
    return [] if ranges is None else [ranges.pods, ranges.services, ranges.control_plane]


def _vpc(topology: Topology, name: str) -> tuple[object, ...]:
    network = topology.gke_networks.get(topology.network_of(name))
    return () if network is None else (network.project, network.vpc_path)
