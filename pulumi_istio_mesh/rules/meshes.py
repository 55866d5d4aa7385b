"""Rules between meshes that are declared together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from ..topology.models import Topology
from ..topology.problems import Problem


def meshes_problems(meshes: Mapping[str, Topology], under: str = "meshes") -> Iterator[Problem]:
    """Yield what keeps meshes apart from sharing Services, though each of them could be built; by their names."""
    for (one, first), (other, second) in combinations(meshes.items(), 2):
        if second.mesh_id not in first.peers and first.mesh_id not in second.peers:
            continue
        both = sorted(set(first.networks) & set(second.networks))
        if both:
            yield Problem(
                where=f"{under}.{other}.clusters",
                what=f"{one} and {other} both have a network called {', '.join(both)}",
                why="a network's name says whose pods can be dialled directly; across meshes none can",
                fix="give the clusters of one mesh another network",
                slug="offer-networks",
            )
