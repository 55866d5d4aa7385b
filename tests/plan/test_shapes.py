"""Topologies of every kind, laid down as files, with what they become: in words, and as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.pictures.mermaid import mermaid
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.words import words
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from ..builders import TODAY

SHAPES = sorted(Path(__file__).with_name("shapes").glob("*.yaml"))


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_a_shape_becomes_exactly_this(file: Path, golden_text: SnapshotAssertion) -> None:
    (tree,) = read_mesh_file(file).meshes.values()
    topology = parse_topology(tree)
    assert problems_in(topology, TODAY) == []
    plan = plan_mesh(topology)
    heading = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    assert "\n".join([heading, "", *words(plan), "", mermaid(plan)]) == golden_text


def test_there_are_shapes_of_every_kind() -> None:
    assert len(SHAPES) >= 12
