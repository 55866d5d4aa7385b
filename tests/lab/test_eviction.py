"""A cluster that leaves while it lives, one that dies without warning, and what comes back of it.

Three clusters, each alone on its network, with every gate on: c1 calls c2 and c3 all the time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab import Cluster, Shape, sample
from lab.lifecycle import lose, recreate
from lab.stack import Stack

from .conftest import AStack, declare, taken_down
from .observe import calling, endpoints, eventually, names, synced

later = pytest.mark.extended("destroy of what the core leaves anyway")
LAB = Shape(3)
MEMBERS = ("c1", "c2", "c3")
HELLO = "hello.sample.svc.cluster.local"
URL = f"http://hello.sample:{sample.PORT}/cgi-bin/hello"
SECONDS_FOR_AN_EVICTION = 90
"""What docs/operations.md promises for a run that evicts one of three clusters."""


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("eviction", MEMBERS)
    with taken_down(lab, stack):
        becomes(stack)
        stack.up()
        sample.deploy((lab[name] for name in MEMBERS), MEMBERS)
        for name in MEMBERS:
            eventually(lambda name=name: served_by(lab[name]), lambda found: found == set(MEMBERS))
        yield stack


def becomes(stack: Stack, members: tuple[str, ...] = MEMBERS, evicted: tuple[str, ...] = ()) -> None:
    facts = {"evicted": list(evicted)} if evicted else {}
    declare(stack, {name: {} for name in members}, verify={"timeout_seconds": 30}, **facts)


def served_by(cluster: Cluster) -> set[str]:
    return {sample.call(cluster).cluster for _ in range(12)} - {""}


def test_a_live_cluster_leaves_without_a_lost_call_and_with_every_gate_passed(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    becomes(mesh, ("c1", "c2"))
    with calling(lab["c1"], URL) as calls:
        mesh.up()
    calls.all_answered(more_than=50)
    assert served_by(lab["c1"]) == {"c1", "c2"}
    assert "istio-system" not in names(lab["c3"], "namespaces")
    for name, peer in (("c1", "c2"), ("c2", "c1")):
        assert synced(lab[name]) == [{peer}]
    mesh.up("--expect-no-changes")


def test_pods_of_a_cluster_that_has_left_go_on_calling_each_other(mesh: Stack, lab: dict[str, Cluster]) -> None:
    """They keep their proxies, which must keep the identities that they knew."""
    eventually(lambda: served_by(lab["c3"]), lambda found: "c3" in found)


def test_a_cluster_joins_without_a_lost_call(mesh: Stack, lab: dict[str, Cluster]) -> None:
    becomes(mesh)
    with calling(lab["c1"], URL) as calls:
        mesh.up()
        eventually(lambda: served_by(lab["c1"]), lambda found: found == set(MEMBERS))
    calls.all_answered()


def test_a_dead_cluster_is_evicted_without_talking_to_it(mesh: Stack, lab: dict[str, Cluster]) -> None:
    lose("c3")
    becomes(mesh, evicted=("c3",))
    assert not [step for step in mesh.preview() if step.operation == "create"]
    began = time.monotonic()
    shown = mesh.up()
    assert time.monotonic() - began < SECONDS_FOR_AN_EVICTION, shown
    for name, peer in (("c1", "c2"), ("c2", "c1")):
        assert synced(lab[name]) == [{peer}]
        assert len(endpoints(lab[name], HELLO)) == 2
        eventually(lambda name=name: served_by(lab[name]), lambda found: found == {"c1", "c2"})
    left = [r["urn"].rsplit("::", 1)[1] for r in mesh.state()["deployment"]["resources"] if "-c3" in r["urn"]]
    assert sorted(left) == sorted(["horizon-c3", "horizon-c3", "horizon-c1-remote-c3", "horizon-c2-remote-c3"])
    mesh.up("--expect-no-changes")


def test_the_survivors_can_be_verified_and_changed(mesh: Stack) -> None:
    done = mesh.command("istio-mesh", "verify", "--stack", mesh.name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.extended("a cluster that joins is in the core, and this one is new to the mesh as well")
def test_a_cluster_made_anew_comes_back(mesh: Stack, lab: dict[str, Cluster]) -> None:
    recreate("c3")
    mesh.configure([lab["c3"]])
    becomes(mesh)
    mesh.up()
    sample.deploy([lab["c3"]], ["c3"])
    for name in MEMBERS:
        eventually(lambda name=name: served_by(lab[name]), lambda found: found == set(MEMBERS))
    mesh.up("--expect-no-changes")


@later
def test_destroy_finishes_with_a_dead_cluster_evicted(mesh: Stack, lab: dict[str, Cluster]) -> None:
    lose("c3")
    becomes(mesh, evicted=("c3",))
    mesh.up()
    began = time.monotonic()
    mesh.destroy()
    assert time.monotonic() - began < SECONDS_FOR_AN_EVICTION
    for name in ("c1", "c2"):
        assert "istio-system" not in names(lab[name], "namespaces")
    recreate("c3")
