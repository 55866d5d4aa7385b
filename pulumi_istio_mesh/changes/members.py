"""Clusters that come and go."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan.mesh_plan import ClusterPlan
from .change import Change, Kind, Side, Sides


def members(sides: Sides) -> Iterator[Change]:
    """Yield a sentence for each cluster that joins or leaves the mesh."""
    was_evicted, is_evicted = sides.before.topology.evicted, sides.after.topology.evicted
    for name in sides.after.clusters:
        if name not in sides.before.clusters:
            happens = "comes back" if name in was_evicted else "joins"
            yield Change(Kind.CLUSTERS, f"{name} {happens}: {_place(sides.after, name)}", _with(sides, name))
    for name in sides.before.clusters:
        if name not in sides.after.clusters:
            told = f"is evicted: {_farewell(sides.before, name)}" if name in is_evicted else None
            yield Change(Kind.CLUSTERS, f"{name} {told or f'leaves: {_fate(sides.before, name)}'}", _with(sides, name))
    for name in is_evicted:
        if name not in sides.before.clusters and name not in was_evicted:
            told = f"{name} is listed, and evicted: nobody talks to it"
            yield Change(Kind.CLUSTERS, told, (*sides.behind("MeshCluster", [name]), *sides.emptied(name)))
    for name in was_evicted:
        if name not in sides.after.clusters and name not in is_evicted:
            told = f"{name}, evicted before, leaves the list: nothing of it is left in the stack"
            # Gateways were kept for it to come back to.
            kept = (*sides.turned("EastWestGateway", sides.stay), *sides.turned("Exposure", sides.stay))
            left = (*sides.behind("MeshCluster", [name]), *sides.emptied(name))
            yield Change(Kind.CLUSTERS, told, (*left, *kept))


def _with(sides: Sides, name: str) -> tuple[str, ...]:
    """What comes or goes with a cluster, also in its primary."""
    served = {side.clusters[name].primary for side in (sides.before, sides.after) if name in side.clusters}
    network = (side.topology.network_of(name) for side in (sides.before, sides.after) if name in side.clusters)
    return (
        *sides.behind("MeshCluster", [name]),
        *sides.behind("GkeCluster", [name]),
        *sides.behind("GkeNetwork", network),
        *sides.ways_to_istiod(sorted(served - {name})),
        *sides.behind("Cluster", _read_by(sides, name)),
    )


def _read_by(sides: Sides, name: str) -> list[str]:
    """GKE clusters that stay, whose API servers let this cluster's istiod in, or no longer do."""
    side = sides.after if name in sides.after.clusters else sides.before
    read = side.clusters[name].discovers
    return [other for other in sides.stay if other in read and side.topology.clusters[other].gke is not None]


def _place(side: Side, name: str) -> str:
    cluster = side.clusters[name]
    served = f"served by {cluster.primary}" if cluster.remote else f"with {_istiod(cluster)}"
    made = ", a GKE cluster that the program makes" if side.topology.clusters[name].gke is not None else ""
    return f"on network {cluster.network}, {served}{made}"


def _istiod(cluster: ClusterPlan) -> str:
    if not cluster.joins:
        return "an istiod of its own"
    return f"the istiod that is there, which stays as it is{' and is imported' if cluster.adopted else ''}"


def _farewell(side: Side, name: str) -> str:
    told = "nobody talks to it, the others and the stack forget it, and what is in it stays as it is"
    if side.topology.clusters[name].protect:
        return f"{told}; pulumi up refuses it while the cluster is protected in the state: pulumi state unprotect"
    return told


def _fate(side: Side, name: str) -> str:
    declared = side.topology.clusters[name]
    if declared.protect:
        return "pulumi up refuses it while the cluster is protected: take protect away first, in a run of its own"
    if declared.retain_on_delete:
        return "the mesh's objects stay in it (retain_on_delete)"
    if side.clusters[name].joins:
        return "what the mesh added to it is deleted; its own istiod stays, and goes on serving it"
    return "the cluster itself is deleted" if declared.gke is not None else "the mesh's objects in it are deleted"
