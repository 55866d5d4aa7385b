"""One service over several clusters: called by one name from all, shared, and moved where its pods are.

With `failover` on, calls stay in the caller's region while something answers there. Each cluster is a region.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, sample
from lab.stack import Stack

from .conftest import MIXED, AStack, taken_down
from .observe import eventually

pytestmark = pytest.mark.extended("what Istio does with what it is told: the values are pinned without a cluster")
LAB = MIXED
FLAT = {"network": "datacentre"}
SHAPE: dict[str, dict[str, Any]] = {"c1": FLAT, "c2": {**FLAT, "primary": "c1"}, "c4": {"primary": "c1"}}


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    local = ["quiet.sample.svc.cluster.local"]
    stack = a_stack("failover", SHAPE, failover=True, cluster_local=local)
    with taken_down(lab, stack):
        stack.up()
        sample.deploy((lab[name] for name in SHAPE), SHAPE)
        yield stack


@pytest.fixture(autouse=True)
def everywhere(mesh: Stack, lab: dict[str, Cluster]) -> None:
    """One pod of the service in each cluster, and everybody knows."""
    scale(lab, c1=1, c2=1, c4=1)


def scale(lab: dict[str, Cluster], **replicas: int) -> None:
    for name, count in replicas.items():
        lab[name].kubectl("-n", "sample", "scale", "deployment/hello", f"--replicas={count}")
    for name, count in replicas.items():
        if count:
            sample.rolled_out(lab[name], "hello")


def counted(cluster: Cluster, calls: int = 10) -> Counter[str]:
    """Return how many of the calls each cluster answered."""
    found = Counter((answer.cluster or answer.error) for answer in (sample.call(cluster) for _ in range(calls)))
    print(f"{cluster.name}: {dict(found)}")
    return found


def test_calls_stay_where_they_are_made(lab: dict[str, Cluster]) -> None:
    for name in SHAPE:
        eventually(lambda name=name: counted(lab[name]), lambda seen, name=name: seen == {name: 10})


def test_a_service_of_one_cluster_is_called_by_its_name_from_all(lab: dict[str, Cluster]) -> None:
    scale(lab, c1=0, c2=0)
    for name in SHAPE:
        eventually(lambda name=name: counted(lab[name]), lambda seen: seen == {"c4": 10})


def test_two_clusters_share_the_calls_of_a_third(lab: dict[str, Cluster]) -> None:
    scale(lab, c1=0)
    eventually(lambda: counted(lab["c1"], 20), lambda seen: seen.keys() == {"c2", "c4"})


def test_scaled_to_zero_in_one_cluster_it_moves_and_back_again(lab: dict[str, Cluster]) -> None:
    eventually(lambda: counted(lab["c2"]), lambda seen: seen == {"c2": 10})
    lab["c2"].kubectl("-n", "sample", "scale", "deployment/hello", "--replicas=0")
    eventually(lambda: counted(lab["c2"]), lambda seen: not seen.keys() & {"c2"} and seen.keys() <= {"c1", "c4"})
    scale(lab, c2=1)
    eventually(lambda: counted(lab["c2"]), lambda seen: seen == {"c2": 10})


def test_a_cluster_local_service_is_never_called_elsewhere(lab: dict[str, Cluster]) -> None:
    url = f"http://quiet.sample:{sample.PORT}/cgi-bin/hello"
    for name in SHAPE:
        lab[name].kubectl("-n", "sample", "expose", "deployment/hello", "--name=quiet", f"--port={sample.PORT}")
    eventually(lambda: {sample.call(lab["c1"], url).cluster for _ in range(6)}, lambda seen: seen == {"c1"})
    scale(lab, c1=0)
    eventually(lambda: sample.call(lab["c1"], url).status, lambda status: status == 503)
    assert sample.call(lab["c2"], url).cluster == "c2"
