"""Two meshes put together from parts, a stack each: what one exports the other calls, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Cluster, Shape, sample
from lab.stack import Stack

from .conftest import EXAMPLES, AStack, taken_down
from .observe import eventually

pytestmark = pytest.mark.extended("the same objects as in test_two_meshes, registered by parts")
LAB = Shape(2)
IMPORTED = f"http://hello.sample.mesh-a.internal:{sample.PORT}/cgi-bin/hello"


@pytest.fixture(scope="module")
def stacks(lab: dict[str, Cluster], a_stack: AStack) -> Iterator[dict[str, Stack]]:
    made = {
        name: a_stack(name, [cluster], EXAMPLES / "parts-federation") for name, cluster in (("a", "c1"), ("b", "c2"))
    }
    for name, peer, cluster in (("a", "b", "c1"), ("b", "a", "c2")):
        facts = {"meshId": f"mesh-{name}", "cluster": cluster, "peerStack": f"organization/parts-federation/{peer}"}
        made[name].configure([lab[cluster]], **facts)
    with taken_down(lab, *made.values()):
        assert "mesh-b" in made["a"].up()
        made["b"].up()
        made["a"].up()
        sample.deploy(lab.values(), ["c1"])
        yield made


def test_what_one_mesh_exports_is_called_in_the_other_by_whom_it_allows(
    stacks: dict[str, Stack], lab: dict[str, Cluster]
) -> None:
    eventually(lambda: sample.call(lab["c2"], IMPORTED).status, lambda status: status == 200)
    answer = sample.call(lab["c2"], IMPORTED)
    assert answer.cluster == "c1"
    assert answer.certificate.endswith("spiffe://mesh-b.internal/ns/sample/sa/client")
    sample.add_client(lab["c2"], "stranger")
    assert sample.call(lab["c2"], IMPORTED, client="stranger").status == 403


def test_a_second_run_changes_nothing(stacks: dict[str, Stack]) -> None:
    for stack in stacks.values():
        stack.up("--expect-no-changes", "--diff")
