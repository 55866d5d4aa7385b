"""The Services that are dialled from outside their cluster, on both sides of a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..plan import dialled as plan
from ..plan.dialled import EAST_WEST, FEDERATION, ISTIOD
from ..topology.dialled import DialledService
from .change import Side, Sides


@dataclass(frozen=True)
class Dialled:
    """One such Service of a cluster that stays: what it was and what it will be; None where it is not there."""

    cluster: str
    said: str
    """What it is for."""
    resource: str
    before: DialledService | None
    after: DialledService | None


def dialled(sides: Sides) -> Iterator[Dialled]:
    """Yield those of all clusters of either side."""
    for name in {**sides.before.clusters, **sides.after.clusters}:
        was, will = _of(sides.before, name), _of(sides.after, name)
        for said, role in _ROLES.items():
            if was.get(said) or will.get(said):
                yield Dialled(name, said, f"Service {sides.of(name, role)}", was.get(said), will.get(said))


_ROLES = {EAST_WEST: "east-west", FEDERATION: "federation", ISTIOD: "istiod-remotes"}


def _of(side: Side, name: str) -> dict[str, DialledService]:
    return plan.dialled(side.topology, side.clusters[name]) if name in side.clusters else {}
