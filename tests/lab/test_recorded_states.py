"""States that earlier versions wrote, taken over by the real engine, provider and charts: a preview by this version.

The states' objects stand in clusters without nodes: the provider compares with what the state says of each object, and
asks the cluster what it would make of an update.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import Cluster, recorded_states
from lab.stack import by_operation

from .conftest import in_core

LAB = replace(recorded_states.SHAPE, nodes=False)
"""A lab that no other test uses: the clusters keep the namespaces of these meshes, and who owns them."""
KEPT = {
    f"{version} {mesh}": folder
    for version in recorded_states.versions()
    for mesh, folder in recorded_states.recorded(version).items()
}

ADDED = {"0.1.0 two-meshes": {"mesh-a-c1-identities-only", "mesh-b-c3-identities-only"}}
"""What a mesh has more since; a name that is neither here nor in the state has changed."""


@pytest.mark.parametrize("name", in_core(KEPT, "0.1.0 two-meshes"))
def test_a_preview_neither_deletes_nor_replaces_what_an_earlier_version_made(
    name: str, lab: dict[str, Cluster]
) -> None:
    with recorded_states.imported(KEPT[name]) as stack:
        steps = stack.preview()
    gates = {step.name for step in steps if step.type == "kubernetes:batch/v1:Job"}
    lost = {name for operation, names in by_operation(steps).items() if operation != "update" for name in names} - gates
    assert lost == ADDED.get(name, set()), by_operation(steps)
