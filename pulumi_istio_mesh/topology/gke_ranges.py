"""Which addresses a GKE cluster gets: from its network's supernet, by its block, sized by GKE's own rule.

A block's parts begin at fixed places, so that nothing that is given moves: not when clusters come or go, not when one
grows. First half: pods, all of it, since Google can't widen a secondary range that is in use. Third quarter: Services.
Fourth quarter: nodes, whose range it can widen, and at its very end the control plane.
Sources: GKE, "Plan IP addresses", "Configure maximum Pods per node" (a node gets at least twice as many addresses as
pods); VPC, "Subnets" (four reserved addresses).
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass

from .gke import GkeCluster, GkeNetwork

SERVICES_PREFIX = 20
"""4096 Services, as GKE's default."""
CONTROL_PLANE_PREFIX = 28
_RESERVED = 4
_LOAD_BALANCERS = 16
"""Addresses of the nodes' subnetwork that internal load balancers may take."""


@dataclass(frozen=True)
class ClusterRanges:
    """The ranges of one cluster; disjoint."""

    nodes: ipaddress.IPv4Network
    pods: ipaddress.IPv4Network
    services: ipaddress.IPv4Network
    control_plane: ipaddress.IPv4Network

    def __iter__(self) -> Iterator[tuple[str, ipaddress.IPv4Network]]:
        """Yield each range with its name."""
        return iter(vars(self).items())


def pods_prefix(cluster: GkeCluster) -> int:
    """Return the prefix length of the smallest pod range that holds as many nodes as there may be."""
    per_node = 2 ** math.ceil(math.log2(2 * cluster.most_pods))
    return 32 - math.ceil(math.log2(cluster.most_nodes * per_node))


def nodes_prefix(cluster: GkeCluster) -> int:
    """Return the prefix length of the smallest subnetwork that holds the nodes and their load balancers."""
    return 32 - math.ceil(math.log2(cluster.most_nodes + _RESERVED + _LOAD_BALANCERS))


def fits(cluster: GkeCluster, block_prefix: int) -> bool:
    """Return whether a block of this size holds the cluster's ranges."""
    return (
        pods_prefix(cluster) > block_prefix
        and nodes_prefix(cluster) >= block_prefix + 3
        and block_prefix + 2 <= SERVICES_PREFIX
    )


def needed_block(cluster: GkeCluster) -> int:
    """Return the prefix length of the smallest block that holds the cluster."""
    return min(pods_prefix(cluster) - 1, nodes_prefix(cluster) - 3, SERVICES_PREFIX - 2)


def blocks_in(network: GkeNetwork) -> int:
    """Return how many clusters the supernet has room for; 0 where there is none, or one that is too small."""
    if network.supernet is None or network.supernet[0].prefixlen > network.block_prefix:
        return 0
    return int(2 ** (network.block_prefix - network.supernet[0].prefixlen))


def ranges_of(network: GkeNetwork, cluster: GkeCluster) -> ClusterRanges | None:
    """Return the ranges of a cluster: given, or of its block; None where the facts don't allow any."""
    if cluster.ranges is not None:
        given = cluster.ranges
        parts = (given.nodes, given.pods, given.services, given.control_plane)
        return ClusterRanges(*(_v4(part[0]) for part in parts))
    if cluster.block is None or cluster.block >= blocks_in(network) or not fits(cluster, network.block_prefix):
        return None
    assert network.supernet is not None
    prefix = network.block_prefix
    start = int(network.supernet[0].network_address) + cluster.block * 2 ** (32 - prefix)
    quarter = 2 ** (30 - prefix)
    end = start + 4 * quarter
    return ClusterRanges(
        nodes=_at(start + 3 * quarter, nodes_prefix(cluster)),
        pods=_at(start, prefix + 1),
        services=_at(start + 2 * quarter, SERVICES_PREFIX),
        control_plane=_at(end - 2 ** (32 - CONTROL_PLANE_PREFIX), CONTROL_PLANE_PREFIX),
    )


def _at(address: int, prefix: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((address, prefix))


def _v4(found: ipaddress.IPv4Network | ipaddress.IPv6Network) -> ipaddress.IPv4Network:
    assert isinstance(found, ipaddress.IPv4Network), "the model takes IPv4 only"
    return found
