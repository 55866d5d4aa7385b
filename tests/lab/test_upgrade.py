"""Istio becomes a newer version under calls, cluster by cluster, and goes back; a wave that breaks calls is the last.

The lab has one build of Istio; the newer one is the same program under another tag, in charts of another version.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab import Cluster, LabError, Shape, sample
from lab.programs import ISTIO, NEXT_ISTIO
from lab.stack import Stack

from .breakages import applied
from .conftest import AStack, declare, taken_down
from .observe import called_twice, calling, eventually, objects

later = pytest.mark.extended("one upgrade in waves is in the core; going back and revisions take as long again each")
LAB = Shape(3)
TRIO = ("c1", "c2", "c3")
URL = f"http://hello.sample:{sample.PORT}/cgi-bin/hello"
WAVES = [["c1"], ["c2"]]
"""And c3 after them."""

NOBODY_CALLS_C1 = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "nobody", "namespace": "istio-mesh-verify"},
    "spec": {},
}


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("upgrade", TRIO)
    with taken_down(lab, stack):
        # All at once: waves are for what is there already.
        becomes(stack, ISTIO, waves=[])
        stack.up()
        sample.deploy((lab[name] for name in TRIO), ["c2", "c3"])
        eventually(lambda: {sample.call(lab["c1"]).cluster for _ in range(8)}, lambda found: found == {"c2", "c3"})
        yield stack


def becomes(stack: Stack, version: str, waves: list[list[str]] = WAVES, **of: dict[str, Any]) -> None:
    clusters = {name: of.get(name, {}) for name in TRIO}
    declare(stack, clusters, istio_version=version, waves=waves, verify={"timeout_seconds": 15})


def running(lab: dict[str, Cluster]) -> dict[str, set[str]]:
    """The versions of istiod, gateway and probe in each cluster, by their images."""
    found = {}
    for name in TRIO:
        pods = objects(lab[name], "pods", "-A", "--field-selector=status.phase=Running")
        ours = [pod for pod in pods if pod["metadata"]["namespace"] in ("istio-system", "istio-mesh-verify")]
        alive = [pod for pod in ours if "deletionTimestamp" not in pod["metadata"]]
        found[name] = {c["image"].rpartition(":")[2] for pod in alive for c in pod["spec"]["containers"]}
    return found


def test_a_mesh_is_upgraded_in_waves_without_a_lost_call_and_keeps_its_addresses(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    before = mesh.outputs()["gateways"]
    becomes(mesh, NEXT_ISTIO)
    with calling(lab["c1"], URL) as out, calling(lab["c2"], URL) as across, ThreadPoolExecutor() as beside:
        # Older than a minute, idle for longer than Envoy's own drain timeout of 5 s: the caller ends it, or nobody.
        sparse = beside.submit(called_twice, lab["c1"], URL, 70)
        mesh.up()
        time.sleep(3)
    assert sparse.result() == ["200 1", "200 0"]
    for calls in (out, across):
        calls.all_answered(more_than=50)
    assert running(lab) == {name: {NEXT_ISTIO} for name in TRIO}
    assert mesh.outputs()["gateways"] == before
    starts = {name: started(lab[name], "istiod") for name in TRIO}
    assert starts["c1"] < starts["c2"] < starts["c3"]
    for name in TRIO:
        assert started(lab[name], "istiod") <= started(lab[name], "istio-eastwestgateway")
    mesh.up("--expect-no-changes")


def started(cluster: Cluster, app: str) -> str:
    """When the newest pod of an app was made."""
    return max(pod["metadata"]["creationTimestamp"] for pod in objects(cluster, "pods", "-A", f"--selector=app={app}"))


@later
def test_a_wave_that_breaks_calls_is_the_last_and_mended_the_mesh_goes_back_without_a_lost_call(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    becomes(mesh, ISTIO)
    with calling(lab["c1"], URL) as calls:
        with applied(lab["c1"], NOBODY_CALLS_C1):
            with pytest.raises(LabError) as failed:
                mesh.up()
            assert "call-forbidden c1 to c1" in str(failed.value)
            assert running(lab) == {"c1": {ISTIO}, "c2": {NEXT_ISTIO}, "c3": {NEXT_ISTIO}}
        mesh.up()
    calls.all_answered()
    assert running(lab) == {name: {ISTIO} for name in TRIO}


@later
def test_one_cluster_can_be_of_another_version(mesh: Stack, lab: dict[str, Cluster]) -> None:
    becomes(mesh, ISTIO, c3={"istio_version": NEXT_ISTIO})
    mesh.up()
    assert running(lab) == {"c1": {ISTIO}, "c2": {ISTIO}, "c3": {NEXT_ISTIO}}
    done = mesh.command("istio-mesh", "verify", "--stack", mesh.name, "--json")
    assert done.returncode == 0, json.dumps(done.stdout)


def revisioned(stack: Stack, serving: str, *revisions: str) -> None:
    """Declare istiods of the old version, called default, and of the new one, called next, and which of them serves."""
    versions = {"default": {"istio_version": ISTIO}, "next": {"istio_version": NEXT_ISTIO}}
    declare(
        stack,
        {name: {} for name in TRIO},
        istio_version=NEXT_ISTIO,
        revisions={name: versions[name] for name in revisions or versions},
        revision_tags={"default": serving},
        waves=WAVES,
        verify={"timeout_seconds": 15},
    )


def istiods(lab: dict[str, Cluster]) -> dict[str, set[str]]:
    """The versions of istiod in each cluster, by revision."""
    found = {}
    for name in TRIO:
        pods = objects(lab[name], "pods", "--namespace=istio-system", "--selector=app=istiod")
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        found[name] = {f"{pod['metadata']['labels']['istio.io/rev']} {_version(pod)}" for pod in alive}
    return found


def gateways(lab: dict[str, Cluster]) -> dict[str, set[str]]:
    """The revisions that the pods of each cluster's gateway have their proxies of."""
    found = {}
    for name in TRIO:
        pods = objects(lab[name], "pods", "--namespace=istio-system", "--selector=istio=eastwestgateway")
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        found[name] = {f"{pod['metadata']['annotations']['istio.io/rev']} {_version(pod)}" for pod in alive}
    return found


