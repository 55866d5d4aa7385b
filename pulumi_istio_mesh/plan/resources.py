"""The resources of a program that builds the plan, by the names under which a preview shows them.

Held to what the components register by a test on the mock engine (tests/components/test_resources.py), and with the
objects of charts to a stack's state in the lab.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from ..istio.federation import imported_name
from ..istio.versions import CRDS
from ..topology.models import Topology
from .mesh_plan import ClusterPlan, IstiodRoute, MeshPlan
from .rendered import Folder, crds_folder

CHART_OBJECTS = {"base": 2, "istiod": 17, "istiod of a remote": 5, "gateway": 5}
"""Objects that Istio's charts render by the mesh's own values, version 1.31; the provider registers them."""


def resources(topology: Topology, plan: MeshPlan, name: str | None = None) -> frozenset[str]:
    """Return each resource as `<kind> <logical name>`, components among them, objects of charts not.

    `name` is what the program calls the mesh; its mesh ID when left out.
    """
    mesh = name or plan.mesh_id
    found = {f"Mesh {mesh}", *_trust(topology, mesh), *_google(topology, plan, mesh)}
    for role in map(crds_folder, _rendered_versions(topology)):
        found |= {f"{kind} {names.logical_name(mesh, None, role)}" for kind in ("kubernetes", "Chart")}
    for evicted in topology.evicted:
        own = names.logical_name(mesh, evicted)
        found |= {f"MeshCluster {own}", f"kubernetes {own}"}
        if topology.install == "release":
            found |= {f"Release {own}-{role}-evicted" for _, role in releases(topology, evicted)}
    for cluster in plan.clusters:
        own = names.logical_name(mesh, cluster.name)
        for kind, role in _in_cluster(topology, plan, cluster):
            shown = "Release" if kind == "Chart" and topology.install == "release" else kind
            found.add(f"{shown} {names.logical_name(own, None, role)}")
    return frozenset(found)


def releases(topology: Topology, cluster: str) -> Iterator[tuple[str, str]]:
    """Yield the Helm releases of a cluster besides that of CRDs, where charts are such.

    As the component that has each, and the role that ends its logical name.
    """
    yield "ControlPlane", "base"
    yield from (("ControlPlane", istiod) for istiod in istiod_roles(topology))
    if topology.whole.has_gateway(cluster):
        yield "EastWestGateway", "east-west"
    if topology.whole.has_federation_gateway(cluster):
        yield "FederationGateway", "federation"


def number_of_resources(topology: Topology, plan: MeshPlan) -> int:
    """Return about how many resources the mesh is in a stack: exactly so many where no user value adds objects."""
    istiods = sum(not cluster.remote and (not cluster.joins or cluster.adopted) for cluster in plan.clusters)
    remotes = sum(cluster.remote for cluster in plan.clusters)
    gateways = sum(
        (cluster.gateway and not cluster.gateway_there) + cluster.federation_gateway for cluster in plan.clusters
    )
    rendered = {
        "base": istiods + remotes,
        "istiod": istiods * len(topology.revision_names),
        "istiod of a remote": remotes * len(topology.revision_names),
        "gateway": gateways,
    }
    if topology.install == "release":
        return len(resources(topology, plan))
    crds = len(_rendered_versions(topology)) * len(CRDS)
    return (
        crds + len(resources(topology, plan)) + sum(CHART_OBJECTS[chart] * count for chart, count in rendered.items())
    )


def _rendered_versions(topology: Topology) -> set[str]:
    """Return the versions of Istio whose CRDs are written to files."""
    managed = [name for name, cluster in topology.clusters.items() if cluster.crds == "managed"]
    return {topology.newest_version_of(name) for name in managed} if topology.render_to is not None else set()


def _trust(topology: Topology, mesh: str) -> Iterator[str]:
    if topology.trust.kind == "generated":
        yield f"Trust {mesh}"
        for root in topology.trust.roots:
            yield f"PrivateKey {names.logical_name(mesh, 'root', root.name)}"


def _in_cluster(topology: Topology, plan: MeshPlan, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    """Yield the kind of each resource of one cluster, and what follows the cluster's own logical name."""
    rendered = topology.render_to is not None
    yield "MeshCluster", ""
    if rendered:
        yield "Rendering", ""
    yield from (("kubernetes", folder.value) for folder in Folder) if rendered else [("kubernetes", "")]
    yield "ControlPlane", ""
    if cluster.joins:
        yield from _joined(cluster)
    else:
        yield from _control_plane(topology, cluster)
    yield from _proof(topology, plan, cluster)
    if cluster.discovered_by:
        yield "Reader", ""
        token = topology.clusters[cluster.name].reader_token
        yield "Secret", "-".join(filter(None, ["reader-token", token]))
    if cluster.discovers or cluster.forgets:
        yield "RemoteSecrets", ""
        for read in (*cluster.discovers, *cluster.forgets):
            yield "Secret", f"remote-{read}"
    yield from _dialled(topology, cluster)


