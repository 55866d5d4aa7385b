"""Certificates that end soon, each with the change to make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from ..topology.models import Topology
from .mesh_plan import MeshPlan, Validity
from .words import listed

WARN_DAYS = 60
"""A rotation of the root takes three runs and days in between."""


def expiring(topology: Topology, plan: MeshPlan, on: dt.date) -> Iterator[str]:
    """Yield a sentence for each certificate of the mesh that ends within `WARN_DAYS` of a day (UTC)."""
    soon = [own for own in plan.intermediates if _soon(own, on)]
    for expires in sorted({own.expires for own in soon}):
        of = listed([own.name for own in soon if own.expires == expires])
        yield (
            f"the intermediates of {of} end {_when(expires, on)}: write trust.intermediates.issued: "
            f'"{on.isoformat()}", and run'
        )
    for root in plan.roots:
        if not _soon(root, on):
            continue
        if root.name == topology.signing_root.name:
            yield (
                f'root {root.name}, which signs, ends {_when(root.expires, on)}: write {{issued: "{on.isoformat()}"}} '
                f'beside it in trust.roots, and signer: "{root.name}", and run; then let the new one sign, then drop '
                f"{root.name} (docs/operations.md#rotate-the-root)"
            )
        else:
            yield f"root {root.name}, which signs nothing, ends {_when(root.expires, on)}: drop it from trust.roots"


def last_days(plan: MeshPlan) -> dict[str, str]:
    """Return the day on which each generated certificate ends, by `root <generation>` or `<cluster>`."""
    roots = {f"root {root.name}": root for root in plan.roots}
    return {
        name: found.expires.isoformat() for name, found in {**roots, **{o.name: o for o in plan.intermediates}}.items()
    }


def _soon(found: Validity, on: dt.date) -> bool:
    return (found.expires - on).days <= WARN_DAYS


def _when(expires: dt.date, on: dt.date) -> str:
    days = (expires - on).days
    return f"on {expires}, in {days} {'day' if days == 1 else 'days'}"
