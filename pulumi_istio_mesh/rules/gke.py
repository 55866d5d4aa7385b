"""Rules about GKE clusters that the program makes: what Google would refuse late, or take and leave a mesh that fails.

Sources: GKE's pages on VPC-native clusters, private clusters, Autopilot and authorized networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations

from ..istio import values
from ..topology.gke import GkeCluster
from ..topology.gke_ranges import (
    CONTROL_PLANE_PREFIX,
    SERVICES_PREFIX,
    ClusterRanges,
    blocks_in,
    fits,
    needed_block,
    nodes_prefix,
    pods_prefix,
)
from ..topology.models import Topology
from ..topology.names import is_dns_label
from ..topology.problems import Problem, near

_LARGEST_SERVICES, _SMALLEST_SERVICES = 16, 28

_block = partial(Problem, slug="gke-block")
_ranges = partial(Problem, slug="gke-ranges")
_nodes = partial(Problem, slug="gke-nodes")
_plane = partial(Problem, slug="gke-control-plane")


def clusters_and_networks_meet(topology: Topology) -> Iterator[Problem]:
    """Refuse a GKE cluster without its VPC, a VPC without GKE clusters, and strangers on it without their ranges."""
    networks = topology.gke_networks
    for name, cluster in topology.clusters.items():
        network = topology.network_of(name)
        if cluster.gke is not None and network not in networks:
            told = f"{network!r} is none of gke_networks{near(network, networks)}"
            yield Problem(
                where=f"clusters.{name}.network",
                what=told if cluster.network else "it is missing, and the cluster is made on GKE",
                why="a GKE cluster is made on the VPC of its network, and its ranges and firewall are that VPC's",
                fix=f"network: {next(iter(networks), 'vpc')}, and gke_networks: "
                f"{{{next(iter(networks), 'vpc')}: {{project: acme-prod, supernet: 10.0.0.0/8}}}}",
                slug="gke-network",
            )
        if cluster.gke is None and network in networks and not cluster.pod_cidr:
            yield Problem(
                where=f"clusters.{name}.pod_cidr",
                what=f"it is missing, and {network} is a VPC made here",
                why="the VPC's firewall lets in the pod ranges of the mesh and nothing else",
                fix="pod_cidr: 10.200.0.0/16",
                slug="gke-network",
            )
    peopled = {topology.network_of(name) for name, _, _ in topology.gke_clusters()}
    for network in networks:
        if network not in peopled:
            yield Problem(
                where=f"gke_networks.{network}",
                what="no GKE cluster is on it",
                why="a VPC is made for its clusters; one that nobody uses is a misspelt name or a leftover",
                fix=f"network: {network} in a cluster with gke, or remove it",
                slug="gke-network",
            )


def each_cluster_has_its_block(topology: Topology) -> Iterator[Problem]:
    """Refuse clusters without ranges, blocks that are taken or not there, and blocks that are too small."""
    used = {(topology.network_of(name), cluster.block) for name, cluster, _ in topology.gke_clusters()}
    taken: dict[tuple[str, int], str] = {}
    for name, cluster, network in topology.gke_clusters():
        on, where = topology.network_of(name), f"clusters.{name}.gke.block"
        room = blocks_in(network)
        free = next((number for number in range(room) if (on, number) not in used), None)
        if cluster.ranges is not None and cluster.block is not None:
            yield _block(where, "it is given, and so are ranges", "a cluster has one set of ranges", f"remove {where}")
            continue
        if cluster.ranges is not None:
            continue
        if network.supernet is None:
            yield _block(
                f"gke_networks.{on}.supernet",
                f"it is missing, and {name} gives no ranges of its own",
                "every cluster's ranges are cut from it",
                "supernet: 10.0.0.0/8",
            )
            continue
        if room == 0:
            yield _block(
                f"gke_networks.{on}.supernet",
                f"{network.supernet[0]} is smaller than one block, /{network.block_prefix}",
                "each cluster gets a block of it",
                f"a supernet of /{network.block_prefix} or larger, or a larger block_prefix",
            )
            continue
        places = f"{network.supernet[0]} holds {room} cluster{'s' if room > 1 else ''}: blocks 0 to {room - 1}"
        next_one = f"block: {free}" if free is not None else "a larger supernet, or a larger block_prefix"
        if cluster.block is None:
            what = "it is missing" if free is not None else f"it is missing, and none is left: {places}"
            why = "a cluster's ranges must not move when others come or go, so its place is written down"
            yield _block(where, what, why, next_one)
        elif cluster.block >= room:
            yield _block(where, f"there is no block {cluster.block}", places, next_one)
        elif (other := taken.setdefault((on, cluster.block), name)) != name:
            yield _block(where, f"block {cluster.block} is that of {other}", "one address must mean one pod", next_one)
        if not fits(cluster, network.block_prefix):
            needed = needed_block(cluster)
            yield _block(
                f"gke_networks.{on}.block_prefix",
                f"a block of /{network.block_prefix} is too small for {name}: {cluster.most_nodes} nodes of "
                f"{cluster.most_pods} pods need pods /{pods_prefix(cluster)}, Services /{SERVICES_PREFIX} and nodes "
                f"/{nodes_prefix(cluster)}",
                "GKE gives each node twice as many addresses as pods; half of a block is for pods, an eighth for nodes",
                f"block_prefix: {needed}" if needed >= 9 else "fewer max_nodes, or a smaller max_pods_per_node",
            )


def given_ranges_are_large_enough_and_disjoint(topology: Topology) -> Iterator[Problem]:
    """Refuse ranges that GKE's rule finds too small, that overlap, or that say something else than the cluster."""
    known = [
        (name, found) for name, _, _ in topology.gke_clusters() if (found := topology.gke_ranges(name)) is not None
    ]
    for name, ranges in known:
        cluster = topology.clusters[name]
        if cluster.gke is not None and cluster.gke.ranges is not None:
            yield from _sizes(name, cluster.gke, ranges)
        for key, planned in (("pod_cidr", ranges.pods), ("service_cidr", ranges.services)):
            if getattr(cluster, key) != (planned,):
                given = ",".join(map(str, getattr(cluster, key)))
                yield _ranges(
                    f"clusters.{name}.{key}",
                    f"it is {given}, and the cluster is made with {planned}",
                    "the ranges of a cluster made here follow from its block or its ranges",
                    f"remove clusters.{name}.{key}",
                )
        for (one, left), (other, right) in combinations(ranges, 2):
            if left.overlaps(right):
                yield _ranges(
                    f"clusters.{name}.gke.ranges.{other}",
                    f"{right} overlaps {one} {left}",
                    "a VPC routes an address to one place",
                    f"a range outside {left}",
                )
    for (first, theirs), (second, ours) in combinations(known, 2):
        if topology.network_of(first) != topology.network_of(second):
            continue
        for (one, left), (other, right) in ((a, b) for a in theirs for b in ours):
            # Pods against pods is every cluster's rule, pod-cidr-overlap; so are pods against Services.
            if left.overlaps(right) and not {one, other} <= {"pods", "services"}:
                yield _ranges(
                    f"clusters.{second}.gke.{'ranges' if _own(topology, second) else 'block'}",
                    f"its {other} {right} overlap {one} {left} of {first}",
                    "a VPC routes an address to one place",
                    f"ranges outside {left}",
                )


