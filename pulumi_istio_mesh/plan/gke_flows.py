"""What a VPC's firewall must let in for the mesh: exactly the flows of its plan, as a table.

A VPC lets nothing in by itself, and GKE's own rules open each cluster's subnetwork to itself only. TCP only: the mesh
carries nothing else. Sources: Istio, "Application requirements" (ports) and its GKE page (15017); Google, "Health
check concepts" (ranges of probers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..istio import names
from ..topology.gke_load_balancers import is_internal
from ..topology.models import Topology

ANYWHERE = ("0.0.0.0/0",)
HEALTH_CHECKERS = ("130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22", "35.191.0.0/16")
_NODE_HEALTH_PORT = "10256"
"""Where kube-proxy, or Dataplane V2 in its place, answers a load balancer's health checks."""


@dataclass(frozen=True)
class Flow:
    """TCP that the nodes of one cluster, and so its pods, must take."""

    cluster: str
    name: str
    """What it is for: pods, webhook, istiod, injection, gateway, federation, health-checks."""
    sources: tuple[str, ...]
    """Ranges, sorted."""
    ports: tuple[str, ...]
    """Numbers or ranges; empty for all."""
    why: str

    @property
    def ports_told(self) -> str:
        """Its ports in words."""
        return f"TCP {', '.join(self.ports)}" if self.ports else "all of TCP"


def firewall_flows(topology: Topology) -> tuple[Flow, ...]:
    """Return what the firewalls of the mesh's VPCs must allow, by cluster in the order of the list."""
    return tuple(
        flow
        for name in topology.clusters
        if topology.gke_ranges(name) is not None
        for flow in _into(topology, name)
        if flow.sources
    )


def _into(topology: Topology, name: str) -> Iterator[Flow]:
    network, gateway, remotes = topology.network_of(name), topology.has_gateway(name), topology.remotes_of(name)
    facts = topology.gke_networks[network]
    callers = [other for other in topology.clusters if other != name and name in topology.called_from(other)]
    near = [caller for caller in callers if topology.network_of(caller) == network]
    yield Flow(name, "pods", _pods(topology, near), facts.ports, f"pods of {_said(near)} call pods here")
    if not topology.is_remote(name):
        yield Flow(
            name,
            "webhook",
            _control_planes(topology, [name]),
            _ports(names.WEBHOOK_PORT),
            "its API server asks istiod to inject",
        )
    outside = tuple(map(str, facts.gateway_sources)) or ANYWHERE
    internal = is_internal(topology, name)
    if remotes:
        # Without a gateway by a load balancer of istiod's own, inside the VPC.
        within = internal or not gateway
        planes = (*_control_planes(topology, remotes), *map(str, facts.gateway_sources))
        told = f"{_said(remotes)} take their configuration and certificates from the istiod here"
        yield Flow(name, "istiod", _pods(topology, remotes) if within else outside, _ports(names.XDS_PORT), told)
        told = f"the API servers of {_said(remotes)} ask the istiod here to inject"
        yield Flow(name, "injection", planes if within else outside, _ports(names.WEBHOOK_PORT), told)
    if gateway:
        far = [caller for caller in callers if topology.network_of(caller) != network]
        told = f"{_said(far)} call services here through the east-west gateway"
        yield Flow(name, "gateway", _pods(topology, far) if internal else outside, _ports(names.MTLS_PORT), told)
    if topology.has_federation_gateway(name):
        yield Flow(name, "federation", outside, _ports(names.MTLS_PORT), "other meshes call what is exported")
    if gateway or remotes or topology.has_federation_gateway(name):
        told = "load balancers ask nodes whether they are up"
        yield Flow(name, "health-checks", HEALTH_CHECKERS, (_NODE_HEALTH_PORT,), told)


def _pods(topology: Topology, clusters: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({str(found) for name in clusters for found in topology.clusters[name].pod_cidr}))


def _control_planes(topology: Topology, clusters: Iterable[str]) -> tuple[str, ...]:
    known = (topology.gke_ranges(name) for name in clusters)
    return tuple(sorted(str(found.control_plane) for found in known if found is not None))


def _ports(*numbers: int) -> tuple[str, ...]:
    return tuple(map(str, numbers))


def _said(clusters: list[str]) -> str:
    return ", ".join(sorted(clusters)) or "nobody"


def flow_table(flows: tuple[Flow, ...]) -> list[dict[str, Any]]:
    """Return the firewall as plain data: cluster, name, sources, ports (empty for all), why."""
    return [
        {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(flow).items()}
        for flow in flows
    ]
