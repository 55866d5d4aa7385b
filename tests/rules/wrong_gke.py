"""Wrong GKE clusters and VPCs, each with what it is told and with its nearest allowed neighbour."""

from __future__ import annotations

from typing import Any

from ..builders import mesh_tree
from .wrong_row import Wrong

VPC: dict[str, Any] = {"project": "acme-prod", "supernet": "10.0.0.0/8", "nat": True}
RANGES = {
    "nodes": "10.0.0.0/24", "pods": "10.4.0.0/20", "services": "10.5.0.0/20", "control_plane": "172.16.0.0/28",
}  # fmt: skip


def on_vpc(
    west: dict[str, Any] | None = None,
    *,
    network: dict[str, Any] | None = None,
    mesh: dict[str, Any] | None = None,
    north: dict[str, Any] | None = None,
    **clusters: dict[str, Any],
) -> dict[str, Any]:
    """A primary and a remote on one VPC, in two regions, with facts changed; `...` leaves one out."""

    def member(block: int, region: str, facts: dict[str, Any] | None) -> dict[str, Any]:
        plane = {"endpoint": "private"}
        found = {"region": region, "block": block, "control_plane": plane, **(facts or {})}
        return {"network": "vpc", "gke": {key: value for key, value in found.items() if value is not ...}}

    both = {
        "west": member(0, "europe-west1", west),
        "north": {"primary": "west", **member(1, "europe-north1", north)},
    }
    facts = {key: value for key, value in {**VPC, **(network or {})}.items() if value is not ...}
    return mesh_tree(**{"clusters": {**both, **clusters}, "gke_networks": {"vpc": facts}, **(mesh or {})})


def given(**changes: str) -> dict[str, Any]:
    return {"block": ..., "ranges": {**RANGES, **changes}}


PRIVATE = {"endpoint": "private"}
GKE_OF_WEST = "clusters.west.gke"
OTHER_VPC = {"network": "cloud", "gke": {"region": "europe-west1", "block": 3}}

