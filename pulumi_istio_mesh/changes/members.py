"""Clusters that come and go."""

from __future__ import annotations

from collections.abc import Iterator

from .change import Change, Kind, Side, Sides


def members(sides: Sides) -> Iterator[Change]:
    """Yield a sentence for each cluster that joins or leaves the mesh."""
    for name in sides.after.clusters:
        if name not in sides.before.clusters:
            told = f"{name} joins: {_place(sides.after, name)}"
            yield Change(Kind.CLUSTERS, told, _with(sides, name))
    for name in sides.before.clusters:
        if name not in sides.after.clusters:
            told = f"{name} leaves: {_fate(sides.before, name)}"
            yield Change(Kind.CLUSTERS, told, _with(sides, name))


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
    served = f"served by {cluster.primary}" if cluster.remote else "with an istiod of its own"
    made = ", a GKE cluster that the program makes" if side.topology.clusters[name].gke is not None else ""
    return f"on network {cluster.network}, {served}{made}"


def _fate(side: Side, name: str) -> str:
    declared = side.topology.clusters[name]
    if declared.protect:
        return "pulumi up refuses it while the cluster is protected: take protect away first, in a run of its own"
    if declared.retain_on_delete:
        return "the mesh's objects stay in it (retain_on_delete)"
    return "the cluster itself is deleted" if declared.gke is not None else "the mesh's objects in it are deleted"
