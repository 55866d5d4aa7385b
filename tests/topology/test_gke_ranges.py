"""Ranges of GKE clusters: disjoint, at fixed places, and as large as GKE's rule wants them."""

from __future__ import annotations

import ipaddress
from itertools import combinations

import pytest
from hypothesis import given, strategies as st

from pulumi_istio_mesh.topology.gke import GkeCluster, GkeNetwork
from pulumi_istio_mesh.topology.gke_ranges import ClusterRanges, blocks_in, needed_block, pods_prefix, ranges_of

clusters = st.builds(
    lambda nodes, pods: {"max_pods_per_node": pods, "node_pools": {"all": {"max_nodes": nodes}}},
    nodes=st.integers(1, 5000),
    pods=st.integers(8, 256),
)
networks = st.builds(
    lambda prefix, block: {"project": "acme-prod", "supernet": f"10.0.0.0/{prefix}", "block_prefix": block},
    prefix=st.integers(8, 20),
    block=st.integers(9, 18),
)


def cluster(block: int, **facts: object) -> GkeCluster:
    return GkeCluster.model_validate({"region": "europe-west1", "block": block, **facts})


def planned(network: dict[str, object], found: list[tuple[int, dict[str, object]]]) -> dict[int, ClusterRanges | None]:
    on = GkeNetwork.model_validate(network)
    return {block: ranges_of(on, cluster(block, **facts)) for block, facts in found}


@given(networks, st.lists(st.tuples(st.integers(0, 5000), clusters), unique_by=lambda row: row[0], max_size=12))
def test_all_ranges_of_a_network_are_disjoint_and_of_its_supernet(network, found) -> None:  # type: ignore[no-untyped-def]
    every = [part for ranges in planned(network, found).values() if ranges is not None for _, part in ranges]
    assert all(part.subnet_of(ipaddress.IPv4Network(network["supernet"])) for part in every)
    assert not [(one, other) for one, other in combinations(every, 2) if one.overlaps(other)]


@given(networks, clusters, st.integers(0, 300), st.integers(1, 2000))
def test_nothing_that_is_given_moves_when_a_cluster_grows(network, facts, block, more) -> None:  # type: ignore[no-untyped-def]
    larger = {**facts, "node_pools": {**facts["node_pools"], "more": {"max_nodes": more}}}
    before, after = (planned(network, [(block, found)])[block] for found in (facts, larger))
    if before is not None and after is not None:
        # Google widens the primary range of a subnetwork that is in use, and no other one.
        assert before.nodes.subnet_of(after.nodes)
        assert before.nodes.network_address == after.nodes.network_address
        assert (before.pods, before.services, before.control_plane) == (
            after.pods,
            after.services,
            after.control_plane,
        )


@given(clusters, st.integers(9, 18))
def test_ranges_are_as_large_as_gke_wants_them(facts, block_prefix) -> None:  # type: ignore[no-untyped-def]
    """A node gets the next power of two of twice its pods; nodes also share with four reserved addresses."""
    found = planned({"project": "acme-prod", "supernet": "10.0.0.0/8", "block_prefix": block_prefix}, [(0, facts)])[0]
    if found is None:
        return
    nodes, per_node = facts["node_pools"]["all"]["max_nodes"], 1
    while per_node < 2 * facts["max_pods_per_node"]:
        per_node *= 2
    needed = 2 ** (32 - pods_prefix(cluster(0, **facts)))
    assert needed // per_node >= nodes > needed // 2 // per_node
    assert found.pods.num_addresses >= needed
    assert found.nodes.num_addresses >= nodes + 4
    assert (found.services.prefixlen, found.control_plane.prefixlen) == (20, 28)


@given(clusters)
def test_the_block_that_is_said_to_be_needed_is_large_enough_and_none_larger_is(facts) -> None:  # type: ignore[no-untyped-def]
    prefix = needed_block(cluster(0, **facts))
    network = {"project": "acme-prod", "supernet": "10.0.0.0/8"}
    if 9 <= prefix <= 18:
        assert planned({**network, "block_prefix": prefix}, [(0, facts)])[0] is not None
    if 9 <= prefix + 1 <= 18:
        assert planned({**network, "block_prefix": prefix + 1}, [(0, facts)])[0] is None


@pytest.mark.parametrize(("pods", "prefix"), [(8, 28), (16, 27), (32, 26), (64, 25), (110, 24), (128, 24), (256, 23)])
def test_one_node_gets_what_googles_table_says(pods: int, prefix: int) -> None:
    facts = {"max_pods_per_node": pods, "node_pools": {"one": {"max_nodes": 1}}}
    assert pods_prefix(cluster(0, **facts)) == prefix


@pytest.mark.parametrize(
    ("supernet", "block", "room"), [("10.0.0.0/8", 16, 256), ("10.0.0.0/16", 16, 1), ("10.0.0.0/17", 16, 0)]
)
def test_a_supernet_has_room_for_so_many(supernet: str, block: int, room: int) -> None:
    network = GkeNetwork.model_validate({"project": "acme-prod", "supernet": supernet, "block_prefix": block})
    assert blocks_in(network) == room
