"""What keeps a commit from being a release, all of it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .changelog import UNRELEASED, Entry


@dataclass(frozen=True)
class Commit:
    """What decides about a release."""

    changed: tuple[str, ...]
    """Files that differ from the commit, or aren't in it."""
    tags: tuple[str, ...]
    distribution: str
    """The version in pyproject.toml."""
    package: str
    """`pulumi_istio_mesh.__version__`: what the plugin tells the engine."""
    newest: Entry
    """Of CHANGELOG.md."""
    meshes: frozenset[str]
    """Of which each version keeps a state."""
    states: frozenset[str]
    """Those that are kept of this version."""
    interface_kept: bool
    """Whether the interface that is kept of this version is that of the code."""
    untold: tuple[str, ...]
    """What breaks users of the last release, and isn't under Breaking."""


def obstacles(commit: Commit) -> Iterator[str]:
    """Yield a sentence for each reason, with the way out of it."""
    version = commit.package
    if commit.changed:
        yield f"not committed: {', '.join(commit.changed)}"
    if f"v{version}" in commit.tags:
        yield f"v{version} is out already: give the package its next version"
    if commit.distribution != version:
        yield f"pyproject.toml says {commit.distribution}, pulumi_istio_mesh.__version__ says {version}"
    if commit.newest.version != version:
        yield f"CHANGELOG.md begins with {commit.newest.version}, not with {version}"
    if commit.newest.date == UNRELEASED:
        yield f'CHANGELOG.md has no date: write "## {version} - YYYY-MM-DD"'
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", commit.newest.date):
        yield f"CHANGELOG.md has {commit.newest.date!r} as the date of {version}: write YYYY-MM-DD"
    if missing := commit.meshes - commit.states:
        yield f"no state is kept of {', '.join(sorted(missing))} as {version} writes it: python -m lab.recorded_states"
    if not commit.interface_kept:
        yield f"the interface of {version} is not kept: python -m release --record"
    for one in commit.untold:
        yield f'breaking, and not under "### Breaking" of CHANGELOG.md: {one}'


def distribution_version(pyproject: Path) -> str:
    """Return the version that wheel and sdist will have."""
    # Python 3.10 has no tomllib.
    (version,) = re.findall(r'^version = "(.+)"$', pyproject.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return str(version)
