"""What a change is said to change: exactly these sentences for each row of the table, and rules for every change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.changes.change import Kind, Way
from pulumi_istio_mesh.changes.comparison import Comparison, compare
from pulumi_istio_mesh.changes.traffic import path_changes
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import TODAY, a_mesh
from ..plan.test_mesh_plan import shapes
from .table import CHANGES

Clusters = dict[str, dict[str, Any]]


def told(comparison: Comparison) -> str:
    """A comparison as a reviewer reads it, a line each."""
    lines = [
        f"{'DANGEROUS ' if change.dangerous else ''}{change.kind.value}: {change.sentence}"
        + (f"\n  safe way: {change.safe_way}" if change.safe_way else "")
        for change in comparison.changes
    ]
    return "\n".join([*lines, f"not affected: {'; '.join(comparison.unaffected)}"])


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told_in_exactly_these_sentences(change: str, golden_text: SnapshotAssertion) -> None:
    before, after = (parse_topology(tree) for tree in CHANGES[change])
    assert problems_in(before, TODAY) == problems_in(after, TODAY) == []
    assert told(compare("prod", before, after)) == golden_text


def test_there_are_many_changes() -> None:
    assert len(CHANGES) >= 40


@given(shapes())
def test_no_change_no_sentence(clusters: Clusters) -> None:
    same = compare("prod", a_mesh(**clusters), a_mesh(**clusters))
    assert (same.changes, same.unaffected) == ((), ())


@given(shapes())
def test_the_order_of_the_list_says_nothing(clusters: Clusters) -> None:
    assert compare("prod", a_mesh(**clusters), a_mesh(**dict(reversed(clusters.items())))).changes == ()


@given(shapes(), shapes())
def test_every_pair_whose_path_changes_is_in_one_sentence_and_no_other_pair_is(
    before: Clusters, after: Clusters
) -> None:
    was, will = a_mesh(**before), a_mesh(**after)
    found = compare("prod", was, will)
    expected = path_changes(plan_mesh(was), plan_mesh(will))
    assert sorted(found.paths, key=str) == sorted(expected, key=str)
    for change in found.changes:
        for path in change.paths:
            assert {path.source, path.target} <= set(change.sentence.replace(",", " ").replace(":", " ").split()) or (
                "each other" in change.sentence and path.source in change.sentence and path.target in change.sentence
            )


@given(shapes(), shapes())
def test_the_paths_that_change_one_way_are_those_that_change_the_other_way(before: Clusters, after: Clusters) -> None:
    was, will = a_mesh(**before), a_mesh(**after)
    there, back = compare("prod", was, will).paths, compare("prod", will, was).paths
    assert {path.mirrored() for path in there} == set(back)


@given(shapes(), shapes())
def test_what_appears_one_way_goes_the_other_way(before: Clusters, after: Clusters) -> None:
    was, will = a_mesh(**before), a_mesh(**after)

    def secrets(found: Comparison, sign: str) -> set[str]:
        own = (change for change in found.changes if change.kind is Kind.SECRETS)
        return {one[2:] for change in own for one in change.resources if one[0] == sign}

    there, back = compare("prod", was, will), compare("prod", will, was)
    assert secrets(there, "+") == secrets(back, "-")
    assert secrets(there, "-") == secrets(back, "+")


@given(shapes())
def test_of_a_new_mesh_every_path_starts(clusters: Clusters) -> None:
    topology = a_mesh(**clusters)
    found = compare("prod", None, topology)
    assert {path.before for path in found.paths} <= {Way.NONE}
    assert {(path.source, path.target) for path in found.paths} == {
        (path.source, path.target) for path in plan_mesh(topology).paths
    }
    assert not found.dangerous


@given(shapes())
def test_a_mesh_that_goes_leaves_no_path(clusters: Clusters) -> None:
    found = compare("prod", a_mesh(**clusters), None)
    assert {path.after for path in found.paths} <= {Way.NONE}


def test_values_of_the_user_are_named_and_never_said() -> None:
    before = parse_topology({**CHANGES["nothing"][0]})
    after = parse_topology(
        {
            **CHANGES["nothing"][0],
            "values": {"istiod": {"env": {"TOKEN": "hunter2"}}},
            "clusters": {
                **CHANGES["nothing"][0]["clusters"],
                "plant": {"east_west_gateway": {"annotations": {"secret": "hunter2"}}},
            },
        }
    )
    text = told(compare("prod", before, after))
    assert "env" in text
    assert "secret" in text
    assert "hunter2" not in text


def test_of_many_clusters_a_sentence_names_a_few_and_its_paths_have_all() -> None:
    many = {f"site-{number:02d}": {} for number in range(20)}
    found = compare("prod", a_mesh(**many), a_mesh(**many, plant={}))
    (to, _) = (change for change in found.changes if change.paths)
    assert "and 16 more" in found.changes[1].sentence
    assert len(to.paths) == 20