GKE = {
    "a GKE cluster on no VPC": Wrong(
        on_vpc(east=OTHER_VPC), "gke-network", "clusters.east.network", "supernet: 10.0.0.0/8}}",
        on_vpc(east={**OTHER_VPC, "network": "vpc", "gke": {**OTHER_VPC["gke"], "control_plane": PRIVATE}}),
        # And nobody knows how its istiod and those of the VPC reach each other's API servers.
        consequences=2,
    ),
    "a VPC that no cluster is on": Wrong(
        on_vpc(mesh={"gke_networks": {"vpc": VPC, "spare": VPC}}), "gke-network", "gke_networks.spare",
        "or remove it", on_vpc(),
    ),
    "a cluster that exists, on the VPC, with unknown pods": Wrong(
        on_vpc(old={"network": "vpc", "primary": "west"}), "gke-network", "clusters.old.pod_cidr",
        "pod_cidr: 10.200.0.0/16", on_vpc(old={"network": "vpc", "primary": "west", "pod_cidr": "10.200.0.0/16"}),
    ),
    "a cluster without its block": Wrong(
        on_vpc({"block": ...}), "gke-block", f"{GKE_OF_WEST}.block", "block: 0", on_vpc()
    ),
    "a block and ranges": Wrong(
        on_vpc({**given(), "block": 0}), "gke-block", f"{GKE_OF_WEST}.block", f"remove {GKE_OF_WEST}.block",
        on_vpc(given()),
    ),
    "a block that is taken": Wrong(
        on_vpc(north={"block": 0}), "gke-block", "clusters.north.gke.block", "block: 1", on_vpc(north={"block": 2}),
        # The same addresses, twice: pods, Services over pods, nodes, control planes.
        consequences=3,
    ),
    "a block outside the supernet": Wrong(
        on_vpc({"block": 256}), "gke-block", f"{GKE_OF_WEST}.block", "block: 0", on_vpc({"block": 255})
    ),
    "a supernet that is full": Wrong(
        on_vpc(north={"block": ...}, network={"supernet": "10.0.0.0/16"}), "gke-block", "clusters.north.gke.block",
        "a larger block_prefix", on_vpc(network={"supernet": "10.0.0.0/15"}),
    ),
    "a supernet smaller than a block": Wrong(
        on_vpc(network={"supernet": "10.0.0.0/20"}, north=given()), "gke-block", "gke_networks.vpc.supernet",
        "a larger block_prefix", on_vpc(network={"supernet": "10.0.0.0/16"}, north=given(nodes="10.1.0.0/24")),
    ),
    "no supernet": Wrong(
        on_vpc(network={"supernet": ...}, north=given()), "gke-block", "gke_networks.vpc.supernet",
        "supernet: 10.0.0.0/8",
        on_vpc(given(nodes="10.1.0.0/24", pods="10.8.0.0/20", services="10.9.0.0/20", control_plane="172.16.1.0/28"),
               network={"supernet": ...}, north=given()),
    ),
    "more nodes than a block holds": Wrong(
        on_vpc({"node_pools": {"all": {"max_nodes": 200}}}), "gke-block", "gke_networks.vpc.block_prefix",
        "block_prefix: 15", on_vpc({"node_pools": {"all": {"max_nodes": 128}}}),
    ),
    "a pod range that is too small": Wrong(
        on_vpc(given(pods="10.4.0.0/23")), "gke-ranges", f"{GKE_OF_WEST}.ranges.pods", "a range of /22 or larger",
        on_vpc(given(pods="10.4.0.0/22")),
    ),
    "a node range that is too small": Wrong(
        on_vpc(given(nodes="10.0.0.0/28")), "gke-ranges", f"{GKE_OF_WEST}.ranges.nodes", "a range of /27 or larger",
        on_vpc(given(nodes="10.0.0.0/27")),
    ),
    "a Service range that GKE doesn't take": Wrong(
        on_vpc(given(services="10.5.0.0/29")), "gke-ranges", f"{GKE_OF_WEST}.ranges.services", "a range of /20",
        on_vpc(given(services="10.5.0.0/28")),
    ),
    "a control plane's range of another size": Wrong(
        on_vpc(given(control_plane="172.16.0.0/24")), "gke-ranges", f"{GKE_OF_WEST}.ranges.control_plane",
        "a range of /28", on_vpc(given(control_plane="172.16.0.16/28")),
    ),
    "ranges of one cluster that overlap": Wrong(
        on_vpc(given(nodes="10.5.8.0/24")), "gke-ranges", f"{GKE_OF_WEST}.ranges.services", "outside 10.5.8.0/24",
        on_vpc(given(nodes="10.5.16.0/24")),
    ),
    "nodes among another cluster's Services": Wrong(
        on_vpc(given(nodes="10.1.128.0/24")), "gke-ranges", "clusters.north.gke.block", "outside 10.1.128.0/24",
        on_vpc(given(nodes="10.2.128.0/24")),
    ),
    "a pod range that the cluster doesn't have": Wrong(
        on_vpc(mesh={"clusters": {"west": {"network": "vpc", "pod_cidr": "10.99.0.0/16",
                                           "gke": {"region": "europe-west1", "block": 0}}}}),
        "gke-ranges", "clusters.west.pod_cidr", "remove clusters.west.pod_cidr", on_vpc(),
    ),
    "a zone of another region": Wrong(
        on_vpc({"zone": "europe-north1-a"}), "gke-location", f"{GKE_OF_WEST}.zone", "europe-west1-b",
        on_vpc({"zone": "europe-west1-b"}),
    ),
    "nodes in another region": Wrong(
        on_vpc({"node_zones": ["europe-west1-b", "us-east1-b"]}), "gke-location", f"{GKE_OF_WEST}.node_zones.1",
        "europe-west1-b", on_vpc({"node_zones": ["europe-west1-b", "europe-west1-c"]}),
    ),
    "a zonal Autopilot cluster": Wrong(
        on_vpc({"autopilot": True, "zone": "europe-west1-b"}), "gke-location", f"{GKE_OF_WEST}.zone",
        f"remove {GKE_OF_WEST}.zone", on_vpc({"autopilot": True}),
    ),
    "a region that is a zone": Wrong(
        on_vpc({"region": "europe-west1-b"}), "topology-shape", f"{GKE_OF_WEST}.region",
        "see docs/topology.md for the shape", on_vpc({"zone": "europe-west1-b"}),
    ),
    "Autopilot with node pools": Wrong(
        on_vpc({"autopilot": True, "node_pools": {"all": {}}}), "gke-nodes", f"{GKE_OF_WEST}.node_pools",
        f"remove {GKE_OF_WEST}.node_pools", on_vpc({"node_pools": {"all": {}}}),
    ),
    "Autopilot with a number of pods": Wrong(
        on_vpc({"autopilot": True, "max_pods_per_node": 64}), "gke-nodes", f"{GKE_OF_WEST}.max_pods_per_node",
        f"remove {GKE_OF_WEST}.max_pods_per_node", on_vpc({"max_pods_per_node": 64}),
    ),
    "Autopilot with istio-cni": Wrong(
        on_vpc({"autopilot": True}, mesh={"values": {"istiod": {"cni": {"enabled": True}}}}), "gke-nodes",
        f"{GKE_OF_WEST}.autopilot", "or no istiod.cni", on_vpc(mesh={"values": {"istiod": {"cni": {"enabled": True}}}}),
    ),
    "a number of nodes beside pools": Wrong(
        on_vpc({"max_nodes": 9}), "gke-nodes", f"{GKE_OF_WEST}.max_nodes", f"remove {GKE_OF_WEST}.max_nodes",
        on_vpc({"autopilot": True, "max_nodes": 9}),
    ),
    "a pool with a name that GKE refuses": Wrong(
        on_vpc({"node_pools": {"All_": {}}}), "gke-nodes", f"{GKE_OF_WEST}.node_pools.All_", "such as general",
        on_vpc({"node_pools": {"all": {}}}),
    ),
    "a pool with more nodes at least than at most": Wrong(
        on_vpc({"node_pools": {"all": {"min_nodes": 5}}}), "gke-nodes", f"{GKE_OF_WEST}.node_pools.all.min_nodes",
        "max_nodes: 5", on_vpc({"node_pools": {"all": {"min_nodes": 3}}}),
    ),
    "a private endpoint that another region can't reach": Wrong(
        on_vpc(north={"control_plane": {"endpoint": "private", "global_access": False}}), "gke-control-plane",
        "clusters.north.gke.control_plane.global_access", "global_access: true",
        on_vpc(west={"region": "europe-north1"},
               north={"control_plane": {"endpoint": "private", "global_access": False}}),
    ),
    "a private endpoint that a cluster elsewhere reads": Wrong(
        on_vpc(north={"control_plane": {"endpoint": "dns"}}, plant={}), "gke-control-plane",
        f"{GKE_OF_WEST}.control_plane.authorized", "or endpoint: dns",
        on_vpc({"control_plane": {"endpoint": "dns"}}, north={"control_plane": {"endpoint": "dns"}}, plant={}),
    ),
    "a public endpoint without Cloud NAT on the other side": Wrong(
        on_vpc(network={"nat": False}, mesh={"image_hub": "europe-docker.pkg.dev/acme/istio"},
               north={"control_plane": {"endpoint": "public"}}),
        "gke-control-plane", "gke_networks.vpc.nat", "or endpoint: private",
        on_vpc(network={"nat": False}, mesh={"image_hub": "europe-docker.pkg.dev/acme/istio"}),
    ),
    "authorized ranges of a DNS endpoint": Wrong(
        on_vpc(north={"control_plane": {"endpoint": "dns", "authorized": {"office": "198.51.100.0/24"}}}),
        "gke-control-plane", "clusters.north.gke.control_plane.authorized",
        "remove clusters.north.gke.control_plane.authorized",
        on_vpc(north={"control_plane": {"endpoint": "private", "authorized": {"office": "198.51.100.0/24"}}}),
    ),
    "an address of an API server that is made here": Wrong(
        on_vpc(mesh={"clusters": {"west": {"network": "vpc", "api_server": "https://192.0.2.1",
                                           "gke": {"region": "europe-west1", "block": 0}}}}),
        "gke-control-plane", "clusters.west.api_server", "remove clusters.west.api_server", on_vpc(),
    ),
    "private nodes that can pull no image": Wrong(
        on_vpc(network={"nat": False}), "gke-images", "gke_networks.vpc.nat", "<project>/<mirror>",
        on_vpc(network={"nat": False}, mesh={"image_hub": "europe-docker.pkg.dev/acme/istio"}),
    ),
}  # fmt: skip