def _own(topology: Topology, name: str) -> bool:
    cluster = topology.clusters[name].gke
    return cluster is not None and cluster.ranges is not None


def _sizes(name: str, cluster: GkeCluster, ranges: ClusterRanges) -> Iterator[Problem]:
    where = f"clusters.{name}.gke.ranges"
    asked = f"{cluster.most_nodes} nodes of {cluster.most_pods} pods"
    for part, found, needed, why in (
        ("pods", ranges.pods, pods_prefix(cluster), "GKE gives each node twice as many addresses as pods"),
        ("nodes", ranges.nodes, nodes_prefix(cluster), "each node and each internal load balancer takes an address"),
    ):
        if found.prefixlen > needed:
            yield _ranges(
                f"{where}.{part}", f"{found} is too small for {asked}", why, f"a range of /{needed} or larger"
            )
    if not _LARGEST_SERVICES <= ranges.services.prefixlen <= _SMALLEST_SERVICES:
        yield _ranges(
            f"{where}.services", f"{ranges.services} is no range for Services", "GKE takes /16 to /28",
            f"a range of /{SERVICES_PREFIX}",
        )  # fmt: skip
    if ranges.control_plane.prefixlen != CONTROL_PLANE_PREFIX:
        yield _ranges(
            f"{where}.control_plane", f"{ranges.control_plane} is no /{CONTROL_PLANE_PREFIX}",
            "GKE puts a private control plane into a range of exactly that size",
            f"a range of /{CONTROL_PLANE_PREFIX}",
        )  # fmt: skip


def zones_are_the_regions(topology: Topology) -> Iterator[Problem]:
    """Refuse zones of another region, and a zonal cluster whose nodes are all elsewhere."""
    for name, cluster, _ in topology.gke_clusters():
        where = f"clusters.{name}.gke"
        zones = {"zone": cluster.zone, **{f"node_zones.{n}": zone for n, zone in enumerate(cluster.node_zones)}}
        for key, zone in zones.items():
            if zone is not None and zone.rpartition("-")[0] != cluster.region:
                yield Problem(
                    where=f"{where}.{key}",
                    what=f"{zone} is no zone of {cluster.region}",
                    why="a cluster's nodes are in the region of its control plane and of its subnetwork",
                    fix=f"{cluster.region}-b",
                    slug="gke-location",
                )
        if cluster.autopilot and cluster.zone is not None:
            yield Problem(
                where=f"{where}.zone",
                what="it is given, and the cluster is an Autopilot one",
                why="Autopilot clusters are regional",
                fix=f"remove {where}.zone",
                slug="gke-location",
            )


