"""Bugs of Istio that a mesh can be seen to meet, as data: in which versions, under what, and where it says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..topology.models import Topology
from ..topology.names import DEFAULT_REVISION
from ..topology.versions import numbers
from .versions import minor_of


@dataclass(frozen=True)
class Bug:
    """One bug of Istio."""

    what: str
    why: str
    source: str
    fixed: Mapping[str, str]
    """By minor version, the first patch without it."""
    met: Callable[[Topology, str], str | None]
    """Where a mesh's topology meets it by the istiod of a cluster; None where it doesn't."""

    def concerns(self, version: str) -> bool:
        """Return whether it is in this version."""
        fixed = self.fixed.get(minor_of(version))
        return fixed is not None and numbers(version) < numbers(fixed)


def _reads_a_changed_secret(topology: Topology, primary: str) -> str | None:
    """By another token; or because a remote secret names the revisions of the cluster that it reads."""
    watched = topology.watched_by(primary)
    known = [name for name in watched if name in topology.clusters]
    renewed = [name for name in known if topology.clusters[name].reader_token is not None]
    if renewed:
        return f"clusters.{renewed[0]}.reader_token"
    named = [revision for revision in topology.revision_names if revision != DEFAULT_REVISION]
    return f"revisions.{named[0]}" if watched and named else None


BUGS: tuple[Bug, ...] = (
    Bug(
        what="a remote secret that is written anew makes istiod lose the endpoints of that cluster, or stand still",
        why="istiod deadlocks while it takes a changed remote secret, forgets the cluster's network gateway, or wipes "
        "its endpoints",
        source="istio/istio#60612, #60920, #61043; fixed in 1.30.4 and 1.31.0",
        fixed={"1.30": "1.30.4"},
        met=_reads_a_changed_secret,
    ),
)
"""Known bugs; each is refused where it is met."""
