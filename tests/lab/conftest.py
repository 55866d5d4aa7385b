"""Real clusters for the tests of this folder: started once, removed at the end, whatever happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Cluster, LabError, Shape, down, sample, up
from lab.lifecycle import known_shape, running_shape
from lab.paths import REPOSITORY
from lab.stack import Stack

HERE = Path(__file__).parent
EXAMPLES = REPOSITORY / "examples"
EXAMPLE = EXAMPLES / "split-horizon"

APART = Shape(4)
"""Four clusters, each alone on its network."""
MIXED = Shape(5, networks={"datacentre": ("c1", "c2", "c3")})
"""Three clusters whose pods reach each other, and two that are alone."""

AStack = Callable[..., Stack]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `lab`, so that `-m "not lab"` leaves the machine alone."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def labs() -> Iterator[Callable[[Shape], None]]:
    """Returns a function that sees to a lab of a shape; only one runs at a time."""

    def use(shape: Shape) -> None:
        if running_shape() not in (None, shape):
            down()
        up(shape)

    yield use
    down()


@pytest.fixture(scope="module")
def lab(labs: Callable[[Shape], None], request: pytest.FixtureRequest) -> dict[str, Cluster]:
    """The lab that the module names in `LAB`; one that can't start fails the tests, it skips none."""
    shape: Shape = getattr(request.module, "LAB", APART)
    labs(shape)
    return {name: Cluster(name) for name in shape.names}


@pytest.fixture(scope="module")
def a_stack(lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> AStack:
    """Returns a function that makes a stack of a program over some of the clusters: names, or names with their facts.

    Without a program it is the flagship example's, with a mesh.yaml of these clusters; an example of its own
    keeps every byte.
    """

    def make(name: str, clusters: Iterable[str], program: Path = EXAMPLE, **changes: Any) -> Stack:
        folder = tmp_path_factory.mktemp(name) / "program"
        shutil.copytree(program, folder, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__"))
        stack = Stack(folder, name)
        stack.configure(lab[cluster] for cluster in clusters)
        if program == EXAMPLE or not (program / "mesh.yaml").exists():
            facts = dict(clusters) if isinstance(clusters, Mapping) else {cluster: {} for cluster in clusters}
            declare(stack, facts, **changes)
        return stack

    return make


@contextmanager
def taken_down(lab: dict[str, Cluster], *stacks: Stack) -> Iterator[None]:
    """Take down stacks and the sample in the end, also when they only came up half-way.

    What resists goes with the whole lab: the next tests get clusters on which nothing of it is left.
    """
    try:
        yield
    finally:
        try:
            sample.remove(lab.values())
            for stack in stacks:
                stack.destroy()
                stack.remove()
        except LabError:
            shape = known_shape()
            down()
            if shape:
                up(shape)
            raise


def declare(stack: Stack, clusters: dict[str, dict[str, Any]], **changes: Any) -> None:
    """Write the stack's mesh.yaml: the example's, with these clusters, and facts changed.

    Without gates, unless they are asked for: most tests look at the mesh themselves.
    """
    tree = {**yaml.safe_load((EXAMPLE / "mesh.yaml").read_text()), "verify": {"level": "off"}}
    (stack.program / "mesh.yaml").write_text(yaml.safe_dump({**tree, "clusters": clusters, **changes}))
