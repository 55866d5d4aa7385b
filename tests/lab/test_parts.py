"""A mesh put together from its parts one by one: calls cross it, and options of a part reach everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Cluster, Shape, sample
from lab.stack import Stack

from .conftest import EXAMPLES, AStack, taken_down
from .observe import eventually
from .options import assert_alias_keeps_everything, assert_options_reach_everything

later = pytest.mark.extended("aliases of the engine: the mock engine shows the names")
LAB = Shape(2)
KINDS = [
    "IstioTrust",
    "IstioControlPlane",
    "IstioEastWestGateway",
    "IstioExposure",
    "IstioRemote",
    "IstioReader",
    "IstioRemoteSecret",
]


@pytest.fixture(scope="module")
def stack(lab: dict[str, Cluster], a_stack: AStack) -> Iterator[Stack]:
    stack = a_stack("parts", ["c1", "c2"], EXAMPLES / "parts")
    with taken_down(lab, stack):
        stack.up()
        both = [lab["c1"], lab["c2"]]
        sample.deploy(both, ["c1", "c2"])
        yield stack


def test_calls_cross_the_mesh_in_both_directions(stack: Stack, lab: dict[str, Cluster]) -> None:
    for name in ("c1", "c2"):
        eventually(
            lambda name=name: {sample.call(lab[name]).cluster for _ in range(8)},  # type: ignore[misc]
            lambda seen: seen == {"c1", "c2"},
        )


def test_callers_are_known_by_their_identity_in_the_mesh(stack: Stack, lab: dict[str, Cluster]) -> None:
    assert sample.call(lab["c2"]).certificate.endswith("parts.internal/ns/sample/sa/client")


def test_a_second_run_changes_nothing(stack: Stack) -> None:
    stack.up("--expect-no-changes", "--diff")


@later
def test_options_of_a_part_reach_everything_in_it(stack: Stack, tmp_path: Path) -> None:
    assert_options_reach_everything(stack, KINDS, tmp_path, at_least=40)


@later
def test_a_part_that_moves_into_another_component_by_an_alias_keeps_everything_in_it(
    stack: Stack, tmp_path: Path
) -> None:
    assert_alias_keeps_everything(stack, KINDS, tmp_path)
