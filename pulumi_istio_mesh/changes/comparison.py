"""Two meshes compared: everything that changes, by weight, and what does not."""

from __future__ import annotations

from dataclasses import dataclass

from ..plan.mesh_plan import plan_mesh
from ..topology.models import Topology, Trust
from .authorities import authorities
from .change import Change, Kind, PathChange, Side, Sides, listed
from .control_planes import control_planes
from .dangers import dangers
from .load_balancers import load_balancers
from .members import members
from .ports import ports
from .restarts import restarts
from .revisions import revisions
from .secrets import secrets
from .settings import settings
from .sharing import sharing
from .traffic import traffic


@dataclass(frozen=True)
class Comparison:
    """What is new of one mesh."""

    mesh: str
    """What the file calls the mesh."""
    before: Side | None
    """None where it is new."""
    after: Side | None
    """None where it goes."""
    changes: tuple[Change, ...]
    """What is dangerous first, then by weight; empty where the mesh stays as it is."""
    unaffected: tuple[str, ...]
    """Sentences about what stays; empty where nothing changes."""

    @property
    def paths(self) -> list[PathChange]:
        """Every ordered pair of clusters whose calls start, stop or take another way."""
        return [path for change in self.changes for path in change.paths]

    @property
    def dangerous(self) -> bool:
        """Whether any of it should not be done like this."""
        return any(change.dangerous for change in self.changes)


_ASKED = (
    dangers,
    members,
    control_planes,
    traffic,
    sharing,
    authorities,
    restarts,
    revisions,
    ports,
    secrets,
    load_balancers,
    settings,
)


def compare(mesh: str, before: Topology | None, after: Topology | None) -> Comparison:
    """Return what changes from one topology to the other; both must have passed their rules, and one must be there."""
    before, after = (side and side.present for side in (before, after))
    known = after or before
    assert known is not None, "one side is there"
    name = known.mesh_id
    was, will = (Side(name, found, plan_mesh(found)) for found in (before or _nothing(known), after or _nothing(known)))
    sides = Sides(was, will)
    found = dict.fromkeys(change for ask in _ASKED for change in ask(sides))
    kinds = list(Kind)
    changes = tuple(sorted(found, key=lambda change: (not change.dangerous, kinds.index(change.kind))))
    return Comparison(
        mesh,
        was if before else None,
        will if after else None,
        changes,
        tuple(_unaffected(sides, changes)) if changes and sides.stay else (),
    )


def _nothing(mesh: Topology) -> Topology:
    """Return the mesh without anything in it: what a mesh is compared with that comes or goes."""
    empty = {"clusters": {}, "trust": Trust(kind="external"), "peers": {}, "exports": {}, "gke_networks": {}}
    return mesh.model_copy(update=empty)


def _unaffected(sides: Sides, changes: tuple[Change, ...]) -> list[str]:
    """Return what a reviewer would ask about, and stays."""
    was, will = sides.before.topology, sides.after.topology
    if was.install != will.install or (was.render_to is None) != (will.render_to is None):
        # Who had everything deletes it.
        return []
    found = []
    changed = {(path.source, path.target) for change in changes for path in change.paths}
    same = {(path.source, path.target) for path in sides.after.plan.paths} - changed
    if same:
        calls = listed(sorted({name for pair in same for name in pair}))
        found.append(f"the way of {'all other ' if changed else ''}calls between {calls}")
    touched = {change.kind for change in changes}
    if any(change.dangerous for change in changes):
        touched.add(Kind.RESTARTS)
    words = {
        Kind.TRUST: "roots and intermediates",
        Kind.RESTARTS: "pods that run",
        Kind.PORTS: "ports that must be open",
        Kind.SECRETS: "remote secrets",
        Kind.LOAD_BALANCERS: "load balancers",
    }
    return found + [word for kind, word in words.items() if kind not in touched]
