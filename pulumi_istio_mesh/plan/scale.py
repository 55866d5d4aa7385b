"""How large a mesh gets: what to expect, and what to think about before.

Sources: shpwrck/istio-scale-tests, campaign 2026-06-22 (20 primaries that read each other, 10 000 Services with an
endpoint each, Istio 1.28.5: istiod held 19 % of 16 GiB) and its status of 2026-06-17 (380 secrets, 19 watches each);
istio/istio#50084 (memory while several large clusters are listed); istiod chart, values.yaml (2 GiB requested).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..istio.values import chart_values
from ..topology.models import Topology
from .dialled import dialled
from .mesh_plan import ClusterPlan, MeshPlan
from .words import listed

SERVICES = 500
"""Services of a cluster, each with an endpoint, where the user says nothing else: as in the measured mesh."""
_IDLE_MIB = 100
_MIB_A_SERVICE = 0.3
_REQUESTED_MIB = 2048
_MANY_SECRETS = 380
_MANY_LOAD_BALANCERS = 20


def istiod_mib(cluster: ClusterPlan, services: int = SERVICES) -> int:
    """Return about how much memory a primary's istiod holds, in MiB: it knows every Service that it can see."""
    return round(_IDLE_MIB + _MIB_A_SERVICE * services * (1 + len(cluster.discovers)))


def warnings(topology: Topology, plan: MeshPlan, services: int = SERVICES) -> Iterator[str]:
    """Yield what is known to go wrong with meshes of this size."""
    secrets = len(plan.remote_secrets)
    if secrets >= _MANY_SECRETS:
        most = max(len(cluster.discovers) for cluster in plan.clusters)
        yield (
            f"{secrets} remote secrets, and an istiod watches up to {most} API servers: let clusters read only those "
            "that they call (discovers), or serve some as remotes (primary)"
        )
    small = [
        cluster.name
        for cluster in plan.clusters
        if not cluster.remote
        and "resources" not in chart_values(topology, cluster.name, "istiod")
        and istiod_mib(cluster, services) > _REQUESTED_MIB
    ]
    if small:
        yield (
            f"istiod of {listed(small)} may hold more than the 2 GiB that it requests: give values.istiod.resources, "
            "or let it read fewer clusters"
        )
    balancers = sum(load_balancers_of(topology, cluster) for cluster in plan.clusters)
    if balancers > _MANY_LOAD_BALANCERS:
        yield f"{balancers} load balancers: AWS allows 20 in a region by default; ask for more, or share networks"


def load_balancers_of(topology: Topology, cluster: ClusterPlan) -> int:
    """Return how many load balancers a cluster asks its cloud for."""
    return sum(service.type == "LoadBalancer" for service in dialled(topology, cluster).values())
