"""What other meshes offer to this one, checked as soon as it is known."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

import pulumi

from ..rules.offers import clashing_roots, offer_problems
from ..topology.models import Topology
from ..topology.offer import Offer, read_offer
from ..topology.problems import Problem, TopologyError
from .arguments import RefusedTopology


def checked_offers(
    name: str, topology: Topology, peers: Mapping[str, Mapping[str, Any]], own_roots: pulumi.Output[str]
) -> pulumi.Output[dict[str, Offer]]:
    """Return what the peers offer, by mesh ID, without those whose offer is not there; these are warned of.

    The program stops with `RefusedTopology`, before a root is trusted or a Service imported, with everything that is
    wrong with any offer. `own_roots` is PEM of the roots that this mesh trusts by itself.
    """
    if not topology.peers:
        nothing: dict[str, Offer] = {}
        return pulumi.Output.from_input(nothing)
    given = {peer: (peers.get(peer) or {}).get("offer") for peer in topology.peers}

    def check(known: list[Any]) -> dict[str, Offer]:
        roots, documents = known
        now = dt.datetime.now(dt.timezone.utc)
        problems: list[Problem] = []
        offers: dict[str, Offer] = {}
        missing: list[str] = []
        for peer, document in documents.items():
            try:
                offer = read_offer(f"peers.{peer}.offer", document, topology.mesh_id)
            except TopologyError as error:
                problems += error.problems
                continue
            if offer is None:
                missing.append(missing_text(topology, peer, elsewhere=bool(document)))
                continue
            offers[peer] = offer
            problems += offer_problems(topology, peer, offer, now)
        problems += clashing_roots(topology, roots, offers)
        if problems:
            raise RefusedTopology(problems, f"Mesh {name!r}")
        for text in missing:
            pulumi.log.warn(text)
        return offers

    # By one plain list: Output.all of no names at all would be a list anyway.
    both: Any = [own_roots, given]
    known: pulumi.Output[list[Any]] = pulumi.Output.from_input(cast(Any, both))
    return pulumi.Output.unsecret(known).apply(check)


def missing_text(topology: Topology, peer: str, *, elsewhere: bool) -> str:
    """Return what it means that a peer offers nothing; `elsewhere` says whether it offers something to others."""
    why = (
        f"it has no offer for {topology.mesh_id}: it must name {topology.mesh_id} among its own peers"
        if elsewhere
        else "its offer is not there: its stack is not up yet, or is destroyed"
    )
    imports = ", ".join(topology.peers[peer].imports)
    unanswered = f" Calls to {imports} are answered by nobody." if imports else ""
    return (
        f"peer {peer}: {why}. Until it is there and this program runs again, its roots are not trusted, and nobody of "
        f"it can call here.{unanswered}\n  see docs/federation.md#two-stacks"
    )
