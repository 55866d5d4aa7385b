"""Several meshes in one program, and the links between them.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import pulumi

from ..istio import names
from ..rules.meshes import meshes_problems
from ..topology.links import Linked, linked
from ..topology.load import parse_links
from ..topology.models import Topology
from ..topology.problems import Problem, TopologyError, near
from .arguments import MeshesArgs, RefusedTopology, accept
from .mesh import Mesh


class Meshes(pulumi.ComponentResource):
    """Meshes that share Services: each a fault domain of its own, both sides of each link made from one line.

    Raises `TopologyError` before any resource is registered, with everything that is wrong with any of them. What one
    mesh offers goes to the other within the same run. On destroy every mesh goes as it would alone.
    """

    gateways: pulumi.Output[dict[str, Any]]
    """Addresses of the east-west gateways, by mesh and cluster."""
    offers: pulumi.Output[dict[str, Any]]
    """What each mesh tells its peers, by mesh and by the peer's mesh ID; for peers in other programs."""

    def __init__(self, name: str, args: MeshesArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        given = _accepted(name, args)
        super().__init__(names.token("Meshes"), name, None, opts)
        self._meshes: dict[str, Mesh] = {}
        # Each mesh is told what others offer, and they are made after it.
        offers: dict[str, Any] = {mesh: pulumi.deferred_output() for mesh in given.meshes}
        names_by_id = {str(facts.get("mesh_id") or mesh): mesh for mesh, facts in given.meshes.items()}
        for mesh, facts in given.meshes.items():
            for peer, known in (facts.get("peers") or {}).items():
                if peer in names_by_id:
                    known.setdefault("offer", offers[names_by_id[peer]][0])
            arguments: Any = facts
            self._meshes[mesh] = Mesh(mesh, arguments, opts=pulumi.ResourceOptions(parent=self))
            offers[mesh][1](self._meshes[mesh].offers)
        self.gateways = _by_mesh({mesh: made.gateways for mesh, made in self._meshes.items()})
        self.offers = _by_mesh({mesh: made.offers for mesh, made in self._meshes.items()})
        self.register_outputs({"gateways": self.gateways, "offers": self.offers})

    def __getitem__(self, mesh: str) -> Mesh:
        """Return one of the meshes by its name in the list; raises `KeyError` for any other."""
        return self._meshes[mesh]


def _by_mesh(outputs: Mapping[str, Any]) -> pulumi.Output[dict[str, Any]]:
    # By one plain argument: Output.all of no names at all would be a list.
    known: Any = dict(outputs)
    return pulumi.Output.from_input(known)


def _accepted(name: str, args: Mapping[str, Any]) -> Linked:
    """Return the meshes as their links make them; raise `RefusedTopology` with what is wrong with any of them."""
    source = f"Meshes {name!r}"
    meshes = args.get("meshes")
    if not isinstance(meshes, Mapping) or not all(isinstance(facts, Mapping) for facts in meshes.values()):
        problem = Problem(
            where="meshes",
            what="it is not a mapping of names to meshes",
            why="each mesh is named by its key",
            fix='"meshes": {"a": {"istio_version": ..., "clusters": ...}}',
            slug="topology-shape",
        )
        raise RefusedTopology([problem], source)
    try:
        found = linked(meshes, parse_links(args.get("links") or [], source))
    except TopologyError as error:
        raise RefusedTopology(error.problems, source) from None
    problems = [*_unknown(args), *found.problems]
    accepted: dict[str, Topology] = {}
    for mesh, facts in found.meshes.items():
        try:
            accepted[mesh] = accept(mesh, facts)
        except TopologyError as error:
            problems += [found.typed(problem.at(f"meshes.{mesh}.{problem.where}")) for problem in error.problems]
    problems += meshes_problems(accepted)
    if problems:
        raise RefusedTopology(problems, source)
    return found


def _unknown(args: Mapping[str, Any]) -> Iterator[Problem]:
    known = MeshesArgs.__annotations__
    for key in args:
        if key not in known:
            yield Problem(
                where=str(key),
                what=f"{key!r} is not known here{near(str(key), known)}",
                why="a key nobody reads would be a setting that silently does nothing",
                fix=f"use one of {', '.join(known)}, or move {key} into one of the meshes",
                slug="unknown-key",
            )