def nodes_can_be_made(topology: Topology) -> Iterator[Problem]:
    """Refuse pools with Autopilot, limits that nobody reads, and pools that can't be."""
    for name, cluster, _ in topology.gke_clusters():
        where = f"clusters.{name}.gke"
        ignored = (
            ("node_pools", cluster.autopilot and cluster.node_pools, "Autopilot makes the nodes itself"),
            ("max_pods_per_node", cluster.autopilot and cluster.max_pods_per_node, "Autopilot decides it"),
            ("max_nodes", not cluster.autopilot and cluster.max_nodes, "the node pools say how many nodes there are"),
        )
        for key, given, why in ignored:
            if given:
                yield _nodes(f"{where}.{key}", "it would have no effect", why, f"remove {where}.{key}")
        if cluster.autopilot and values.with_cni(topology, name):
            yield _nodes(
                f"{where}.autopilot",
                "it is on, and istiod's values switch istio-cni on",
                "istio-cni needs SYS_ADMIN on the nodes, which Autopilot gives to nobody; istio-init does its work",
                "a cluster with node_pools, or no istiod.cni",
            )
        for pool, facts in cluster.node_pools.items():
            if not is_dns_label(pool) or len(pool) > 40:
                yield _nodes(
                    f"{where}.node_pools.{pool}",
                    f"{pool!r} cannot be a pool's name",
                    "GKE takes lower-case letters, digits and inner hyphens, at most 40 characters",
                    "a name such as general",
                )
            if facts.min_nodes > facts.max_nodes:
                yield _nodes(
                    f"{where}.node_pools.{pool}.min_nodes",
                    f"{facts.min_nodes} is more than max_nodes, {facts.max_nodes}",
                    "autoscaling keeps a pool between the two",
                    f"max_nodes: {facts.min_nodes}",
                )


def istiods_reach_api_servers(topology: Topology) -> Iterator[Problem]:
    """Refuse control planes that an istiod of the mesh, which reads them, could not dial."""
    for name, cluster, _ in topology.gke_clusters():
        where, plane = f"clusters.{name}.gke.control_plane", cluster.control_plane
        if topology.clusters[name].api_server is not None:
            yield _plane(
                f"clusters.{name}.api_server",
                "it is given, and the cluster is made here",
                "how peers reach the API server follows from gke.control_plane",
                f"remove clusters.{name}.api_server",
            )
        if plane.endpoint == "dns" and plane.authorized:
            yield _plane(
                f"{where}.authorized",
                "it is given, and the endpoint is dns",
                "who may use the DNS endpoint is decided by IAM and not by addresses",
                f"remove {where}.authorized",
            )
        for watcher in topology.watchers_of(name):
            reader = topology.clusters[watcher].gke
            within = topology.gke_networks.get(topology.network_of(watcher))
            same_vpc = within is not None and _vpc(topology, watcher) == _vpc(topology, name)
            if plane.endpoint == "dns":
                continue
            if reader is None or (plane.endpoint == "private" and not same_vpc):
                if not plane.authorized:
                    yield _plane(
                        f"{where}.authorized",
                        f"it is missing, and the istiod of {watcher} reads {name}",
                        f"{watcher} is not on the VPC of {name}, so nothing here says from which addresses it comes",
                        f"authorized: {{{watcher}: 203.0.113.0/28}}, or endpoint: dns",
                    )
            elif plane.endpoint == "private" and not plane.global_access and reader.region != cluster.region:
                yield _plane(
                    f"{where}.global_access",
                    f"it is off, and the istiod of {watcher} in {reader.region} reads {name} in {cluster.region}",
                    "without it the private endpoint answers its own region only",
                    "global_access: true",
                )
            elif plane.endpoint == "public" and within is not None and not within.nat:
                yield _plane(
                    f"gke_networks.{topology.network_of(watcher)}.nat",
                    f"it is off, and the istiod of {watcher} dials the public endpoint of {name}",
                    "private nodes reach public addresses by Cloud NAT only, and its address is what is authorized",
                    "nat: true, or endpoint: private",
                )


def _vpc(topology: Topology, cluster: str) -> str:
    network = topology.network_of(cluster)
    return topology.gke_networks[network].vpc_path or network


def nodes_reach_images(topology: Topology) -> Iterator[Problem]:
    """Refuse private nodes that could pull no image of Istio's."""
    for network, facts in topology.gke_networks.items():
        google = (topology.image_hub or "").partition("/")[0].endswith(("pkg.dev", "gcr.io"))
        if not facts.nat and facts.vpc is None and not google:
            hub = topology.image_hub or "Istio's own"
            yield Problem(
                where=f"gke_networks.{network}.nat",
                what=f"it is off, and images come from another registry than Google's: {hub}",
                why="nodes are private: without Cloud NAT they reach Google's services and nothing else",
                fix="nat: true, or image_hub: europe-docker.pkg.dev/<project>/<mirror>",
                slug="gke-images",
            )


RULES = (
    clusters_and_networks_meet,
    each_cluster_has_its_block,
    given_ranges_are_large_enough_and_disjoint,
    zones_are_the_regions,
    nodes_can_be_made,
    istiods_reach_api_servers,
    nodes_reach_images,
)
