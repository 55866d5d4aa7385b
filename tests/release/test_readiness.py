"""What keeps a commit from being a release is told, each with its way out, all of it at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.paths import REPOSITORY
from release.changelog import Entry
from release.readiness import Commit, distribution_version, obstacles

READY = Commit(
    changed=(),
    tags=("v0.1.0",),
    distribution="0.2.0",
    package="0.2.0",
    newest=Entry("0.2.0", "2026-12-01", ""),
    meshes=frozenset({"flat", "options"}),
    states=frozenset({"flat", "options"}),
    interface_kept=True,
    untold=(),
)


def test_a_commit_that_has_everything_is_a_release() -> None:
    assert list(obstacles(READY)) == []


@pytest.mark.parametrize(
    ("commit", "told"),
    [
        (replace(READY, changed=("a.py", "b.py")), "not committed: a.py, b.py"),
        (replace(READY, tags=("v0.1.0", "v0.2.0")), "v0.2.0 is out already: give the package its next version"),
        (
            replace(READY, distribution="0.1.0"),
            "pyproject.toml says 0.1.0, pulumi_istio_mesh.__version__ says 0.2.0",
        ),
        (replace(READY, newest=Entry("0.1.0", "2026-12-01", "")), "CHANGELOG.md begins with 0.1.0, not with 0.2.0"),
        (
            replace(READY, newest=Entry("0.2.0", "unreleased", "")),
            'CHANGELOG.md has no date: write "## 0.2.0 - YYYY-MM-DD"',
        ),
        (
            replace(READY, newest=Entry("0.2.0", "soon", "")),
            "CHANGELOG.md has 'soon' as the date of 0.2.0: write YYYY-MM-DD",
        ),
        (
            replace(READY, states=frozenset({"flat"})),
            "no state is kept of options as 0.2.0 writes it: python -m lab.recorded_states",
        ),
        (replace(READY, interface_kept=False), "the interface of 0.2.0 is not kept: python -m release --record"),
        (
            replace(READY, untold=("Mesh.gateways: is gone",)),
            'breaking, and not under "### Breaking" of CHANGELOG.md: Mesh.gateways: is gone',
        ),
    ],
    ids=lambda value: "" if isinstance(value, Commit) else value.split(":")[0],
)
def test_what_is_missing_is_told(commit: Commit, told: str) -> None:
    assert list(obstacles(commit)) == [told]


def test_everything_is_told_at_once() -> None:
    found = list(obstacles(replace(READY, changed=("a.py",), states=frozenset(), interface_kept=False)))
    assert len(found) == 3


def test_the_version_of_the_distribution_is_that_of_pyproject() -> None:
    import pulumi_istio_mesh

    assert distribution_version(REPOSITORY / "pyproject.toml") == pulumi_istio_mesh.__version__
