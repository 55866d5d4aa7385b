"""Rules about a mesh whose objects are written as files: what only a live cluster knows must be given, or left out."""

from __future__ import annotations

from collections.abc import Iterator

from ..topology.models import Topology
from ..topology.problems import Problem


def files_can_hold_it(topology: Topology) -> Iterator[Problem]:
    """Refuse what is done in live clusters only, of a mesh that is rendered."""
    if topology.render_to is None:
        return
    asked: list[tuple[str, bool, str]] = [
        ("install", topology.install == "release", "Helm makes its releases in a cluster"),
        ("waves", bool(topology.waves), "whoever applies the files decides on their order"),
        ("evicted", bool(topology.evicted), "nobody talks to any cluster of it; one that is dead leaves the list"),
        *(
            (f"clusters.{name}.control_plane", True, "what is there already must be looked at, and nobody looks")
            for name in topology.joining
        ),
        *(
            (f"clusters.{name}.gke", cluster.gke is not None, "a cluster that is made here is known too late")
            for name, cluster in topology.clusters.items()
        ),
    ]
    for where, given, why in asked:
        if given:
            yield Problem(
                where=where,
                what=f"it is given, and the mesh is rendered to {topology.render_to}",
                why=why,
                fix=f"remove {where}, or render_to",
                slug="render-to",
            )


def addresses_are_given(topology: Topology) -> Iterator[Problem]:
    """Refuse a rendered mesh without the addresses that objects in other clusters hold."""
    if topology.render_to is None:
        return
    for name, cluster in topology.clusters.items():
        remotes, gateway = topology.remotes_of(name), topology.has_gateway(name)
        service = "east_west_gateway" if gateway else "istiod_service"
        dialled = cluster.east_west_gateway if gateway else cluster.istiod_service
        federation = cluster.federation_gateway.address
        needed = [
            (
                f"clusters.{name}.api_server",
                bool(topology.watchers_of(name)),
                cluster.api_server,
                "remote secrets",
                "URL",
            ),
            (f"clusters.{name}.{service}.address", bool(remotes), dialled.address, "its remotes", "IP address"),
            (
                f"clusters.{name}.federation_gateway.address",
                topology.has_federation_gateway(name),
                federation,
                "what other meshes are offered",
                "IP address",
            ),
        ]
        for where, wanted, given, holder, kind in needed:
            if wanted and given is None:
                yield Problem(
                    where=where,
                    what=f"it is not given, and {holder} must hold it",
                    why=f"the mesh is rendered to {topology.render_to}, and no cluster is there to be asked for it",
                    fix=f"set {where} to the {kind} that other clusters dial",
                    slug="render-to",
                )


RULES = (files_can_hold_it, addresses_are_given)
