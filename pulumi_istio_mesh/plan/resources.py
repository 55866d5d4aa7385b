"""The resources of a program that builds the plan, by the names under which a preview shows them.

Held to what the components register by a test on the mock engine (tests/components/test_resources.py), and with the
objects of charts to a stack's state in the lab.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from ..istio.federation import imported_name
from ..topology.models import Topology
from .mesh_plan import ClusterPlan, IstiodRoute, MeshPlan

CHART_OBJECTS = {"istiod": 17, "istiod of a remote": 5, "gateway": 5}
"""Objects that Istio's charts render by the mesh's own values, version 1.31; the provider registers them."""


def resources(topology: Topology, plan: MeshPlan, name: str | None = None) -> frozenset[str]:
    """Return each resource as `<kind> <logical name>`, components among them, objects of charts not.

    `name` is what the program calls the mesh; its mesh ID when left out.
    """
    mesh = name or plan.mesh_id
    found = {f"Mesh {mesh}", *_trust(topology, mesh), *_google(topology, plan, mesh)}
    for cluster in plan.clusters:
        own = names.logical_name(mesh, cluster.name)
        for kind, role in _in_cluster(topology, cluster):
            found.add(f"{kind} {names.logical_name(own, None, role)}")
    return frozenset(found)


def number_of_resources(topology: Topology, plan: MeshPlan) -> int:
    """Return about how many resources the mesh is in a stack: exactly so many where no user value adds objects."""
    istiods = sum(not cluster.remote for cluster in plan.clusters)
    gateways = sum(cluster.gateway + cluster.federation_gateway for cluster in plan.clusters)
    rendered = {"istiod": istiods, "istiod of a remote": len(plan.clusters) - istiods, "gateway": gateways}
    return len(resources(topology, plan)) + sum(CHART_OBJECTS[chart] * count for chart, count in rendered.items())


def _trust(topology: Topology, mesh: str) -> Iterator[str]:
    if topology.trust.kind == "generated":
        yield f"Trust {mesh}"
        for root in topology.trust.roots:
            yield f"PrivateKey {names.logical_name(mesh, 'root', root.name)}"


def _in_cluster(topology: Topology, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    """Yield the kind of each resource of one cluster, and what follows the cluster's own logical name."""
    yield "MeshCluster", ""
    yield "kubernetes", ""
    yield "ControlPlane", ""
    yield "Namespace", "namespace"
    yield "Release", "base"
    yield "Chart", "istiod"
    yield "MutatingWebhookConfigurationPatch", "injector"
    if cluster.remote:
        yield "Service", "istiod"
        yield "EndpointSlice", "istiod"
    else:
        yield from _istiod(topology, cluster)
        yield from _shared(topology)
    yield from _proof(cluster)
    if cluster.discovered_by:
        yield "Reader", ""
        yield "Secret", "reader-token"
    if cluster.discovers:
        yield "RemoteSecrets", ""
        for read in cluster.discovers:
            yield "Secret", f"remote-{read}"
    yield from _dialled(cluster)


def _istiod(topology: Topology, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    yield "PeerAuthentication", "mtls"
    yield "ConfigMap", "shared-mesh-config"
    if cluster.gate:
        yield "Service", "istiod-replicas"
    if topology.failover:
        yield "DestinationRule", "failover"
    if topology.trust.kind != "external":
        yield "Secret", "cacerts"
    if topology.trust.kind == "generated":
        yield "IntermediateAuthority", ""
        yield "PrivateKey", "intermediate"


def _proof(cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    if cluster.gate:
        yield "Verification", ""
        yield "Namespace", "verify"
        yield "ServiceAccount", "verify"
        yield "MeshGate", ""
        yield "Job", "mesh"
    if cluster.gate and cluster.probe:
        yield "Service", "probe"
        yield "Deployment", "probe"
    if cluster.dials:
        yield "ApiServerGate", ""
        yield "Job", "api-servers"


def _dialled(cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    for there, part, role in (
        (cluster.gateway, "EastWestGateway", "east-west"),
        (cluster.federation_gateway, "FederationGateway", "federation"),
    ):
        if there:
            yield part, ""
            yield "Service", role
            yield "Chart", role
    if cluster.exposure:
        yield "Exposure", ""
        yield "Gateway", "exposure"
    if cluster.istiod_route is not None:
        yield "IstiodExposure", ""
    if cluster.istiod_route is IstiodRoute.GATEWAY:
        yield "Gateway", "istiod-gateway"
        yield "VirtualService", "istiod-routes"
    if cluster.istiod_route is IstiodRoute.SERVICE:
        yield "Service", "istiod-remotes"


def _shared(topology: Topology) -> Iterator[tuple[str, str]]:
    """What a cluster with an istiod has of the mesh's border."""
    if topology.peers or topology.exports:
        yield "MeshExport", ""
    for peer in topology.peers:
        yield "AuthorizationPolicy", names.callers_of(peer)
    if topology.exports:
        yield "Gateway", "exports"
    imports = [(peer, service, found) for peer, p in topology.peers.items() for service, found in p.imports.items()]
    if imports:
        yield "MeshImport", ""
        yield "Namespace", "imports"
    for peer, service, found in imports:
        for kind in ("ServiceEntry", "DestinationRule", *(("VirtualService",) if found.rewrite_host else ())):
            yield kind, imported_name(peer, service)


def _google(topology: Topology, plan: MeshPlan, mesh: str) -> Iterator[str]:
    if not topology.gke_networks:
        return
    clusters = topology.gke_clusters()
    yield f"GkeMembers {mesh}"
    for network, facts in topology.gke_networks.items():
        own = names.logical_name(mesh, network)
        yield f"GkeNetwork {own}"
        if facts.vpc_path is None:
            yield f"Network {own}"
        for region in {gke.region for name, gke, _ in clusters if topology.network_of(name) == network and facts.nat}:
            yield f"Address {own}-{region}-nat"
            yield f"Router {own}-{region}"
            yield f"RouterNat {own}-{region}"
    for name, gke, _ in clusters:
        own = names.logical_name(mesh, name)
        yield from (f"{kind} {own}" for kind in ("GkeCluster", "Subnetwork", "Cluster"))
        yield from (f"{kind} {own}-nodes" for kind in ("Account", "IAMMember"))
        yield from (f"NodePool {own}-{pool}" for pool in gke.pools)
    for flow in plan.firewall:
        yield f"Firewall {names.logical_name(mesh, flow.cluster, flow.name)}"
