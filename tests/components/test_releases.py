"""A mesh whose charts are Helm releases: the same values under Helm's names, and how one is forgotten."""

from __future__ import annotations

from functools import cache

import pytest

from pulumi_istio_mesh.components.release_errors import killed_text

from .meshes import SERVED_APART, a_program, apart
from .recorder import Recording, record, revealed

CHARTS = {"base": "istio-base-objects", "istiod": "istiod", "east-west": "istio-eastwestgateway"}


@cache
def released() -> Recording:
    return record(a_program(install="release"))


def test_each_chart_is_a_release_of_its_own_with_the_values_that_it_has_as_a_chart() -> None:
    for role, release in CHARTS.items():
        ours, chart = released()[f"Release prod-east-{role}"], apart()[f"Chart prod-east-{role}"]
        inputs = revealed(ours.inputs)
        assert (inputs["name"], inputs["namespace"]) == (release, "istio-system")
        assert inputs["values"] == revealed(chart.inputs)["values"]
    assert not [row.short for row in released() if row.short.startswith("Chart ")]


def test_no_two_releases_of_a_cluster_have_one_name() -> None:
    called = [revealed(row.inputs)["name"] for row in released() if row.short.startswith("Release prod-east-")]
    assert len(called) == len(set(called)) == 4


def test_what_waits_for_a_chart_waits_for_its_release() -> None:
    assert "Release prod-east-istiod" in released()["MutatingWebhookConfigurationPatch prod-east-injector"].after
    assert "Release prod-east-east-west" in released()["Job prod-east-mesh"].after


def test_a_living_clusters_releases_are_deleted_when_it_leaves() -> None:
    assert not [role for role in CHARTS if released()[f"Release prod-east-{role}"].retain_on_delete]


def test_a_remotes_way_to_istiod_can_be_taken_over_by_helm_and_comes_after_what_helm_deletes() -> None:
    service = record(a_program(install="release", clusters=SERVED_APART))["Service prod-west-istiod"]
    metadata = revealed(service.inputs)["metadata"]
    assert metadata["annotations"]["meta.helm.sh/release-name"] == "istiod"
    assert metadata["annotations"]["meta.helm.sh/release-namespace"] == "istio-system"
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert service.retain_on_delete
    assert "Release prod-west-istiod" in service.after


def test_an_evicted_clusters_releases_are_taken_over_to_be_dropped_without_asking_it() -> None:
    recording = record(a_program(install="release", evicted=["west"]))
    provider = revealed(recording["kubernetes prod-west"].inputs)
    assert str(provider["skipUpdateUnreachable"]).lower() == "true"
    for role in CHARTS:
        left = recording[f"Release prod-west-{role}-evicted"]
        assert left.retain_on_delete
        assert left.provider == "kubernetes prod-west"
    assert {row.short for row in recording if row.name.startswith("prod-west")} == {
        "MeshCluster prod-west",
        "kubernetes prod-west",
        *(f"Release prod-west-{role}-evicted" for role in CHARTS),
    }


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        ("cannot re-use a name that is still in use", "owner=helm,name=istiod'"),
        ("another operation (install/upgrade/rollback) is in progress", "status notin (deployed,superseded)'"),
    ],
)
def test_a_release_that_a_killed_run_left_is_told_with_what_to_type(error: str, notes: str) -> None:
    text = killed_text("east", "istiod", f"error: {error}") or ""
    assert "cluster east: the Helm release istiod" in text
    assert f"kubectl --namespace istio-system delete secret --selector '{notes}" in text or notes in text


def test_any_other_error_of_helm_is_left_to_helm() -> None:
    assert killed_text("east", "istiod", "timed out waiting for the condition") is None
