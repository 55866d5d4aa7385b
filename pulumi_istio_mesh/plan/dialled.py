"""The Services of a cluster that are dialled from outside it, as they are declared and needed."""

from __future__ import annotations

from ..topology.dialled import DialledService
from ..topology.models import Topology
from .mesh_plan import ClusterPlan, IstiodRoute

EAST_WEST, FEDERATION, ISTIOD = "east-west gateway", "federation gateway", "istiod"


def dialled(topology: Topology, cluster: ClusterPlan) -> dict[str, DialledService]:
    """Return those that the program makes, by what they are for."""
    declared = topology.clusters[cluster.name]
    found: dict[str, DialledService] = {}
    if cluster.gateway and not cluster.gateway_there:
        found[EAST_WEST] = declared.east_west_gateway
    if cluster.federation_gateway:
        found[FEDERATION] = declared.federation_gateway
    if cluster.istiod_route is IstiodRoute.SERVICE:
        found[ISTIOD] = declared.istiod_service
    return found
