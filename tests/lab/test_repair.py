"""Runs that were killed: running again repairs, nothing is lost, and the one exception says what to type."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from lab import Cluster, LabError, sample
from lab.stack import Stack

from .conftest import AStack
from .observe import eventually, names, objects, synced

PAIR = ("c1", "c2")
HELM_NOTE = "sh.helm.release.v1.istio-base.v1"


@pytest.fixture
def stack(a_stack: AStack, lab: dict[str, Cluster], request: pytest.FixtureRequest) -> Iterator[Stack]:
    stack = a_stack("repair", PAIR)
    yield stack
    sample.remove(lab[name] for name in PAIR)
    stack.destroy()
    stack.remove()


def kill(started: subprocess.Popen[bytes], when: Callable[[], bool], seconds: float) -> None:
    """Kill the engine, the program and the providers with SIGKILL as soon as something is seen."""
    deadline = time.monotonic() + seconds
    while not when():
        assert started.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "what the kill waits for was never seen"
        time.sleep(0.1)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def has(cluster: Cluster, kind: str, name: str) -> Callable[[], bool]:
    """Return a look for an object of istio-system."""

    def look() -> bool:
        try:
            return name in names(cluster, kind, "--namespace=istio-system")
        except LabError:
            return False

    return look


def release_done(cluster: Cluster) -> bool:
    """Return whether Helm has finished the base release, so that killing now leaves nothing pending."""
    found = objects(cluster, "secrets", "--namespace=istio-system", "--selector=owner=helm,status=deployed")
    return bool(found)


def test_a_mesh_killed_at_several_points_is_completed_by_running_again(stack: Stack, lab: dict[str, Cluster]) -> None:
    first, second = lab["c1"], lab["c2"]
    points: list[Callable[[], bool]] = [
        lambda: release_done(first) and release_done(second),
        lambda: has(first, "deployments", "istiod")() or has(second, "deployments", "istiod")(),
        lambda: has(first, "secrets", "istio-remote-secret-c2")() or has(second, "secrets", "istio-remote-secret-c1")(),
    ]
    for point in points:
        kill(stack.start("up", "--yes", "--skip-preview", "--non-interactive"), point, 120)
        stack.cancel()
    stack.up()
    for name, peer in (PAIR, PAIR[::-1]):
        eventually(lambda name=name: synced(lab[name]), lambda seen, peer=peer: seen == [{peer}])
    sample.deploy((lab[name] for name in PAIR), ["c2"])
    eventually(lambda: sample.call(first).cluster, lambda cluster: cluster == "c2")
    stack.up("--expect-no-changes")


def test_a_release_left_pending_is_explained_and_its_command_heals_it(stack: Stack, lab: dict[str, Cluster]) -> None:
    kill(
        stack.start("up", "--yes", "--skip-preview", "--non-interactive"), has(lab["c1"], "secrets", HELM_NOTE), 120
    )
    stack.cancel()
    # Whatever instant was hit, make Helm's note say what a kill in the middle of an installation leaves.
    lab["c1"].kubectl(
        "-n", "istio-system", "label", "--overwrite", "secret", HELM_NOTE, "status=pending-install"
    )
    if release_in_state(stack):
        pytest.fail("the engine had finished the release before the kill; nothing to show")
    with pytest.raises(LabError) as failed:
        stack.up()
    command = f"kubectl --namespace istio-system delete secret {HELM_NOTE}"
    assert "cluster c1: the Helm release istio-base was left pending" in str(failed.value)
    assert command in str(failed.value)
    lab["c1"].kubectl(*shlex.split(command)[1:])
    stack.up()


def release_in_state(stack: Stack) -> bool:
    """Return whether the engine already knows the release of c1."""
    resources = stack.state()["deployment"].get("resources", [])
    return any(resource["urn"].endswith("::repair-c1-base") for resource in resources)
