"""What a check found, and which findings follow from which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..topology.problems import Problem
from ..topology.shown import shown
from .registry import CHECKS

_ORDER = {slug: place for place, slug in enumerate(CHECKS)}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be in a live mesh."""

    slug: str
    cluster: str
    """Where it was found: the caller or reader, where two clusters are concerned."""
    what: str
    """What was expected and what was seen; never a secret."""
    peer: str | None = None
    """The other cluster that it concerns."""
    name: str | None = None
    """The object that it is about, where that is no cluster: `<namespace>/<name>`."""

    def __post_init__(self) -> None:
        if self.slug not in CHECKS:
            raise ValueError(f"{self.slug!r} is not in CHECKS")
        # Here, so that nobody who prints a finding can forget it: what answers in a cluster says what it likes.
        for name in ("cluster", "what", "peer", "name"):
            if (said := getattr(self, name)) is not None:
                object.__setattr__(self, name, shown(said))

    @property
    def fatal(self) -> bool:
        """Whether the mesh doesn't work while it is so."""
        return CHECKS[self.slug].fatal

    @property
    def where(self) -> str:
        """The cluster, the pair of clusters, or the object in a cluster."""
        if self.peer:
            return f"{self.cluster} to {self.peer}"
        return f"{self.cluster}: {self.name}" if self.name else self.cluster

    @property
    def problem(self) -> Problem:
        """The finding as it is told."""
        check = CHECKS[self.slug]
        words = {"cluster": self.cluster, "peer": self.peer or self.name or self.cluster}
        return Problem(
            where=self.where,
            what=self.what,
            why=check.likely.format(**words),
            fix=check.fix.format(**words),
            slug=self.slug,
        )


@dataclass(frozen=True)
class Cause:
    """A finding that follows from no other one, and those that follow from it."""

    finding: Finding
    consequences: tuple[Finding, ...]

    @property
    def fatal(self) -> bool:
        """Whether it, or anything that follows from it, breaks the mesh."""
        return self.finding.fatal or any(found.fatal for found in self.consequences)


def causes(findings: Iterable[Finding]) -> list[Cause]:
    """Return the findings as causes with what follows from them; what breaks the mesh comes first.

    A finding follows from the first one, in the order of `CHECKS`, that explains its slug and concerns one of its
    clusters; a finding between two clusters explains only what is between the same two.
    """
    ordered = sorted(set(findings), key=lambda found: (_ORDER[found.slug], found.where, found.what))
    following: dict[Finding, list[Finding]] = {}
    for place, found in enumerate(ordered):
        cause = next((earlier for earlier in ordered[:place] if _explains(earlier, found)), None)
        # By the root of a chain: a secret is missing, so istiod is not synced, so calls have no endpoints.
        root = next((top for top, under in following.items() if cause is top or cause in under), None)
        if root is None:
            following[found] = []
        else:
            following[root].append(found)
    found_causes = [Cause(top, tuple(under)) for top, under in following.items()]
    return sorted(found_causes, key=lambda cause: not cause.fatal)


def _explains(cause: Finding, found: Finding) -> bool:
    if found.slug not in CHECKS[cause.slug].explains:
        return False
    concerned = {found.cluster, found.peer}
    return {cause.cluster, cause.peer} == concerned if cause.peer else cause.cluster in concerned


def told(found: list[Cause]) -> str:
    """Return the findings as text: each cause with its reason and cure, what follows from it under it."""
    lines: list[str] = []
    for cause in found:
        problem = cause.finding.problem
        lines += [
            f"{problem.where}: {problem.what}",
            f"  likely: {problem.why}",
            f"  fix: {problem.fix}",
            f"  see: docs/checks.md#{problem.slug}",
        ]
        lines += [f"  so: {following.where}: {following.what} ({following.slug})" for following in cause.consequences]
    return "\n".join(lines)
