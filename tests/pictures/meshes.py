"""The meshes that pictures are drawn of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi_istio_mesh.plan.mesh_plan import MeshPlan, plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from ..builders import a_mesh

ROOT = Path(__file__).parents[2]
DATACENTRE = {"network": "datacentre"}
SEVEN: dict[str, dict[str, Any]] = {
    "c1": DATACENTRE,
    "c2": {**DATACENTRE, "primary": "c1"},
    "c3": {**DATACENTRE, "primary": "c1"},
    "c4": {"network": "plant", "primary": "c1"},
    "c5": {"network": "plant", "primary": "c1"},
    "c6": {},
    "c7": {"network": "site"},
}


def of(path: str) -> list[MeshPlan]:
    """The plans of the meshes of a file."""
    return [plan_mesh(parse_topology(tree)) for tree in read_mesh_file(ROOT / path).meshes.values()]


MESHES: dict[str, list[MeshPlan]] = {
    "two clusters": [plan_mesh(a_mesh(east={}, west={}))],
    "three clusters": [
        plan_mesh(a_mesh(east={"network": "vpc"}, west={"network": "vpc", "primary": "east"}, plant={}))
    ],
    "two meshes": of("examples/two-meshes-one-program/mesh.yaml"),
    "a mesh and one that is elsewhere": of("examples/two-meshes/mesh-b/mesh.yaml"),
    "a firewall": of("examples/gke-with-onprem/mesh.yaml"),
    "partial discovery": of("tests/plan/shapes/hub-and-spoke.yaml"),
    "seven clusters": [plan_mesh(a_mesh(**SEVEN))],
    "twenty clusters": [
        plan_mesh(a_mesh(**{f"site-{number:02d}": {} if number % 4 else {"network": "vpc"} for number in range(20)}))
    ],
}
