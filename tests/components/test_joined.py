"""What a program makes in clusters where a control plane was there before; that it works is seen in the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_istio_mesh import TopologyError
from pulumi_istio_mesh.istio.adopted import written
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.resources import resources
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .meshes import a_program
from .recorder import Recording, failure, record

EXISTING = {"control_plane": "existing"}
THERE = {**EXISTING, "east_west_gateway": {"existing": True}}
ADOPTED = {"control_plane": "adopted"}
TRUST = {"kind": "external"}


def joined(east: dict[str, Any]) -> Recording:
    return record(a_program(trust=TRUST, clusters={"east": east, "west": {}}))


def of_east(recording: Recording) -> set[str]:
    return {row.short for row in recording if row.short.split()[1].startswith("prod-east")}


@pytest.mark.parametrize("east", [EXISTING, THERE], ids=["a gateway is made", "the gateway is there"])
def test_a_program_registers_exactly_the_resources_of_its_plan(east: dict[str, Any]) -> None:
    topology = parse_topology(mesh_tree(trust=TRUST, clusters={"east": east, "west": {}}))
    assert {row.short for row in joined(east)} == resources(topology, plan_mesh(topology), "prod")


def test_nothing_is_made_that_is_there_or_that_all_workloads_would_obey() -> None:
    made = {name.split()[0] for name in of_east(joined(THERE))}
    assert made.isdisjoint({"Chart", "Release", "PeerAuthentication", "Gateway", "MutatingWebhookConfigurationPatch"})
    assert of_east(joined(THERE)) >= {
        "ConfigMap prod-east-member", "Secret prod-east-reader-token", "Secret prod-east-remote-west",
    }  # fmt: skip
    assert {name for name in of_east(joined(THERE)) if name.startswith("Namespace")} == {"Namespace prod-east-verify"}


def test_the_mark_of_membership_comes_before_all_else_in_istios_namespace() -> None:
    recording = joined(EXISTING)
    for later in ("Secret prod-east-reader-token", "Secret prod-east-remote-west", "Service prod-east-east-west"):
        assert "ConfigMap prod-east-member" in recording.waits_for(later)


def live(kind: str, name: str, version: str, part: str = "istiod", **body: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": part}
    metadata: dict[str, Any] = {"name": name, "labels": labels, "uid": "1", "resourceVersion": "7", "generation": 2}
    if not kind.startswith("Cluster"):
        metadata["namespace"] = "istio-system"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "status": {"a": 1}, **body}


OBJECTS = [
    live("Deployment", "istiod", "apps/v1", spec={"replicas": 1}),
    live("ServiceAccount", "istio-reader-service-account", "v1", "istio-reader"),
    live("ClusterRole", "istiod-clusterrole-istio-system", "rbac.authorization.k8s.io/v1", rules=[]),
]


def adopted(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:
    monkeypatch.chdir(folder)
    (folder / "adopted").mkdir()
    (folder / "adopted" / "east.yaml").write_text(text, encoding="utf-8")
    return a_program(trust=TRUST, clusters={"east": ADOPTED, "west": {}})


def test_adopted_objects_have_the_places_that_charts_give_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recording = record(adopted(written(OBJECTS), monkeypatch, tmp_path))
    for short, chart, place in (
        ("Deployment prod-east-istiod:istio-system/istiod", "istiod", "istio-system/istiod"),
        ("ClusterRole prod-east-istiod:istiod-clusterrole-istio-system", "istiod", "istiod-clusterrole-istio-system"),
        (
            "ServiceAccount prod-east-base:istio-system/istio-reader-service-account",
            "base",
            "istio-system/istio-reader-service-account",
        ),
    ):
        row = recording[short]
        assert (row.imported, row.retain_on_delete) == (place, True)
        assert recording.ancestors(short)[:2] == [f"Chart prod-east-{chart}", "ControlPlane prod-east"]


def test_adopted_objects_are_declared_whole_without_what_the_api_server_keeps() -> None:
    (deployment,) = (one for one in yaml.safe_load_all(written(OBJECTS)) if one["kind"] == "Deployment")
    assert deployment == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "istiod",
            "namespace": "istio-system",
            "labels": {"app.kubernetes.io/name": "istiod"},
        },
        "spec": {"replicas": 1},
    }


def test_text_of_many_lines_survives_being_written() -> None:
    texts = ["a\n", "a: |-\n  b \n\tc\n\n", "\ttab\n", "é\n", "x" * 300, "a\n\n b\n"]
    maps = [live("ConfigMap", f"m{index}", "v1", data={"k": text}) for index, text in enumerate(texts)]
    assert [one["data"]["k"] for one in yaml.safe_load_all(written(maps))] == texts


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it holds no object"),
        ("{", "it is no YAML"),
        ("kind: Secret\nmetadata: {name: a}", "it holds what no object of charts base and istiod is"),
    ],
)
def test_a_file_that_adopt_did_not_write_is_refused(
    text: str, what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(TopologyError) as refused:
        record(adopted(text, monkeypatch, tmp_path))
    (problem,) = refused.value.problems
    assert (problem.slug, problem.where) == ("adopted-objects", "clusters.east.control_plane")
    assert problem.what.endswith(what)


def test_what_is_to_be_adopted_must_have_been_written_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    recording = failure(a_program(trust=TRUST, clusters={"east": ADOPTED, "west": {}}))
    assert list(recording) == []
