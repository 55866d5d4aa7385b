"""A mesh whose clusters change their place in it, and one whose only istiod goes away for a while.

One mesh serves the whole file, and its tests run in order: c1 serves c2, which is on its network, and c4, which isn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, LabError, sample
from lab.stack import Stack, by_operation

from .conftest import MIXED, AStack, declare, taken_down
from .observe import endpoints, eventually, names, objects, signer, synced
from .test_repair import killed_up

pytestmark = pytest.mark.extended(
    "changes of place are made of the same steps as those of test_eviction and test_repair"
)
LAB = MIXED
HELLO = "hello.sample.svc.cluster.local"
FLAT = {"network": "datacentre"}
SERVED: dict[str, dict[str, Any]] = {"c1": FLAT, "c2": {**FLAT, "primary": "c1"}, "c4": {"primary": "c1"}}


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("roles", SERVED)
    with taken_down(lab, stack):
        yield stack


def becomes(stack: Stack, **changed: dict[str, Any]) -> None:
    """Declare the mesh with facts of some clusters changed."""
    declare(stack, {**SERVED, **changed})


def answers(cluster: Cluster) -> set[int]:
    """Return the statuses of some calls."""
    return {sample.call(cluster).status for _ in range(6)}


def restart(cluster: Cluster, workload: str) -> None:
    """Make a workload's pods anew, and wait for them."""
    cluster.kubectl("-n", "sample", "rollout", "restart", f"deployment/{workload}")
    sample.rolled_out(cluster, workload)


def test_killed_at_several_points_it_is_completed_by_running_again(mesh: Stack, lab: dict[str, Cluster]) -> None:
    def has(cluster: str, kind: str, name: str) -> Any:
        return lambda: name in names(lab[cluster], kind, "--namespace=istio-system")

    charts = (
        has("c1", "serviceaccounts", "istiod"),
        has("c2", "configmaps", "istio"),
        has("c4", "configmaps", "istio"),
    )
    for point in (
        # Not earlier: what a kill amid Helm's work leaves is the one thing that running again doesn't heal.
        lambda: all(made() for made in charts),
        has("c1", "secrets", "istio-remote-secret-c2"),
        has("c4", "endpointslices", "istiod"),
        has("c4", "deployments", "istio-eastwestgateway"),
    ):
        killed_up(mesh, point)
    mesh.up()
    sample.deploy((lab[name] for name in SERVED), SERVED)
    for name in SERVED:
        eventually(lambda name=name: answers(lab[name]), lambda seen: seen == {200})
    mesh.up("--expect-no-changes")


