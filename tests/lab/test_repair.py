"""Runs that were killed: running again repairs, nothing is lost, and the one exception says what to type."""

from __future__ import annotations

import contextlib
import random
import shlex
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from lab import Cluster, LabError, Shape, sample
from lab.plugins import state_folder
from lab.stack import Stack

from .conftest import AStack, taken_down
from .observe import eventually, names, synced

later = pytest.mark.extended("one exception, and its words are pinned without a cluster")
LAB = Shape(2)
PAIR = ("c1", "c2")
HELM_NOTE = "sh.helm.release.v1.istio-base.v1"


@pytest.fixture
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("repair", PAIR)
    with taken_down(lab, stack, destroy=True):
        yield stack


def killed_up(stack: Stack, when: Callable[[], bool], seconds: float = 120) -> None:
    """Start an up; kill engine, program and providers with SIGKILL as soon as something is seen; unlock the stack."""
    started = stack.start("up", "--yes", "--skip-preview", "--non-interactive")
    deadline = time.monotonic() + seconds
    while not when():
        assert started.poll() is None, f"the run ended before it could be killed:\n{stack.started_log.read_text()}"
        assert time.monotonic() < deadline, "what the kill waits for was never seen"
        time.sleep(0.1)
    engine = psutil.Process(started.pid)
    # The providers are process groups of their own, and would finish their work if only the engine died.
    for process in [engine, *engine.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    started.wait()
    stack.cancel()


def has(cluster: Cluster, kind: str, name: str) -> Callable[[], bool]:
    """Return a look for an object of istio-system."""
    return lambda: name in names(cluster, kind, "--namespace=istio-system")


def both(kind: str, name: str, lab: dict[str, Cluster]) -> Callable[[], bool]:
    """Return a look for an object that is in both clusters."""
    return lambda: all(has(lab[cluster], kind, name)() for cluster in PAIR)


def test_a_mesh_killed_at_several_points_is_completed_by_running_again(stack: Stack, lab: dict[str, Cluster]) -> None:
    points = {
        "istiod's account is made": both("serviceaccounts", "istiod", lab),
        "a gateway is made": has(lab["c1"], "deployments", "istio-eastwestgateway"),
        "a remote secret is made": has(lab["c2"], "secrets", "istio-remote-secret-c1"),
    }
    for point in points.values():
        killed_up(stack, point)
    # Written beside the state, not at once as it is: a kill amid that leaves a stack that nobody can read.
    assert not list(state_folder().rglob("*.attrs"))
    stack.up()
    for name, peer in (PAIR, PAIR[::-1]):
        eventually(lambda name=name: synced(lab[name]), lambda seen, peer=peer: seen == [{peer}])
    sample.deploy((lab[name] for name in PAIR), ["c2"])
    eventually(lambda: sample.call(lab["c1"]).cluster, lambda cluster: cluster == "c2")
    stack.up("--expect-no-changes")


@later
def test_a_release_left_pending_is_explained_and_its_command_heals_it(stack: Stack, lab: dict[str, Cluster]) -> None:
    killed_up(stack, both("secrets", HELM_NOTE, lab))
    with pytest.raises(LabError) as failed:
        stack.up()
    command = f"kubectl --namespace istio-system delete secret {HELM_NOTE}"
    assert command in str(failed.value)
    for name in PAIR:
        lab[name].kubectl(*shlex.split(command)[1:])
    stack.up()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_mesh_killed_at_any_moment_is_completed(stack: Stack, lab: dict[str, Cluster], seed: int) -> None:
    """Three kills at random moments of a run; Helm's note is the one thing that may have to go by hand."""
    moments = random.Random(seed)
    for _ in range(3):
        began, pause = time.monotonic(), moments.uniform(1, 20)
        killed_up(stack, lambda began=began, pause=pause: time.monotonic() - began > pause)
    for _ in PAIR:
        try:
            stack.up()
            break
        except LabError as error:
            command = f"kubectl --namespace istio-system delete secret {HELM_NOTE}"
            assert command in str(error), error
            for name in PAIR:
                lab[name].kubectl(*shlex.split(command)[1:], "--ignore-not-found")
    stack.up("--expect-no-changes")
    for name, peer in (PAIR, PAIR[::-1]):
        eventually(lambda name=name: synced(lab[name]), lambda seen, peer=peer: seen == [{peer}])
