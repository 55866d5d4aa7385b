"""The GKE clusters of a mesh: their VPCs, themselves, and the firewall between them, all from the mesh's plan."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from ..istio import names
from ..plan.gke_flows import Flow
from ..plan.mesh_plan import MeshPlan
from ..topology.gke import GkeControlPlane
from ..topology.models import Topology
from .gke_cluster import GkeCluster
from .gke_network import GkeNetwork

_PRIORITY = 900


class GkeMembers(pulumi.ComponentResource):
    """The VPCs, clusters and firewall rules that a mesh's `gke_networks` and `gke` ask for.

    Must exist before: nothing. On destroy clusters go after everything in them that they don't take along.
    """

    networks: dict[str, GkeNetwork]
    clusters: dict[str, GkeCluster]

    def __init__(self, name: str, topology: Topology, plan: MeshPlan, opts: pulumi.ResourceOptions) -> None:
        super().__init__(names.token("GkeMembers"), name, None, opts)
        within = pulumi.ResourceOptions(parent=self)
        self.networks = {
            network: GkeNetwork(
                names.logical_name(name, network),
                facts,
                [gke.region for member, gke, _ in topology.gke_clusters() if topology.network_of(member) == network],
                opts=within,
            )
            for network, facts in topology.gke_networks.items()
        }
        self.clusters = {}
        for member, gke, facts in topology.gke_clusters():
            network, ranges = topology.network_of(member), topology.gke_ranges(member)
            assert ranges is not None, "rules refuse a cluster without ranges"
            self.clusters[member] = GkeCluster(
                names.logical_name(name, member),
                gke,
                facts,
                ranges,
                vpc=self.networks[network].vpc,
                authorized=_authorized(topology, member, gke.control_plane, self.networks),
                opts=within,
            )
        for flow in plan.firewall:
            network = topology.network_of(flow.cluster)
            gcp.compute.Firewall(
                names.logical_name(name, flow.cluster, flow.name),
                project=topology.gke_networks[network].host_project,
                network=self.networks[network].vpc,
                direction="INGRESS",
                priority=_PRIORITY,
                source_ranges=list(flow.sources),
                target_service_accounts=[self.clusters[flow.cluster].node_account],
                allows=[_allowed(flow)],
                description=f"Istio mesh {topology.mesh_id}: {flow.why}",
                opts=within,
            )
        self.register_outputs({})

    def arguments(self, clusters: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """Return the arguments of all clusters, those of GKE clusters with what is known once they are made."""
        found = dict(clusters)
        for member, cluster in self.clusters.items():
            known = {"kubeconfig": cluster.kubeconfig, "api_server": cluster.api_server}
            found[member] = {**clusters[member], **known}
        return found


def _allowed(flow: Flow) -> gcp.compute.FirewallAllowArgs:
    return gcp.compute.FirewallAllowArgs(protocol="tcp", ports=list(flow.ports) or None)


def _authorized(
    topology: Topology, member: str, plane: GkeControlPlane, networks: Mapping[str, GkeNetwork]
) -> dict[str, pulumi.Input[str]]:
    """Return who may dial a cluster's API server: whom the user names, and the clusters whose istiods read it."""
    found: dict[str, pulumi.Input[str]] = {who: str(ranges[0]) for who, ranges in plane.authorized.items()}
    for watcher in topology.watchers_of(member):
        reader = topology.clusters[watcher].gke
        if reader is None:
            continue
        if plane.endpoint == "private":
            found[f"pods of {watcher}"] = str(topology.clusters[watcher].pod_cidr[0])
        elif plane.endpoint == "public":
            network = topology.network_of(watcher)
            addresses = networks[network].nat_addresses
            if reader.region in addresses:
                who = f"nat of {network} in {reader.region}"
                found[who] = addresses[reader.region].apply(lambda address: f"{address}/32")
    return found
