"""The address plan and the shapes of a lab: decided by arithmetic, without a machine."""

from ipaddress import IPv4Network
from itertools import combinations, islice

import pytest

from lab import addresses
from lab.errors import LabError
from lab.shape import Shape

EVERY_CLUSTER = range(1, addresses.MAX_CLUSTERS + 1)


def test_no_two_ranges_of_fifty_clusters_overlap():
    ranges = [addresses.WIDE_AREA]
    for number in EVERY_CLUSTER:
        ranges += [addresses.pod_range(number), addresses.service_range(number)]
    assert [(a, b) for a, b in combinations(ranges, 2) if a.overlaps(b)] == []


def test_no_two_things_on_the_wide_area_have_one_address():
    nodes = [addresses.node(number) for number in EVERY_CLUSTER]
    balancers = [a for number in EVERY_CLUSTER for a in addresses.load_balancer_pool(number)]
    everything = [addresses.HOST, *nodes, *balancers]
    assert len(set(everything)) == len(everything)
    assert all(address in addresses.WIDE_AREA for address in everything)


def test_the_first_load_balancer_address_is_the_one_in_the_documentation():
    assert [str(a) for a in islice(addresses.load_balancer_pool(1), 3)] == ["172.31.0.101", "172.31.1.1", "172.31.1.2"]


def test_clusters_on_one_network_reach_each_other_and_nobody_else():
    shape = Shape(clusters=4, networks={"flat": ("c1", "c3")})
    assert {name: shape.peers(name) for name in shape.names} == {"c1": ["c3"], "c2": [], "c3": ["c1"], "c4": []}


def test_a_shape_survives_being_written_down():
    shape = Shape(2, {"flat": ("c1", "c2")}, nodes=False, pod_cidrs={"c2": IPv4Network("10.200.0.0/16")})
    assert Shape.from_json(shape.to_json()) == shape


def test_clusters_on_different_networks_may_share_a_pod_range():
    equal = IPv4Network("10.200.0.0/16")
    assert Shape(clusters=2, pod_cidrs={"c1": equal, "c2": equal}).pod_cidr("c2") == equal


def test_all_problems_of_a_shape_are_told_at_once():
    equal = IPv4Network("10.96.0.0/16")
    with pytest.raises(LabError) as raised:
        Shape(2, {"flat": ("c1", "c2", "c7"), "other": ("c1",)}, pod_cidrs={"c1": equal, "c2": equal})
    assert str(raised.value).splitlines() == [
        "this lab can't be built:",
        "  - c7 is not a cluster of this lab, which has c1 to c2",
        "  - c1 is on network flat and on network other",
        "  - pod range 10.96.0.0/16 of c1 overlaps 10.96.0.0/16, the Service range of c1",
        "  - pod range 10.96.0.0/16 of c2 overlaps 10.96.0.0/16, the Service range of c1",
        "  - c1 (10.96.0.0/16) and c2 (10.96.0.0/16) overlap on network flat, where one address must mean one pod",
    ]
