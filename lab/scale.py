"""How the cost of a preview grows with the number of clusters, and the planner's own share of it."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from lab.cluster import Cluster
from lab.cpu import measured
from lab.demo import EXAMPLE
from lab.lifecycle import down, up
from lab.process import run
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack, copied
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.rules import problems_in, today
from pulumi_istio_mesh.topology.load import parse_topology

SIZES = (3, 10, 20)
_RUNS = 3

_REGISTER = """
import json, sys, time
sys.path.insert(0, {root!r})
from pulumi_istio_mesh import Mesh
from tests.builders import program_args
from tests.components.recorder import record
clusters = json.loads({clusters!r})
began = time.monotonic()
rows = record(lambda: Mesh("prod", program_args(clusters=clusters)))
print(len(rows.rows), time.monotonic() - began)
"""

Declared = dict[str, dict[str, str]]


def full_mesh(size: int) -> Declared:
    """Return clusters that all run istiod, each on its own network."""
    return {f"c{number}": {} for number in range(1, size + 1)}


def one_primary(size: int) -> Declared:
    """Return clusters on one network, the first serving all others."""
    flat = {"network": "flat"}
    return {name: flat if name == "c1" else {**flat, "primary": "c1"} for name in full_mesh(size)}


KINDS = {"full mesh, each on its own network": full_mesh, "one primary, flat network": one_primary}


def table(progress: Progress) -> Table:
    """Return a row for each number of clusters: create-preview on real API servers, and Python's own share."""
    found = Table(title="Growth with the number of clusters")
    for column in ("mesh", "clusters", "resources", "preview wall s", "CPU s", "plan ms", "registering on mocks, s"):
        found.add_column(column, justify="left" if column == "mesh" else "right")
    previews = {size: _previews(size, progress) for size in SIZES}
    for kind, shape in KINDS.items():
        for size in (*SIZES, 50):
            clusters = shape(size)
            wall, cpu = previews[size][kind] if size in previews else ("", "")
            resources, seconds = _register(clusters)
            found.add_row(kind, str(size), str(resources), wall, cpu, f"{_plan(clusters) * 1000:.0f}", f"{seconds:.2f}")
    return found


def _previews(size: int, progress: Progress) -> dict[str, tuple[str, str]]:
    """Return wall and processor seconds of a preview from nothing, by kind of mesh."""
    up(Shape(size, nodes=False), progress)
    try:
        with progress.step(f"previews of {size} clusters"):
            return {kind: _preview(shape(size), kind) for kind, shape in KINDS.items()}
    finally:
        down(progress)


def _preview(clusters: Declared, kind: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(copied(EXAMPLE, Path(scratch) / "program", clusters=clusters), kind.split()[0])
        stack.configure([Cluster(name) for name in clusters])
        costs = [measured(stack.preview) for _ in range(_RUNS)]
    wall = statistics.median(cost.wall_seconds for cost in costs)
    return f"{wall:.1f}", f"{statistics.median(cost.cpu for cost in costs):.1f}"


def _plan(clusters: Declared) -> float:
    """Return the seconds that reading, judging and planning take."""
    tree = _tree(clusters)
    began = time.monotonic()
    topology = parse_topology(tree)
    assert problems_in(topology, today()) == []
    plan_mesh(topology)
    return time.monotonic() - began


def _tree(clusters: Declared) -> dict[str, Any]:
    return {**yaml.safe_load((EXAMPLE / "mesh.yaml").read_text()), "clusters": clusters}


def _register(clusters: Declared) -> tuple[int, float]:
    """Return the number of resources and the seconds Python takes to plan and register them on the mock engine."""
    program = _REGISTER.format(root=str(EXAMPLE.parent.parent), clusters=json.dumps(clusters))
    count, seconds = run([sys.executable, "-c", program], timeout_seconds=300).split()
    return int(count), float(seconds)
