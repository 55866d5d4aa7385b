"""What other meshes offer to this one, checked as soon as it is known."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

import pulumi

from ..rules.offers import clashing_roots, offer_problems
from ..topology.models import Topology
from ..topology.offer import Offer, read_offer
from ..topology.problems import Problem, TopologyError
from . import messages
from .arguments import RefusedTopology

Offers = pulumi.Output[dict[str, Offer]]
"""What the peers offer, by mesh ID, checked; without those whose offer is not there."""


def checked_offers(name: str, topology: Topology, peers: Mapping[str, Mapping[str, Any]]) -> Offers:
    """Return what the peers offer; those whose offer is not there are warned of.

    The program stops with `RefusedTopology`, before a root is trusted or a Service imported, with everything that is
    wrong with any offer: in a preview too, where the offers are known.
    """
    if not topology.peers:
        nothing: dict[str, Offer] = {}
        return pulumi.Output.from_input(nothing)
    given = {peer: (peers.get(peer) or {}).get("offer") for peer in topology.peers}

    def check(documents: Mapping[str, Any]) -> dict[str, Offer]:
        moment = now()
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
            problems += offer_problems(topology, peer, offer, moment)
        if problems:
            raise RefusedTopology(problems, f"Mesh {name!r}")
        for text in missing:
            messages.warn(text)
        return offers

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.from_input(cast(Any, given))
    return pulumi.Output.unsecret(known).apply(check)


def trusted_offers(name: str, topology: Topology, offers: Offers, own_roots: pulumi.Output[str]) -> Offers:
    """Return the offers once it is known that their roots can be trusted together with this mesh's own.

    The program stops with `RefusedTopology` before any of them is trusted where two roots of one name would meet.
    """
    if not topology.peers:
        return offers

    def check(known: list[Any]) -> dict[str, Offer]:
        problems = clashing_roots(topology, known[0], known[1])
        if problems:
            raise RefusedTopology(problems, f"Mesh {name!r}")
        return dict(known[1])

    return pulumi.Output.all(own_roots, offers).apply(check)


def now() -> dt.datetime:
    """Return the moment at which roots are judged."""
    return dt.datetime.now(dt.timezone.utc)


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
