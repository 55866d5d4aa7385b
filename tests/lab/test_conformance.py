"""A slice of Istio's own integration suite on a mesh of this package; `make conformance` runs more, and the control."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Cluster, conformance
from lab.istio_suite import SLICE
from lab.progress import Progress

from .conftest import AStack, taken_down

pytestmark = pytest.mark.extended("takes Istio's own suite, which nothing else of the lab builds")
LAB = conformance.SHAPE


@pytest.fixture(scope="module")
def mesh(lab: dict[str, Cluster], a_stack: AStack) -> Iterator[dict[str, Cluster]]:
    conformance.check_built()
    facts = conformance.facts("strict")
    stack = a_stack("conformance", facts["clusters"], mtls="strict")
    with taken_down(lab, stack):
        stack.up()
        yield lab


def test_istios_own_tests_pass_on_a_mesh_with_a_remote_and_a_second_network(
    mesh: dict[str, Cluster], tmp_path: Path
) -> None:
    results = conformance.run_suite(mesh, [SLICE], "strict", tmp_path, Progress())
    assert conformance.all_passed(results), results