def _joined(cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    yield "ConfigMap", "member"
    if cluster.gate:
        yield "Service", "istiod-replicas"
    if cluster.adopted:
        yield "Chart", "base"
        yield "Chart", "istiod"


def _control_plane(topology: Topology, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    rendered = topology.render_to is not None
    yield "Namespace", "namespace"
    if topology.clusters[cluster.name].crds == "managed" and not rendered:
        yield "Release", "crds"
    yield "Chart", "base"
    for istiod in istiod_roles(topology):
        yield "Chart", istiod
        if cluster.remote:
            yield "Service", istiod
            yield "EndpointSlice", istiod
    if topology.revisioned:
        for tag in topology.tags_of(cluster.name):
            yield "MutatingWebhookConfiguration", f"tag-{tag}"
    elif not rendered:
        yield "MutatingWebhookConfigurationPatch", "injector"
    if not cluster.remote:
        yield from _istiod(topology, cluster)
        yield from _shared(topology)


def istiod_roles(topology: Topology, role: str = "istiod") -> list[str]:
    """Return what ends the logical name of something of istiod's, for each of its revisions."""
    return [names.of_revision(role, revision) for revision in topology.revision_names]


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


def _proof(topology: Topology, plan: MeshPlan, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    if cluster.gate or cluster.probe:
        yield "Verification", ""
        yield "Namespace", "verify"
        yield "ServiceAccount", "verify"
    if cluster.gate:
        yield "MeshGate", ""
        yield "Job", "mesh"
        for revision in topology.idle_revisions(cluster.name):
            yield "MeshGate", f"mesh-{revision}"
            yield "Job", f"mesh-{revision}"
        if topology.waves:
            yield "ConfigMap", "proved"
        for wave in range(1, len(plan.waves)):
            yield "WaveGate", f"wave-{wave}"
            yield "Job", f"wave-{wave}"
    if cluster.probe:
        yield "Service", "probe"
        yield "Deployment", "probe"
    if cluster.dials:
        yield "ApiServerGate", ""
        yield "Job", "api-servers"


def _dialled(topology: Topology, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    for there, part, role in (
        (cluster.gateway, "EastWestGateway", "east-west"),
        (cluster.federation_gateway, "FederationGateway", "federation"),
    ):
        if there:
            yield part, ""
            if role == "east-west" and cluster.gateway_there:
                continue
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
        for service in istiod_roles(topology, "istiod-remotes"):
            yield "Service", service


def _shared(topology: Topology) -> Iterator[tuple[str, str]]:
    """What a cluster with an istiod has of the mesh's border."""
    if topology.peers or topology.exports:
        yield "MeshExport", ""
    for peer in topology.peers:
        yield "AuthorizationPolicy", names.callers_of(peer)
    if topology.peers:
        yield "EnvoyFilter", names.IDENTITIES_ONLY
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