def test_a_restart_of_the_only_istiod_loses_no_call_and_delays_new_pods_only(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    lab["c1"].kubectl("-n", "istio-system", "scale", "deployment/istiod", "--replicas=0")
    eventually(lambda: objects(lab["c1"], "pods", "-n=istio-system", "-l=app=istiod"), lambda pods: pods == [])
    for name in SERVED:
        assert answers(lab[name]) == {200}, name
    # Injection fails closed: the pod is refused, not started without its proxy.
    lab["c2"].kubectl("-n", "sample", "scale", "deployment/hello", "--replicas=2")
    pods = ("pods", "-n=sample", "-l=app=hello")
    eventually(
        lambda: [event["reason"] for event in objects(lab["c2"], "events", "-n=sample")],
        lambda reasons: "FailedCreate" in reasons,
    )
    assert len(objects(lab["c2"], *pods)) == 1
    lab["c1"].kubectl("-n", "istio-system", "scale", "deployment/istiod", "--replicas=1")
    eventually(
        lambda: [len(pod["status"].get("containerStatuses", [])) for pod in objects(lab["c2"], *pods)],
        lambda seen: len(seen) == 2 and min(seen) >= 1,
        seconds=120,
    )
    lab["c2"].kubectl("-n", "sample", "rollout", "status", "deployment/hello", "--timeout=60s", timeout_seconds=70)
    lab["c2"].kubectl("-n", "sample", "scale", "deployment/hello", "--replicas=1")


def test_a_remote_that_gets_an_istiod_keeps_its_objects_and_its_traffic(mesh: Stack, lab: dict[str, Cluster]) -> None:
    assert signer(lab["c2"]) == "c1"
    becomes(mesh, c2=FLAT)
    shown = mesh.run("preview", "--non-interactive")
    assert "cluster c2 will be served by an istiod of its own instead of c1" in shown
    changed = by_operation(mesh.preview())
    # What is left out of the delete list is what would take a live object with it: the Service istiod, above all.
    assert changed["delete"] == {"horizon-c2-istiod"}, changed["delete"]
    assert not changed.keys() & {"replace", "create-replacement", "delete-replaced"}
    service = objects(lab["c2"], "service", "-n=istio-system", "--field-selector=metadata.name=istiod")[0]
    mesh.up()
    (after,) = objects(lab["c2"], "service", "-n=istio-system", "--field-selector=metadata.name=istiod")
    assert after["metadata"]["uid"] == service["metadata"]["uid"]
    assert after["spec"]["selector"] == {"app": "istiod", "istio": "pilot"}
    eventually(lambda: synced(lab["c2"]), lambda seen: seen == [{"c1", "c4"}])
    for name in SERVED:
        assert answers(lab[name]) == {200}, name
    restart(lab["c2"], "client")
    assert signer(lab["c2"]) == "c2"
    eventually(lambda: answers(lab["c2"]), lambda seen: seen == {200})
    mesh.up("--expect-no-changes")


def test_a_primary_that_gives_up_its_istiod_is_served_like_any_remote(mesh: Stack, lab: dict[str, Cluster]) -> None:
    becomes(mesh)
    shown = mesh.run("preview", "--non-interactive")
    assert "cluster c2 will be served by c1 instead of its own istiod" in shown
    mesh.up()
    for name in SERVED:
        eventually(lambda name=name: answers(lab[name]), lambda seen: seen == {200})
    # Only the istiod that serves a cluster gives new namespaces their root certificate.
    lab["c2"].kubectl("create", "namespace", "later")
    eventually(lambda: names(lab["c2"], "configmaps", "--namespace=later"), lambda found: "istio-ca-root-cert" in found)
    lab["c2"].kubectl("delete", "namespace", "later")
    restart(lab["c2"], "client")
    assert signer(lab["c2"]) == "c1"
    eventually(lambda: answers(lab["c2"]), lambda seen: seen == {200})
    mesh.up("--expect-no-changes")


def test_a_cluster_that_moves_to_another_network_is_dialled_through_its_gateway(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    becomes(mesh, c2={"network": "annex", "primary": "c1"})
    shown = mesh.run("preview", "--non-interactive")
    assert "cluster c2 moves from network datacentre to network annex" in shown
    assert "restart every workload" in shown
    mesh.up()
    for workload in ("client", "hello"):
        restart(lab["c2"], workload)
    gateways = mesh.outputs()["gateways"]
    eventually(
        lambda: endpoints(lab["c1"], HELLO),
        lambda seen: seen == {f"{sample.pod_address(lab['c1'])}:5000", *(f"{gateways[c]}:15443" for c in ("c2", "c4"))},
    )
    for name in SERVED:
        eventually(lambda name=name: answers(lab[name]), lambda seen: seen == {200})
    mesh.up("--expect-no-changes")


def test_a_renamed_cluster_is_refused_before_anything_of_it_is_touched(mesh: Stack, lab: dict[str, Cluster]) -> None:
    declare(mesh, {"c1": FLAT, "c4": {"primary": "c1"}, "annex": {"primary": "c1"}})
    mesh.run("config", "set", "--secret", "annex", text=lab["c2"].kubeconfig)
    before = objects(lab["c2"], "namespaces", "--field-selector=metadata.name=istio-system")
    with pytest.raises(LabError) as failed:
        mesh.up()
    told = "it is split-horizon/roles/horizon/c2 already, and would become split-horizon/roles/horizon/annex"
    assert told in str(failed.value)
    assert "docs/checks.md#cluster-taken" in str(failed.value)
    assert objects(lab["c2"], "namespaces", "--field-selector=metadata.name=istio-system") == before
    assert "istio-remote-secret-annex" not in names(lab["c1"], "secrets", "--namespace=istio-system")
    becomes(mesh, c2={"network": "annex", "primary": "c1"})
    mesh.up()
