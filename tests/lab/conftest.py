"""Real clusters for the tests of this folder: started once, removed at the end, whatever happened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from lab import Cluster, LabError, Shape, apart, down, plugins, sample, up
from lab.lifecycle import known_shape, running_shape
from lab.paths import REPOSITORY
from lab.spent import seconds, spent_on
from lab.stack import ONLY_THE_LAST_STATE, Stack, copied

from ..spending import SPENT

HERE = Path(__file__).parent
EXAMPLES = REPOSITORY / "examples"
EXAMPLE = EXAMPLES / "split-horizon"

APART = Shape(4)
"""Four clusters, each alone on its network."""
MIXED = Shape(4, networks={"datacentre": ("c1", "c2", "c3")})
"""Three clusters whose pods reach each other, and one that is alone."""

AStack = Callable[..., Stack]


def in_core(cases: Iterable[str], *names: str) -> list[Any]:
    """Return cases as parameters of a test; those that are not named are outside of the core."""
    more = pytest.mark.extended("more cases of what the core shows with some")
    return [pytest.param(name, id=name, marks=() if name in names else more) for name in cases]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `lab`, so that `-m "not lab"` leaves the machine alone; files of one shape in a row."""
    here = [item for item in items if HERE in item.path.parents]
    others = [item for item in items if HERE not in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.lab)
    tests = Counter(item.path for item in here)

    def turn(item: pytest.Item) -> tuple[Any, ...]:
        """Large labs first, and the longest files of each: what is left for the end is short, for any worker."""
        shape = _shape_of(item.getparent(pytest.Module))
        return (-shape.clusters, not shape.nodes, not shape.networks, -tests[item.path], item.path)

    items[:] = [*others, *sorted(here, key=turn)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Leave what a test's time went into for the table at the end of the run."""
    if call.when == "teardown":
        item.user_properties.append((SPENT, dict(seconds)))
        seconds.clear()


def _shape_of(module: pytest.Module | None) -> Shape:
    assert module is not None
    shape: Shape = getattr(module.obj, "LAB", APART)
    return shape


@pytest.fixture(scope="session")
def labs() -> Iterator[Callable[[Shape], None]]:
    """Returns a function that sees to a lab of a shape; one runs at a time, and one in each of pytest's workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        apart.enter(worker)
    # Copies of the state beside the state, at every step: nobody here goes back to one.
    os.environ["PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS"] = "true"
    # The whole state anew at every step is three quarters of the engine's work: `Stack.start`, which is there for runs
    # that are killed, writes it all the same, and the others at their end.
    os.environ[ONLY_THE_LAST_STATE] = "true"
    # A quarter of what API servers and providers do is to look for memory to free; the labs are gone before it matters,
    # where two of them with twice the memory have room.
    if psutil.virtual_memory().total > 16 * 2**30:
        os.environ.setdefault("GOGC", "400")

    def use(shape: Shape) -> None:
        with spent_on("starting labs"):
            if running_shape() not in (None, shape):
                down()
            up(shape)
        # The engine writes a log of each run, a fifth of its work; where it can make no such folder, it goes without.
        plugins.install()
        (plugins.pulumi_home() / "logs").touch()

    yield use
    down()


@pytest.fixture(scope="module")
def lab(labs: Callable[[Shape], None], request: pytest.FixtureRequest) -> dict[str, Cluster]:
    """The lab that the module names in `LAB`, of no more clusters than it uses: each costs all tests time.

    One that can't start fails the tests, it skips none.
    """
    shape = _shape_of(request.node)
    labs(shape)
    return {name: Cluster(name) for name in shape.names}


@pytest.fixture(scope="module")
def a_stack(lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> AStack:
    """Returns a function that makes a stack of a program over some of the clusters: names, or names with their facts.

    Without a program it is the flagship example's, with a mesh.yaml of these clusters; an example of its own
    keeps every byte.
    """

    def make(name: str, clusters: Iterable[str], program: Path = EXAMPLE, **changes: Any) -> Stack:
        stack = Stack(copied(program, tmp_path_factory.mktemp(name) / "program"), name)
        stack.configure(lab[cluster] for cluster in clusters)
        if program == EXAMPLE or not (program / "mesh.yaml").exists():
            facts = dict(clusters) if isinstance(clusters, Mapping) else {cluster: {} for cluster in clusters}
            declare(stack, facts, **changes)
        return stack

    return make


@contextmanager
def taken_down(lab: dict[str, Cluster], *stacks: Stack, destroy: bool = False) -> Iterator[None]:
    """Take down what a file has made, also when it only came up half-way: the clusters with all that is in them.

    Other clusters start in a quarter of the time that `pulumi destroy` takes. With `destroy` it is that which takes
    down, and the clusters stay, for who shows that nothing is left, and for who goes on with them; what resists goes
    with the whole lab.
    """
    try:
        yield
    finally:
        if not destroy:
            with spent_on("starting labs"):
                down()
        else:
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
