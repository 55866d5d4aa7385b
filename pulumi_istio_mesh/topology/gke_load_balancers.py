"""How a GKE cluster's Services ask for their load balancers: inside the VPC where everybody who dials is on it.

Source: GKE, "Internal LoadBalancer Service": clusters from 1.33.1 on take a class, older ones the annotation; other
regions need global access.
"""

from __future__ import annotations

from typing import Any

from .gke import GkeCluster, GkeNetwork
from .models import Topology

_TYPE = "networking.gke.io/load-balancer-type"
_GLOBAL_ACCESS = {"networking.gke.io/internal-load-balancer-allow-global-access": "true"}
_INTERNAL_CLASS = "networking.gke.io/l4-regional-internal"
_FIRST_WITH_CLASSES = (1, 33, 1)


def is_internal(topology: Topology, cluster: str) -> bool:
    """Return whether everybody who dials this GKE cluster's east-west gateway is on its own VPC."""
    network = topology.network_of(cluster)
    vpc = topology.gke_networks[network].vpc_path
    if vpc is None:
        # A VPC that is made here is that of one network, and gateways are for others.
        return False
    callers = (other for other in topology.clusters if cluster in topology.called_from(other))
    far = {topology.network_of(caller) for caller in callers} - {network}
    vpcs = {topology.gke_networks[other].vpc_path if other in topology.gke_networks else None for other in far}
    strangers = any(made.gke is None for name, made in topology.clusters.items() if topology.network_of(name) in far)
    return vpcs == {vpc} and not strangers


def asked_for(topology: Topology, name: str, gke: GkeCluster, network: GkeNetwork) -> dict[str, Any]:
    """Return a GKE cluster's dialled Services, by key, with what asks for their load balancers.

    What the user says stays. A federation gateway is dialled from anywhere.
    """
    inside = {"east_west_gateway": is_internal(topology, name), "istiod_service": True, "federation_gateway": False}
    found = {}
    for key, internal in inside.items():
        service = getattr(topology.clusters[name], key)
        if service.type != "LoadBalancer":
            continue
        if not internal:
            wanted: dict[str, Any] = {} if service.source_ranges else {"source_ranges": network.gateway_sources}
        else:
            wanted = {} if service.annotations or service.load_balancer_class is not None else _internal(gke)
        found[key] = service.model_copy(update=wanted)
    return found


def _internal(cluster: GkeCluster) -> dict[str, Any]:
    if not _takes_classes(cluster):
        return {"annotations": {_TYPE: "Internal", **_GLOBAL_ACCESS}}
    return {"annotations": _GLOBAL_ACCESS, "load_balancer_class": _INTERNAL_CLASS}


def _takes_classes(cluster: GkeCluster) -> bool:
    if cluster.min_version is None:
        return False
    numbers = tuple(map(int, cluster.min_version.partition("-")[0].split(".")))
    return (*numbers, 0)[:3] >= _FIRST_WITH_CLASSES
