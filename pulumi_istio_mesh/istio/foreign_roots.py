"""What is wrong with roots of another mesh, before proxies of this one trust them.

A proxy puts all roots that it trusts into one store and binds none of them to a trust domain: an authority below any of
them can vouch for any identity, this mesh's own included. What ends that are name constraints: a root that is
permitted the URIs of its own trust domain can't vouch for another's, and every proxy checks it on each connection.
Source: istio/istio pilot/pkg/xds/pcds.go; RFC 5280, 4.2.1.10.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from cryptography import x509

from ..topology.problems import Problem
from .certificate_facts import (
    called,
    flaws,
    in_utc,
    of_one_name,
    read_certificates,
    short_fingerprint,
    trust_domains,
)


def foreign_root_problems(
    where: str,
    pem: str,
    *,
    trust_domains: Sequence[str],
    others: Sequence[str],
    accepted: bool,
    now: dt.datetime,
) -> list[Problem]:
    """Return what keeps a peer's roots from being trusted.

    `trust_domains` are the peer's, as this mesh names them, and `others` those of this mesh and of its other peers. A
    root may vouch for the peer's and for nothing else, unless `accepted`.
    """
    roots = read_certificates(pem)
    if not roots:
        return [_problem(where, "it holds no X.509 certificates that can be read")]
    return [
        problem
        for root in roots
        for problem in (
            *_usable(where, root, trust_domains, now),
            *(() if accepted else _unconstrained(where, root, trust_domains, others)),
        )
    ]


def _usable(where: str, root: x509.Certificate, domains: Sequence[str], now: dt.datetime) -> Iterator[Problem]:
    for flaw in flaws(root):
        yield _problem(where, flaw.what, f"have the peer issue it {flaw.fix}, and give the offer that it makes then")
    if root.not_valid_before_utc > now:
        yield _problem(where, f"{called(root)} begins at {in_utc(root.not_valid_before_utc)}, and now is {in_utc(now)}")
    if root.not_valid_after_utc <= now:
        yield _problem(where, f"{called(root)} ended at {in_utc(root.not_valid_after_utc)}")
    if not any(trust_domains(root).include(domain) for domain in domains):
        yield _problem(where, f"{called(root)} may not vouch for {' or '.join(domains)}")


def _unconstrained(
    where: str, root: x509.Certificate, domains: Sequence[str], others: Sequence[str]
) -> Iterator[Problem]:
    allowed = trust_domains(root)
    victims = [other for other in others if allowed.include(other)]
    # What is excluded below them doesn't count: it takes one forgotten name to be somebody.
    strangers = [host for host in allowed.permitted if host.lower() not in domains]
    vouches = any(allowed.include(domain) for domain in domains)
    if not allowed.permitted:
        what = f"{called(root)} may vouch for any trust domain"
    elif victims:
        what = f"{called(root)} may vouch for {', '.join(victims)}"
    elif strangers and vouches:
        what = f"{called(root)} may vouch for {', '.join(map(repr, strangers))}, no trust domain of this peer"
    elif not allowed.critical:
        what = f"the name constraints of {called(root)} are not critical, so they may be passed over"
    else:
        return
    peer = where.rpartition(".offer")[0]
    own = ",".join(f"permitted;URI:{domain}" for domain in domains)
    yield Problem(
        where=where,
        what=what,
        why="trust is flat: whoever holds that authority could take any identity that it may vouch for, in this mesh",
        fix=f"have the peer issue a root with nameConstraints=critical,{own}; where it is about to have another trust "
        f"domain, {peer}.trust_domain_aliases: [<that one>]; or, if its owners are trusted like your own, "
        f'{peer}.accept: ["unconstrained-roots"]',
        slug="foreign-roots-unconstrained",
    )


def same_name_problems(own: str, foreign: Mapping[str, tuple[str, str]]) -> Iterator[Problem]:
    """Find roots of one name and different keys among those that a proxy would trust.

    `own` is PEM of this mesh's roots, `foreign` holds where a peer's roots stand, and their PEM, by peer.
    """
    places = {peer: where for peer, (where, _) in foreign.items()}
    mine = [("this mesh", root) for root in read_certificates(own)]
    theirs = [(peer, root) for peer, (_, pem) in foreign.items() for root in read_certificates(pem)]
    for peer, root, owner, other in of_one_name([*mine, *theirs]):
        if peer in places:
            yield Problem(
                where=places[peer],
                what=f"{called(root)} is the name of a root of {owner} too: SHA-256 {short_fingerprint(root)} here and "
                f"{short_fingerprint(other)} there",
                why="Envoy picks an issuer by its name, so two roots of one name break all mTLS, even inside one mesh",
                fix="have one of the meshes issue a root of another name; or, where every intermediate names its "
                f'issuer\'s key, {places[peer].rpartition(".offer")[0]}.accept: ["same-root-names"]',
                slug="foreign-roots-same-name",
            )


def _problem(
    where: str, what: str, fix: str = "run the peer's program again, and give the offer that it makes"
) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="callers and services of both meshes accept each other by these roots",
        fix=fix,
        slug="foreign-roots",
    )
