"""What `make test` shows of README's table on real clusters, and what it leaves to `make test-lab`, with the reason."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

SHOWN_BY: dict[str, tuple[str, ...]] = {
    "one flat network, one istiod, many remotes": (
        "test_shapes.py::test_proxies_know_exactly_the_endpoints_of_the_plan[mixed]",
        "test_split_horizon.py::test_calls_are_answered_by_both_other_clusters",
    ),
    "several meshes that export chosen Services": (
        "test_two_meshes.py::test_an_exported_service_answers_in_each_cluster_of_the_other_mesh",
        "test_two_meshes.py::test_an_account_that_is_not_named_is_refused_by_the_service",
    ),
    "`up` fails with pair, step and reason": (
        "test_breakages.py::test_a_gate_names_pair_step_and_cause_within_its_time[15443 filtered]",
        "test_breakages.py::test_what_is_broken_is_told_first_and_what_follows_under_it[15443 filtered]",
    ),
    "wrong input is refused before anything is made": (
        "test_preflight.py::test_nothing_of_any_cluster_changes_while_one_is_refused",
    ),
    "Istio upgraded in waves": (
        "test_upgrade.py::test_a_mesh_is_upgraded_in_waves_without_a_lost_call_and_keeps_its_addresses",
        "test_rotation.py::test_new_intermediates_are_taken_while_calls_go_on",
        "test_eviction.py::test_a_cluster_joins_without_a_lost_call",
    ),
    "a dead cluster is evicted": ("test_eviction.py::test_a_dead_cluster_is_evicted_without_talking_to_it",),
    "previews without the clusters": (
        "test_release_install.py::test_a_preview_needs_no_cluster",
        "test_render.py::test_what_is_rendered_becomes_the_mesh",
    ),
    "killed runs are completed": (
        "test_repair.py::test_a_mesh_killed_at_several_points_is_completed_by_running_again",
    ),
    "clusters where istioctl or Helm installed Istio": (
        "test_brownfield.py::test_clusters_with_istio_are_joined_without_a_write_to_what_was_there",
        "test_brownfield.py::test_they_are_adopted_without_a_change",
    ),
    "the same mesh from TypeScript and YAML": (
        "test_languages.py::test_the_program_in_typescript_finds_nothing_to_change",
    ),
    "Istio's own integration tests": ("test_split_horizon.py::test_istios_own_tests_of_calls_between_clusters_pass",),
    "every part as a component of its own": ("test_parts.py::test_calls_cross_the_mesh_in_both_directions",),
}
"""By the beginning of a row of README's table."""
NEEDS_NO_CLUSTER = ("`diff` says what changes", "GKE clusters from the same list")
"""Rows whose proof is not traffic."""


def rows() -> list[str]:
    """What README claims, in its table."""
    text = (REPOSITORY / "README.md").read_text()
    table = text.partition("| what | proof |\n|---|---|\n")[2].partition("\n\n")[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()]


@pytest.fixture(scope="module")
def core() -> set[str]:
    """The tests that `make test` runs on clusters."""
    return collected("lab and not soak and not extended")


def collected(expression: str) -> set[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", expression]
    done = subprocess.run([*command, "tests/lab"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_every_row_of_readmes_table_is_shown_by_the_core_or_needs_no_cluster() -> None:
    beginnings = [*SHOWN_BY, *NEEDS_NO_CLUSTER]
    assert [row for row in rows() if not row.startswith(tuple(beginnings))] == []
    assert [one for one in beginnings if not any(row.startswith(one) for row in rows())] == []


def test_what_shows_a_row_is_in_the_core(core: set[str]) -> None:
    missing = {one for shown in SHOWN_BY.values() for one in shown} - {test.removeprefix("tests/lab/") for test in core}
    assert missing == set()


def test_whatever_is_outside_of_the_core_says_why() -> None:
    marks = [
        (file.name, mark)
        for file in sorted((REPOSITORY / "tests" / "lab").glob("*.py"))
        for mark in re.findall(r"mark\.extended(?:\(([^)]*)\))?", file.read_text())
    ]
    assert marks
    assert [(file, mark) for file, mark in marks if len(mark.split()) < 3] == []


def test_nothing_leaves_both(core: set[str]) -> None:
    assert core < collected("lab and not soak")
