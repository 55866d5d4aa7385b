"""What the plan says a program registers is what it registers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pulumi_istio_mesh import Mesh
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.resources import resources
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from ..builders import as_program
from .recorder import record

ROOT = Path(__file__).parents[2]
TREES = {
    f"{file.parent.name} {file.stem} {under}".rstrip(): tree
    for file in [*sorted(ROOT.glob("tests/plan/shapes/*.yaml")), *sorted(ROOT.glob("examples/**/mesh.yaml"))]
    for under, tree in read_mesh_file(file).meshes.items()
}


@pytest.mark.parametrize("name", TREES)
def test_a_program_registers_exactly_the_resources_of_its_plan(name: str) -> None:
    tree: dict[str, Any] = TREES[name]
    topology = parse_topology(tree)
    recording = record(lambda: Mesh("called", as_program(tree)))
    assert {row.short for row in recording} == resources(topology, plan_mesh(topology), "called")
