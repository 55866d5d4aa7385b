"""Real clusters for the tests of this folder: started once, removed at the end, whatever happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Cluster, Shape, down, up
from lab.paths import REPOSITORY
from lab.stack import Stack

HERE = Path(__file__).parent
EXAMPLE = REPOSITORY / "examples" / "split-horizon"
CLUSTERS = ("c1", "c2", "c3", "c4")

AStack = Callable[..., Stack]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `lab`, so that `-m "not lab"` leaves the machine alone."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[dict[str, Cluster]]:
    """Four clusters, each alone on its network; a lab that can't start fails the tests, it skips none."""
    up(Shape(len(CLUSTERS)))
    yield {name: Cluster(name) for name in CLUSTERS}
    down()


@pytest.fixture(scope="module")
def a_stack(lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> AStack:
    """Returns a function that makes a stack of the flagship example's program over some of the clusters."""

    def make(name: str, clusters: Iterable[str], program: Path = EXAMPLE, **changes: Any) -> Stack:
        folder = tmp_path_factory.mktemp(name) / "program"
        shutil.copytree(program, folder, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__"))
        stack = Stack(folder, name)
        stack.configure(lab[cluster] for cluster in clusters)
        declare(stack, {cluster: {} for cluster in clusters}, **changes)
        return stack

    return make


def declare(stack: Stack, clusters: dict[str, dict[str, Any]], **changes: Any) -> None:
    """Write the stack's mesh.yaml: the example's, with these clusters, and facts changed."""
    tree = yaml.safe_load((EXAMPLE / "mesh.yaml").read_text())
    (stack.program / "mesh.yaml").write_text(yaml.safe_dump({**tree, "clusters": clusters, **changes}))
