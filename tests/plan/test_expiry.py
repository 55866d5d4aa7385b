"""What ends soon is said, with the line to write."""

from __future__ import annotations

import datetime as dt

from pulumi_istio_mesh.plan.expiry import WARN_DAYS, expiring
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree


def told(on: str, **trust: object) -> list[str]:
    topology = parse_topology(mesh_tree(trust={"roots": [{"issued": "2026-01-01", "days": 1000}], **trust}))
    return list(expiring(topology, plan_mesh(topology), dt.date.fromisoformat(on)))


def test_nothing_is_said_of_what_is_valid_for_long() -> None:
    assert told("2026-01-02") == []


def test_intermediates_that_end_soon_are_one_sentence_with_the_date_to_write() -> None:
    ends = dt.date(2026, 1, 1) + dt.timedelta(days=300)
    before, on = ends - dt.timedelta(days=WARN_DAYS + 1), ends - dt.timedelta(days=WARN_DAYS)
    intermediates = {"days": 300}
    assert told(before.isoformat(), intermediates=intermediates) == []
    (sentence,) = told(on.isoformat(), intermediates=intermediates)
    assert f"end on {ends}, in {WARN_DAYS} days" in sentence
    assert sentence.endswith(f'write trust.intermediates.issued: "{on}", and run')


def test_a_root_that_signs_is_rotated_and_one_that_does_not_is_dropped() -> None:
    roots = [{"issued": "2026-01-01", "days": 100}, {"issued": "2026-01-02", "days": 100}]
    found = told("2026-03-20", roots=roots, signer="2026-01-02")
    assert found[0].startswith("the intermediates of ")
    assert found[1] == "root 2026-01-01, which signs nothing, ends on 2026-04-11, in 22 days: drop it from trust.roots"
    assert 'write {issued: "2026-03-20"} beside it' in found[2]
