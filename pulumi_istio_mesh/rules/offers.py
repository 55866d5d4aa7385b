"""Rules about what another mesh offers, judged when the offer arrives: in a preview where it is known by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from ..istio.certificate_facts import read_certificates, trust_domains
from ..istio.foreign_roots import foreign_root_problems, same_name_problems
from ..topology.models import Topology
from ..topology.names import is_dialled_name, is_host_name, is_ip_address, is_out_of_reach
from ..topology.offer import Offer, identity
from ..topology.problems import Problem, near
from .networks import no_network_is_shared


def offer_problems(topology: Topology, peer: str, offer: Offer, now: dt.datetime) -> list[Problem]:
    """Return everything that keeps a mesh from taking this offer for its peer's, except where two roots clash."""
    return [
        *_sender_problems(topology, peer, offer),
        *no_network_is_shared(f"peers.{peer}.offer.networks", "both meshes", topology, offer.networks),
        *_root_problems(topology, peer, offer, now),
        *_import_problems(topology, peer, offer),
        *_gateway_problems(topology, peer, offer),
    ]


def clashing_roots(topology: Topology, own_roots: str, offers: Mapping[str, Offer]) -> list[Problem]:
    """Return where roots can't be trusted together: two of one name, and one of this mesh for a peer's trust domain."""
    foreign = {
        peer: (f"peers.{peer}.offer.roots", offer.roots)
        for peer, offer in offers.items()
        if "same-root-names" not in topology.peers[peer].accept
    }
    return [*same_name_problems(own_roots, foreign), *_own_vouching(topology, own_roots, offers)]


def _own_vouching(topology: Topology, own_roots: str, offers: Iterable[str]) -> Iterator[Problem]:
    """Find a trust domain of a peer that this mesh's own roots are issued for, as those that are given may be."""
    permitted = {host.lower() for root in read_certificates(own_roots) for host in trust_domains(root).permitted}
    for peer in offers:
        for domain in topology.peers[peer].identity_domains(peer):
            if domain in permitted:
                yield Problem(
                    where=f"peers.{peer}.trust_domain",
                    what=f"a root of this mesh is issued for {domain}, the trust domain of {peer}",
                    why="an identity must say which mesh it is of: with that root this mesh has it, too",
                    fix="issue a root with nameConstraints=critical,"
                    + ",".join(f"permitted;URI:{own}" for own in topology.identity_domains),
                    slug="peer-trust-domain",
                )


def _sender_problems(topology: Topology, peer: str, offer: Offer) -> Iterator[Problem]:
    where = f"peers.{peer}"
    domains = topology.peers[peer].identity_domains(peer)
    for key, says, known in (("mesh_id", offer.mesh_id, (peer,)), ("trust_domain", offer.trust_domain, domains)):
        if says not in known:
            yield Problem(
                where=f"{where}.offer.{key}",
                what=f"the offer says {key} {says}, and peers.{peer} stands for {' and '.join(known)}",
                why="who a caller is, and who answers, is told by these names; a change of them must be a change here",
                fix=f"{where}.trust_domain: {says}" if key == "trust_domain" else f"give the offer of {peer}",
                slug="offer-mesh",
            )


def _root_problems(topology: Topology, peer: str, offer: Offer, now: dt.datetime) -> list[Problem]:
    others = [*topology.own_domains]
    for name, known in topology.peers.items():
        others += known.identity_domains(name) if name != peer else ()
    return foreign_root_problems(
        f"peers.{peer}.offer.roots",
        offer.roots,
        trust_domains=topology.peers[peer].identity_domains(peer),
        others=others,
        accepted="unconstrained-roots" in topology.peers[peer].accept,
        now=now,
    )


def _import_problems(topology: Topology, peer: str, offer: Offer) -> Iterator[Problem]:
    for service, declared in topology.peers[peer].imports.items():
        where, offered = f"peers.{peer}.imports.{service}", offer.services.get(service)
        if offered is None:
            yield Problem(
                where=where,
                what=f"{peer} does not offer {service} to {topology.mesh_id}, but {_listed(offer.services)}"
                + near(service, offer.services),
                why="a Service can be called from another mesh once its own mesh exports it and names callers there",
                fix=f"in {peer}: exports: {{{service}: {{..., callers: {{{topology.mesh_id}: [...]}}}}}}; or remove it",
                slug="not-offered",
            )
            continue
        for name, number in declared.ports.items():
            if offered.ports.get(name) != number:
                ports = ", ".join(f"{known}: {value}" for known, value in offered.ports.items())
                yield Problem(
                    where=f"{where}.ports.{name}",
                    what=f"{peer} does not offer port {name}: {number} of {service}, but {ports}"
                    + near(name, offered.ports),
                    why="the SNI by which its gateway passes calls on holds the port's number",
                    fix=f"ports: {{{ports}}}",
                    slug="not-offered",
                )
        # That the offer's own is another one is said above.
        domains = tuple(dict.fromkeys((*topology.peers[peer].identity_domains(peer), offer.trust_domain)))
        anybody = tuple(identity(domain, service, "") for domain in domains)
        for answering in offered.identities:
            if not answering.startswith(anybody):
                yield Problem(
                    where=f"peers.{peer}.offer.services.{service}.identities",
                    what=f"{answering} is no identity of the Service's own namespace in {' or '.join(domains)}",
                    why="the workloads behind a Service run in its namespace, and callers accept nobody else",
                    fix=f"give the offer that {peer}'s program makes",
                    slug="offer-mesh",
                )


def _gateway_problems(topology: Topology, peer: str, offer: Offer) -> Iterator[Problem]:
    if topology.peers[peer].imports and offer.services and not offer.gateways:
        yield _gateway_problem(f"peers.{peer}.offer.gateways", f"{peer} has no federation gateway", peer)
    for cluster, gateway in offer.gateways.items():
        address = gateway.address
        if not is_ip_address(address) and not is_host_name(address):
            finding = f"{address!r} is neither an IP address nor a host name"
        elif is_out_of_reach(address) or not (is_ip_address(address) or is_dialled_name(address)):
            finding = f"{address} is no address that another network can dial"
        else:
            continue
        yield _gateway_problem(f"peers.{peer}.offer.gateways.{cluster}.address", finding, peer)


def _gateway_problem(where: str, what: str, peer: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="the proxies of this mesh dial it",
        fix=f"in {peer}: see to an address of its federation gateways, and give the offer that its program makes then",
        slug="offer-gateways",
    )


def _listed(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "nothing"
