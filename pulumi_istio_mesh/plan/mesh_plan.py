"""The decisions that follow from a topology: who reads whom, who needs a gateway, what expires when.

The plan holds decisions only. Components, pictures and checks read it; nothing interprets it, stores it or diffs it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import permutations

from ..topology.models import Topology


@dataclass(frozen=True)
class ClusterPlan:
    """What follows for one cluster."""

    name: str
    network: str
    discovers: tuple[str, ...]
    """Clusters that this cluster's istiod watches, sorted; each needs its credential here."""
    discovered_by: tuple[str, ...]
    """Clusters whose istiods watch this one, sorted; without any, no reader token is made."""
    gateway: bool
    """Whether another network reaches this cluster's services, so that it needs an east-west gateway."""


@dataclass(frozen=True)
class Path:
    """How calls get from one cluster to the services of another."""

    source: str
    target: str
    direct: bool
    """Pod to pod; otherwise through the target's east-west gateway."""


@dataclass(frozen=True)
class Validity:
    """When a certificate of the mesh is valid."""

    name: str
    issued: dt.date
    expires: dt.date


@dataclass(frozen=True)
class MeshPlan:
    """What follows from one topology; its clusters keep the order of the list."""

    clusters: tuple[ClusterPlan, ...]
    paths: tuple[Path, ...]
    roots: tuple[Validity, ...]
    intermediates: tuple[Validity, ...]
    """One a cluster, named like it; none where trust is not generated."""

    @property
    def remote_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every ordered pair (reader, read), one remote secret each."""
        return tuple((cluster.name, read) for cluster in self.clusters for read in cluster.discovers)


def plan_mesh(topology: Topology) -> MeshPlan:
    """Return the plan of a topology that has passed its rules."""
    pairs = list(permutations(topology.clusters, 2))
    # Every cluster is its own primary, and every primary of a mesh discovers all of its clusters.
    clusters = tuple(
        ClusterPlan(
            name=name,
            network=topology.network_of(name),
            discovers=tuple(sorted(read for reader, read in pairs if reader == name)),
            discovered_by=tuple(sorted(reader for reader, read in pairs if read == name)),
            gateway=any(topology.network_of(peer) != topology.network_of(name) for peer in topology.clusters),
        )
        for name in topology.clusters
    )
    paths = tuple(
        Path(source, target, topology.network_of(source) == topology.network_of(target)) for source, target in pairs
    )
    return MeshPlan(clusters, paths, _roots(topology), _intermediates(topology))


def _roots(topology: Topology) -> tuple[Validity, ...]:
    return tuple(
        Validity(root.name, root.issued, root.issued + dt.timedelta(days=root.days)) for root in topology.trust.roots
    )


def _intermediates(topology: Topology) -> tuple[Validity, ...]:
    if topology.trust.kind != "generated":
        return ()
    root, declared = topology.signing_root, topology.trust.intermediates
    issued = declared.issued or root.issued
    root_expires = root.issued + dt.timedelta(days=root.days)
    expires = min(issued + dt.timedelta(days=declared.days), root_expires)
    return tuple(Validity(name, issued, expires) for name in topology.clusters)
