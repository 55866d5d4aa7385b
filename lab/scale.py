"""How the cost of a preview grows with the number of clusters, and the planner's own share of it."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml
from rich.table import Table

from lab.cluster import Cluster
from lab.cpu import measured
from lab.demo import EXAMPLE
from lab.lifecycle import down, up
from lab.process import run
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.rules import problems_in, today
from pulumi_istio_mesh.topology.load import parse_topology

SIZES = (3, 10, 20)
_RUNS = 3

_REGISTER = """
import sys, time
sys.path.insert(0, {root!r})
from pulumi_istio_mesh import Mesh
from tests.builders import program_args
from tests.components.recorder import record
began = time.monotonic()
rows = record(lambda: Mesh("prod", program_args(clusters={{f"c{{n}}": {{}} for n in range({size})}})))
print(len(rows.rows), time.monotonic() - began)
"""


def table(progress: Progress) -> Table:
    """Return a row for each number of clusters: create-preview on real API servers, and Python's own share."""
    found = Table(title="Growth with the number of clusters, full mesh, each on its own network")
    for column in ("clusters", "resources", "create-preview wall s", "CPU s", "plan ms", "Python registering, mocks s"):
        found.add_column(column, justify="right")
    for size in (*SIZES, 50):
        wall, cpu = _preview(size, progress) if size in SIZES else ("", "")
        resources, seconds = _register(size)
        found.add_row(str(size), str(resources), wall, cpu, f"{_plan(size) * 1000:.0f}", f"{seconds:.2f}")
    return found


def _preview(size: int, progress: Progress) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "program"
        shutil.copytree(EXAMPLE, program, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__"))
        tree = yaml.safe_load((program / "mesh.yaml").read_text())
        names = [f"c{number}" for number in range(1, size + 1)]
        (program / "mesh.yaml").write_text(yaml.safe_dump({**tree, "clusters": {name: {} for name in names}}))
        up(Shape(size, nodes=False), progress)
        try:
            stack = Stack(program, "scale")
            stack.configure([Cluster(name) for name in names])
            with progress.step(f"previews of {size} clusters"):
                costs = [measured(stack.preview) for _ in range(_RUNS)]
        finally:
            down(progress)
    wall = statistics.median(cost.wall_seconds for cost in costs)
    return f"{wall:.1f}", f"{statistics.median(cost.cpu for cost in costs):.1f}"


def _plan(size: int) -> float:
    """Return the seconds that reading, judging and planning take."""
    tree = yaml.safe_load((EXAMPLE / "mesh.yaml").read_text())
    tree["clusters"] = {f"c{number}": {} for number in range(size)}
    began = time.monotonic()
    topology = parse_topology(tree)
    assert problems_in(topology, today()) == []
    plan_mesh(topology)
    return time.monotonic() - began


def _register(size: int) -> tuple[int, float]:
    """Return the number of resources and the seconds Python takes to plan and register them on the mock engine."""
    program = _REGISTER.format(root=str(EXAMPLE.parent.parent), size=size)
    count, seconds = run([sys.executable, "-c", program], timeout_seconds=300).split()
    return int(count), float(seconds)
