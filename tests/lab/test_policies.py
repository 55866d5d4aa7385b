"""The example of a policy pack in the real engine: it sees what programs register, and what is in their charts.

The clusters are API servers and run nothing: a preview asks them for nothing else.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab import Cluster, Shape
from lab.demo import EXAMPLE
from lab.errors import LabError
from lab.stack import Stack

from .conftest import AStack

pytestmark = pytest.mark.extended("an example for platform teams: tests/policies asks the pack without a cluster")
LAB = Shape(3, nodes=False)
PACK = EXAMPLE.parent / "policies"


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Stack:
    return a_stack("policies", list(lab))


def preview(stack: Stack, folder: Path, **policies: object) -> str:
    """What a preview says that obeys the policies, configured like this."""
    config = folder / "policies.json"
    config.write_text(json.dumps({name.replace("_", "-"): given for name, given in policies.items()}))
    pack = ("--policy-pack", str(PACK), "--policy-pack-config", str(config))
    return stack.run("preview", "--non-interactive", *pack)


def test_a_mesh_as_it_is_passes_and_its_load_balancers_are_told(mesh: Stack, tmp_path: Path) -> None:
    said = preview(mesh, tmp_path, pinned_version={"versions": ["1.31.0"]})
    assert re.search(r"\[advisory\] +closed-load-balancers", said)
    assert "the load balancer horizon-c1-east-west lets everybody in. Write source_ranges" in said
    assert "[mandatory]" not in said


def test_a_mesh_that_breaks_a_policy_is_refused_in_its_preview(mesh: Stack, tmp_path: Path) -> None:
    with pytest.raises(LabError) as refused:
        preview(mesh, tmp_path, pinned_version={"versions": ["1.30.2"]})
    said = str(refused.value)
    assert 'the chart istiod is of Istio 1.31.0, and 1.30.2 is allowed. Write istio_version: "1.30.2"' in said
    assert "kubernetes:apps/v1:Deployment: horizon-c1-istiod:istio-system/istiod" in said