def _version(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["image"].rpartition(":")[2])


OLD, NEW = f"default {ISTIO}", f"next {NEXT_ISTIO}"


@later
def test_a_second_revision_runs_beside_the_first_is_proved_and_serves_nobody_yet(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    becomes(mesh, ISTIO)
    mesh.up()
    revisioned(mesh, "default")
    with calling(lab["c1"], URL) as out, calling(lab["c2"], URL) as across:
        mesh.up()
    out.all_answered()
    across.all_answered()
    assert istiods(lab) == {name: {OLD, NEW} for name in TRIO}
    assert gateways(lab) == {name: {OLD} for name in TRIO}
    for name in TRIO:
        jobs = {job["metadata"]["name"]: job["status"].get("succeeded") for job in objects(lab[name], "jobs", "-A")}
        assert jobs["mesh-next"] == 1
    mesh.up("--expect-no-changes")


@later
def test_gateways_move_to_another_revision_in_waves_and_back_without_a_lost_call(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    before = mesh.outputs()["gateways"]
    revisioned(mesh, "next")
    with calling(lab["c1"], URL) as out, calling(lab["c2"], URL) as across:
        with applied(lab["c1"], NOBODY_CALLS_C1):
            with pytest.raises(LabError, match="call-forbidden c1 to c1"):
                mesh.up()
            assert gateways(lab) == {"c1": {NEW}, "c2": {OLD}, "c3": {OLD}}
        revisioned(mesh, "default")
        mesh.up()
        assert gateways(lab) == {name: {OLD} for name in TRIO}
        revisioned(mesh, "next")
        mesh.up()
        time.sleep(3)
    for calls in (out, across):
        calls.all_answered()
    assert gateways(lab) == {name: {NEW} for name in TRIO}
    assert mesh.outputs()["gateways"] == before


@later
def test_a_revision_goes_when_no_pod_has_its_proxy_of_it_any_more(mesh: Stack, lab: dict[str, Cluster]) -> None:
    revisioned(mesh, "next", "next")
    with pytest.raises(LabError) as refused:
        mesh.up()
    assert "revision-in-use" in str(refused.value)
    assert "namespace sample" in str(refused.value)
    assert istiods(lab) == {name: {OLD, NEW} for name in TRIO}
    for name in TRIO:
        lab[name].kubectl("--namespace=sample", "rollout", "restart", "deployment")
    for name in TRIO:
        lab[name].kubectl(
            "--namespace=sample", "rollout", "status", "deployment", "--timeout=120s", timeout_seconds=130
        )
    eventually(lambda: sample_revisions(lab), lambda found: found == {"next"})
    with calling(lab["c1"], URL) as calls:
        mesh.up()
    calls.all_answered()
    assert istiods(lab) == {name: {NEW} for name in TRIO}
    mesh.up("--expect-no-changes")
    done = mesh.command("istio-mesh", "verify", "--stack", mesh.name, "--json")
    assert done.returncode == 0, done.stdout


def sample_revisions(lab: dict[str, Cluster]) -> set[str]:
    """The revisions that the sample's pods have their proxies of, those that end among them; some have none."""
    found = {
        pod["metadata"].get("annotations", {}).get("istio.io/rev")
        for name in TRIO
        for pod in objects(lab[name], "pods", "--namespace=sample")
    }
    return found - {None}
