"""Rules between meshes that are declared together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from ..topology.models import Topology
from ..topology.problems import Problem
from .networks import no_network_is_shared


def meshes_problems(meshes: Mapping[str, Topology]) -> Iterator[Problem]:
    """Yield what keeps meshes apart from sharing Services, though each of them could be built; by their names."""
    for (one, first), (other, second) in combinations(meshes.items(), 2):
        if second.mesh_id in first.peers or first.mesh_id in second.peers:
            yield from no_network_is_shared(
                f"meshes.{other}.clusters", f"{one} and {other} both", first, second.networks
            )
        if first.render_to is not None and first.render_to == second.render_to:
            yield Problem(
                where=f"meshes.{other}.render_to",
                what=f"{one} is rendered to {second.render_to}, too",
                why="each would write over files of the other: their folders are called by clusters and versions",
                fix=f"meshes.{other}.render_to: {second.render_to}/{other}",
                slug="render-to",
            )
