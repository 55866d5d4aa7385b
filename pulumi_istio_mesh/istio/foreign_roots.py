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
    in_utc,
    is_authority,
    of_one_name,
    read_certificates,
    short_fingerprint,
    trust_domains,
)


def foreign_root_problems(
    where: str,
    pem: str,
    *,
    trust_domain: str,
    others: Sequence[str],
    accepted: bool,
    now: dt.datetime,
) -> list[Problem]:
    """Return what keeps a peer's roots from being trusted.

    `trust_domain` is the peer's, `others` are those of this mesh and of its other peers; `accepted` lets roots through
    that may vouch for these.
    """
    roots = read_certificates(pem)
    if not roots:
        return [_problem(where, "it holds no X.509 certificates that can be read")]
    return [
        problem
        for root in roots
        for problem in (
            *_usable(where, root, trust_domain, now),
            *(() if accepted else _unconstrained(where, root, trust_domain, others)),
        )
    ]


def _usable(where: str, root: x509.Certificate, trust_domain: str, now: dt.datetime) -> Iterator[Problem]:
    if not is_authority(root):
        yield _problem(where, f"{called(root)} is not a certificate authority (CA:TRUE)")
    if root.not_valid_after_utc <= now:
        yield _problem(where, f"{called(root)} ended at {in_utc(root.not_valid_after_utc)}")
    if not trust_domains(root).include(trust_domain):
        yield _problem(where, f"{called(root)} may not vouch for {trust_domain}")


def _unconstrained(where: str, root: x509.Certificate, trust_domain: str, others: Sequence[str]) -> Iterator[Problem]:
    allowed = trust_domains(root)
    victims = [other for other in others if allowed.include(other)]
    if allowed.permitted and allowed.critical and not victims:
        return
    if not allowed.permitted:
        what = f"{called(root)} may vouch for any trust domain"
    elif victims:
        what = f"{called(root)} may vouch for {', '.join(victims)}"
    else:
        what = f"the name constraints of {called(root)} are not critical, so they may be passed over"
    yield Problem(
        where=where,
        what=what,
        why="trust is flat: whoever holds that authority could take any identity of this mesh",
        fix=f"have the peer issue a root with nameConstraints=critical,permitted;URI:{trust_domain}; or, if its owners "
        f'are trusted like your own, {where.rpartition(".offer")[0]}.accept: ["unconstrained-roots"]',
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


def _problem(where: str, what: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="callers and services of both meshes accept each other by these roots",
        fix="run the peer's program again, and give the offer that it makes",
        slug="foreign-roots",
    )
