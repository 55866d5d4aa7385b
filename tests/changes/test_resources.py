"""The resources behind the sentences are those that the program would make, change and delete: on the mock engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_istio_mesh import Mesh
from pulumi_istio_mesh.changes.comparison import compare
from pulumi_istio_mesh.istio.adopted import written
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import CA, TOKEN, a_kubeconfig
from ..components.recorder import Recording, record, revealed
from .table import CHANGES, Tree

UNTOLD = {"MeshGate", "ApiServerGate"}
"""Gates run again whenever what they prove changes: no sentence says so."""


pytestmark = pytest.mark.usefixtures("programs_on_a_day", "written_down")


@pytest.fixture
def written_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program's folder holds what is adopted of the cluster plant."""
    accounts = (("istiod", "istiod"), ("istio-reader-service-account", "istio-reader"))
    labelled = ({"name": name, "labels": {"app.kubernetes.io/name": part}} for name, part in accounts)
    objects = ({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": found} for found in labelled)
    (tmp_path / "adopted").mkdir()
    (tmp_path / "adopted" / "plant.yaml").write_text(written(objects), encoding="utf-8")
    monkeypatch.chdir(tmp_path)


RAN: dict[str, Recording] = {}
"""Most changes are of the same few meshes."""


def ran(tree: Tree, name: str) -> Recording:
    """The mesh's program, run once for each mesh; kubeconfigs depend on the cluster's name only."""

    def known_late(cluster: str, facts: dict[str, Any]) -> dict[str, Any]:
        if tree.get("render_to") is not None:
            return {"reader_credential": TOKEN, "api_server_ca": CA}
        return {} if "gke" in facts else {"kubeconfig": a_kubeconfig(f"https://{cluster}.example:6443")}

    clusters = {cluster: {**known_late(cluster, facts), **facts} for cluster, facts in tree["clusters"].items()}
    if (mesh := f"{name} {tree!r}") not in RAN:
        RAN[mesh] = record(lambda: Mesh(name, {**tree, "clusters": clusters}))
    return RAN[mesh]


def inputs(recording: Recording, name: str) -> Any:
    """What a resource is registered with, and in what."""
    row = recording[name]
    return row.type, row.protect, row.retain_on_delete, revealed(row.inputs)


def around(recording: Recording, name: str) -> Iterator[str]:
    """A resource and the components around it."""
    yield name
    yield from recording.ancestors(name)


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_program_changes_is_behind_a_sentence_and_nothing_else_is(change: str) -> None:
    before, after = CHANGES[change]
    told = compare("prod", parse_topology(before), parse_topology(after))
    name = str(after["mesh_id"])
    was, will = ran(before, name), ran(after, name)
    said = {sign: {one[2:] for c in told.changes for one in c.resources if one[0] == sign} for sign in "+-~"}
    # Everything that is said is so.
    assert {one for one in said["+"] if one not in will or one in was} == set()
    assert {one for one in said["-"] if one not in was or one in will} == set()
    assert {one for one in said["~"] if one not in was or one not in will} == set()
    # Everything that is so is said.
    differing = {row.short for row in will if row.short in was and inputs(was, row.short) != inputs(will, row.short)}
    signs = [
        (will, "+", {row.short for row in will} - was.rows.keys()),
        (was, "-", {row.short for row in was} - will.rows.keys()),
    ]
    for recording, sign, rows in (*signs, (will, "~", differing)):
        named = said[sign] | said["~"]
        untold = {row for row in rows if named.isdisjoint(around(recording, row))}
        assert {row for row in untold if not any(n.split()[0] in UNTOLD for n in around(recording, row))} == set()
