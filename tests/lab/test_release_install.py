"""A mesh whose charts are Helm releases: calls, an upgrade, a remote that gets an istiod, previews without a cluster.

One mesh serves the whole file, and its tests run in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, LabError, Shape, sample
from lab.lifecycle import lose, recreate
from lab.programs import ISTIO, NEXT_ISTIO
from lab.stack import Stack, by_operation

from .conftest import AStack, declare, taken_down
from .observe import eventually, names, objects

later = pytest.mark.extended("the same steps as for charts: the core has them there")
LAB = Shape(2)
PAIR = ("c1", "c2")
NOWHERE = "https://127.0.0.1:1"


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("released", PAIR)
    with taken_down(lab, stack):
        becomes(stack)
        stack.up()
        sample.deploy((lab[name] for name in PAIR), ["c2"])
        yield stack


def becomes(stack: Stack, version: str = ISTIO, *, remote: str | None = None, **facts: Any) -> None:
    # Given, so that a kubeconfig that leads nowhere changes nothing that others hold.
    clusters: dict[str, dict[str, Any]] = {name: {"api_server": Cluster(name).api_server} for name in PAIR}
    if remote is not None:
        clusters[remote]["primary"] = "c1"
    verify = {"level": "traffic", "timeout_seconds": 30}
    declare(stack, clusters, **{"istio_version": version, "install": "release", "verify": verify, **facts})


def releases(cluster: Cluster) -> set[str]:
    """The Helm releases that are deployed in a cluster."""
    deployed = objects(cluster, "secrets", "--namespace=istio-system", "--selector=owner=helm,status=deployed")
    return {secret["metadata"]["labels"]["name"] for secret in deployed}


def answered_across(lab: dict[str, Cluster]) -> None:
    eventually(lambda: sample.call(lab["c1"]).cluster, lambda found: found == "c2")


def test_each_chart_is_a_release_and_calls_are_answered_across(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answered_across(lab)
    for name in PAIR:
        assert releases(lab[name]) == {"istio-base", "istio-base-objects", "istiod", "istio-eastwestgateway"}
    assert mesh.types()["kubernetes:helm.sh/v4:Chart"] == 0


def test_a_second_run_changes_nothing_and_another_install_is_refused(mesh: Stack) -> None:
    mesh.up("--expect-no-changes")
    becomes(mesh, install="chart")
    with pytest.raises(LabError, match=r"docs/checks\.md#install-differs"):
        mesh.preview()
    becomes(mesh)


def test_a_preview_needs_no_cluster(mesh: Stack, lab: dict[str, Cluster]) -> None:
    becomes(mesh, NEXT_ISTIO)
    for name in PAIR:
        lost = lab[name].kubeconfig.replace(lab[name].api_server, NOWHERE)
        mesh.run("config", "set", "--secret", name, text=lost)
    try:
        steps = by_operation(mesh.preview())
    finally:
        mesh.configure(lab[name] for name in PAIR)
    assert {f"horizon-{name}-{chart}" for name in PAIR for chart in ("crds", "base", "istiod")} <= steps["update"]
    assert "delete" not in steps
    assert "create" not in steps


@later
def test_an_upgrade_is_one_of_helm(mesh: Stack, lab: dict[str, Cluster]) -> None:
    mesh.up()
    answered_across(lab)
    for name in PAIR:
        notes = objects(lab[name], "secrets", "--namespace=istio-system", "--selector=owner=helm,name=istiod")
        assert {note["metadata"]["labels"]["status"] for note in notes} == {"superseded", "deployed"}
        images = json.dumps(objects(lab[name], "deployments", "--namespace=istio-system"))
        assert f"pilot:{NEXT_ISTIO}" in images and f"pilot:{ISTIO}" not in images


@later
def test_a_primary_becomes_a_remote_and_gets_its_istiod_back(mesh: Stack, lab: dict[str, Cluster]) -> None:
    becomes(mesh, NEXT_ISTIO, remote="c2")
    mesh.up()
    assert "istiod" not in names(lab["c2"], "deployments", "--namespace=istio-system")
    assert "istiod" in names(lab["c2"], "services", "--namespace=istio-system")
    answered_across(lab)
    becomes(mesh, NEXT_ISTIO)
    mesh.up()
    assert "istiod" in names(lab["c2"], "services", "--namespace=istio-system")
    answered_across(lab)
    mesh.up("--expect-no-changes")


@later
def test_a_dead_cluster_is_evicted_and_comes_back_made_anew(mesh: Stack, lab: dict[str, Cluster]) -> None:
    lose("c2")
    becomes(mesh, NEXT_ISTIO, evicted=["c2"])
    mesh.up()
    recreate("c2")
    mesh.configure([lab["c2"]])
    becomes(mesh, NEXT_ISTIO)
    mesh.up()
    assert releases(lab["c2"]) == {"istio-base", "istio-base-objects", "istiod", "istio-eastwestgateway"}


def test_destroy_leaves_nothing_but_crds(mesh: Stack, lab: dict[str, Cluster]) -> None:
    mesh.destroy()
    for name in PAIR:
        assert not {"istio-system", "istio-mesh-verify"} & names(lab[name], "namespaces")
        for kind in ("clusterroles", "clusterrolebindings"):
            assert not [found for found in names(lab[name], kind) if "istio" in found]
        for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
            assert not names(lab[name], kind)
