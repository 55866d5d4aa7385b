"""Rules about networks: where pods dial each other directly, one address must mean one pod.

Source: Istio's deployment-models page, "Single network"; istio/istio.io#12874.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, combinations, permutations

from ..topology.declared import IPNetwork
from ..topology.models import Topology
from ..topology.problems import Problem


def pod_ranges_are_disjoint(topology: Topology) -> Iterator[Problem]:
    """Refuse overlapping pod ranges of clusters on one network; on different networks they may overlap."""
    networks = {name: topology.network_of(name) for name, cluster in topology.clusters.items() if cluster.pod_cidr}
    for left, right in combinations(networks, 2):
        network = networks[left]
        if network != networks[right]:
            continue
        for theirs, ours in _overlaps(topology.clusters[left].pod_cidr, topology.clusters[right].pod_cidr):
            yield Problem(
                where=f"clusters.{right}.pod_cidr",
                what=f"{ours} overlaps clusters.{left}.pod_cidr {theirs}",
                why=f'both clusters are on network "{network}", where pods dial each other\'s addresses directly, '
                "so one address must mean one pod",
                fix=f"give {right} a range outside {theirs}, or a network of its own (network: {right}) "
                "to be reached through its east-west gateway",
                slug="pod-cidr-overlap",
            )


def service_ranges_cover_no_pods(topology: Topology) -> Iterator[Problem]:
    """Refuse a service range that holds pod addresses of its own network.

    Two clusters may have one service range: Service addresses never leave their cluster.
    """
    networks = {
        name: topology.network_of(name)
        for name, cluster in topology.clusters.items()
        if cluster.pod_cidr or cluster.service_cidr
    }
    for owner, other in chain(((name, name) for name in networks), permutations(networks, 2)):
        if networks[owner] != networks[other]:
            continue
        for services, pods in _overlaps(topology.clusters[owner].service_cidr, topology.clusters[other].pod_cidr):
            yield Problem(
                where=f"clusters.{owner}.service_cidr",
                what=f"{services} overlaps clusters.{other}.pod_cidr {pods}",
                why=f"the nodes of {owner} take every address of its service range for a Service, "
                f"so they could not reach those pods of {other}",
                fix=f"give {owner} a service range outside {pods}",
                slug="service-cidr-overlap",
            )


def no_network_is_shared(where: str, who: str, ours: Topology, theirs: Iterable[str]) -> Iterator[Problem]:
    """Refuse a network's name that another mesh has too; `who` are the two meshes."""
    both = sorted(set(ours.networks) & set(theirs))
    if both:
        yield Problem(
            where=where,
            what=f"{who} have a network called {', '.join(both)}",
            why="a network's name says whose pods can be dialled directly; across meshes none can",
            fix="give the clusters of one mesh another network",
            slug="offer-networks",
        )


def _overlaps(left: tuple[IPNetwork, ...], right: tuple[IPNetwork, ...]) -> Iterator[tuple[IPNetwork, IPNetwork]]:
    for one in left:
        for other in right:
            if one.version == other.version and one.overlaps(other):
                yield one, other


RULES = (pod_ranges_are_disjoint, service_ranges_cover_no_pods)
