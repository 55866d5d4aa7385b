"""Rules about trust: which roots there are, which one signs, and that nothing is expired."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from ..topology.models import Topology
from ..topology.names import is_host_name
from ..topology.problems import Problem


def generated_trust_has_roots(topology: Topology, today: dt.date) -> Iterator[Problem]:
    """Refuse generated trust without a root, and roots where trust is not generated."""
    trust = topology.trust
    if trust.kind == "generated" and not trust.roots:
        yield Problem(
            where="trust.roots",
            what="no root is declared",
            why="certificates are a pure function of keys and plain dates, so that running again changes nothing; "
            "the first day of the root's validity must therefore stand in the topology",
            fix=f'trust: {{roots: [{{issued: "{today.isoformat()}"}}]}}',
            slug="trust-roots",
        )
    if trust.kind != "generated" and trust.roots:
        yield Problem(
            where="trust.roots",
            what=f"roots are declared, but trust.kind is {trust.kind}",
            why="roots declared here are made here",
            fix="remove trust.roots, or trust.kind",
            slug="trust-roots",
        )


def one_root_signs(topology: Topology) -> Iterator[Problem]:
    """Refuse generations of one name, and a signer that is none of them."""
    trust = topology.trust
    names = [root.name for root in trust.roots]
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(
                where="trust.roots",
                what=f"{count} roots are called {name}",
                why="a generation's name is the identity of its key, and part of its common name",
                fix="give each its own: generation: b",
                slug="trust-roots",
            )
    if len(names) > 1 and trust.signer is None:
        yield Problem(
            where="trust.signer",
            what=f"there are {len(names)} roots ({', '.join(names)}) and none of them is said to sign",
            why="every root is trusted, one of them signs the clusters' intermediates",
            fix=f'signer: "{names[0]}"',
            slug="trust-signer",
        )
    if trust.signer is not None and trust.signer not in names:
        yield Problem(
            where="trust.signer",
            what=f"{trust.signer!r} is not one of the roots ({', '.join(names) or 'there are none'})",
            why="the signer is the root whose key signs the clusters' intermediates",
            fix=f'signer: "{names[0]}"' if names else "remove trust.signer",
            slug="trust-signer",
        )


def roots_vouch_for_the_mesh(topology: Topology) -> Iterator[Problem]:
    """Refuse a root whose name constraints are no host names, or shut out the mesh's own identities."""
    for index, root in enumerate(topology.trust.roots):
        for domain in root.trust_domains:
            if not is_host_name(domain):
                yield Problem(
                    where=f"trust.roots.{index}.trust_domains",
                    what=f"{domain!r} is not a lower-case host name",
                    why="certificate name constraints match host names only",
                    fix=f"trust_domains: [{topology.identity_domain}]",
                    slug="trust-domain",
                )
        signs = len(topology.trust.roots) == 1 or root.name == topology.trust.signer
        vouches = root.trust_domains or (topology.identity_domain,)
        missing = [domain for domain in topology.identity_domains if domain not in vouches]
        if signs and missing:
            all_of_them = ", ".join([*vouches, *missing])
            yield Problem(
                where=f"trust.roots.{index}.trust_domains",
                what=f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not among those it vouches for "
                f"({', '.join(vouches)})",
                why="the name constraints of the root that signs would refuse identities of this mesh; where that root "
                "is in use already, say so of another generation beside it",
                fix=f"trust_domains: [{all_of_them}]",
                slug="trust-domain",
            )


def aliases_are_domains_of_before(topology: Topology) -> Iterator[Problem]:
    """Refuse an alias that is no host name, the mesh's own trust domain, or a peer's."""
    peers = {domain: name for name, peer in topology.peers.items() for domain in peer.identity_domains(name)}
    for index, domain in enumerate(topology.trust_domain_aliases):
        if not is_host_name(domain):
            what = f"{domain!r} is not a lower-case host name"
        elif domain == topology.identity_domain or domain in topology.trust_domain_aliases[:index]:
            what = f"{domain} counts as the mesh's own already"
        elif domain in peers:
            what = f"{domain} is the trust domain of the mesh {peers[domain]}"
        else:
            continue
        yield Problem(
            where=f"trust_domain_aliases.{index}",
            what=what,
            why="identities of an alias count as those of the mesh itself, in every policy; it is meant for a trust "
            "domain that the mesh had before, while workloads that run still carry it",
            fix=f"remove {domain!r} from trust_domain_aliases; another mesh is known by peers",
            slug="trust-domain-alias",
        )


def dates_are_valid(topology: Topology, today: dt.date) -> Iterator[Problem]:
    """Refuse certificates that are expired, or not valid yet, on this day (UTC)."""
    trust = topology.trust
    signing = [root for root in trust.roots if len(trust.roots) == 1 or root.name == trust.signer]
    for index, root in enumerate(trust.roots):
        where, what = f"trust.roots.{index}.issued", f"root {root.name}"
        yield from _date_problems(where, what, root.issued, root.days, today, _way_out(root in signing, today))
    for root in signing[:1]:
        issued, where = trust.intermediates.issued or root.issued, "trust.intermediates"
        if trust.intermediates.issued is not None or issued <= today:
            # Otherwise it is the root that is from the future, and that is said above.
            what, days, fix = "the clusters' intermediates", trust.intermediates.days, _of(today)
            yield from _date_problems(f"{where}.issued", what, issued, days, today, fix)
        if issued < root.issued:
            yield Problem(
                where=f"{where}.issued",
                what=f"{issued} is before the signing root {root.name} was issued ({root.issued})",
                why="a certificate is valid only while the one that signed it is",
                fix=_of(today),
                slug="trust-date",
            )


def _of(today: dt.date) -> str:
    return f'issued: "{today.isoformat()}"'


def _way_out(signs: bool, today: dt.date) -> str:
    """Return what to do about a root that has expired: nobody takes what it vouches for, so no order is to be kept."""
    if not signs:
        return "remove it from trust.roots"
    return f"put one of today in its place, roots: [{{{_of(today)}}}] (docs/operations.md#a-root-that-has-expired)"


def _date_problems(
    where: str, what: str, issued: dt.date, days: int, today: dt.date, way_out: str
) -> Iterator[Problem]:
    expires = issued + dt.timedelta(days=days)
    if issued > today:
        finding, fix = f"{what} would be valid from {issued}, and today is {today} (UTC)", _of(today)
    elif expires <= today:
        finding, fix = f"{what} expired on {expires}, and today is {today} (UTC)", way_out
    else:
        return
    yield Problem(
        where=where,
        what=finding,
        why="a proxy refuses every connection while a certificate of the chain is not valid",
        fix=fix,
        slug="trust-date",
    )


RULES = (one_root_signs, roots_vouch_for_the_mesh, aliases_are_domains_of_before)
DATED_RULES = (generated_trust_has_roots, dates_are_valid)
