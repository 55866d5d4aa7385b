"""What is wrong with certificate authorities that a user brings, as a pure function of their PEM.

istiod doesn't start, or workloads refuse each other much later, where any of this is wrong (istio/istio
security/pkg/pki/util/keycertbundle.go). No text here repeats PEM or a parser's words: a key may stand in any field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ..topology.problems import Problem
from .certificate_facts import (
    all_called,
    called,
    covers,
    flaws,
    in_utc,
    is_authority,
    may_sign,
    of_one_name,
    path_length,
    public_key,
    read_certificates,
    short_fingerprint,
    spki,
    trust_domains,
    weak_digest,
)

_SKEW = dt.timedelta(minutes=5)
"""How far clocks of clusters may differ: a certificate younger than this is from the future somewhere."""
_LONGEST_PATH = 8
_FILES = {
    "ca_cert": "ca-cert.pem",
    "ca_key": "ca-key.pem",
    "cert_chain": "cert-chain.pem",
    "root_cert": "root-cert.pem",
}
_CHAIN_FIX = "cat ca-cert.pem intermediates.pem root-cert.pem > cert-chain.pem, from the issuer of ca_cert upwards"


def given_problems(
    where: str, *, ca_cert: str, ca_key: str, root_cert: str, cert_chain: str, now: dt.datetime, trust_domain: str
) -> list[Problem]:
    """Return everything that keeps one cluster's authority from signing workloads of `trust_domain` at `now`."""
    found: list[Problem] = []
    own = _certificates(f"{where}.ca_cert", ca_cert, found)
    key = _public_half(f"{where}.ca_key", ca_key, found)
    chain = _certificates(f"{where}.cert_chain", cert_chain, found)
    roots = _certificates(f"{where}.root_cert", root_cert, found)
    path: list[x509.Certificate] = []
    if own:
        found += [*_flaw_problems(f"{where}.ca_cert", own[0]), *_usage_problems(where, own[0])]
        if key and key != public_key(own[0]):
            found.append(
                _problem(
                    f"{where}.ca_key",
                    f"is not the key of ca_cert {called(own[0])}",
                    "istiod signs with ca_key in the name of ca_cert, and does not start when they don't match",
                    "openssl pkey -in ca-key.pem -pubout | diff - <(openssl x509 -in ca-cert.pem -pubkey -noout)"
                    " prints nothing for a pair",
                )
            )
        path = [own[0]]
    if own and chain and chain[0] != own[0]:
        found.append(
            _problem(
                f"{where}.cert_chain",
                f"begins with {called(chain[0])}, not with ca_cert {called(own[0])}",
                "a workload sends its certificate followed by cert_chain, so its issuer ca_cert comes first",
                _CHAIN_FIX,
            )
        )
    if own and chain and roots:
        path = _path(own[0], chain, roots) or path
        if path[-1] not in roots:
            found.append(_no_path(where, own[0], roots))
        found += _path_length_problems(where, path, own[0], roots)
    for certificate in dict.fromkeys([*path, *roots]):
        field = f"{where}.{_field(certificate, own[:1], roots)}"
        found += _flaw_problems(field, certificate) if certificate not in own[:1] else ()
        found += _date_problems(field, certificate, now)
        if certificate not in roots:
            # A root is trusted as it stands: nobody verifies its own signature.
            found += _digest_problems(field, certificate)
    for certificate in path:
        found += _domain_problems(f"{where}.{_field(certificate, own[:1], roots)}", certificate, trust_domain)
    return found


def bundle_problems(bundles: Mapping[str, str]) -> list[Problem]:
    """Return what keeps clusters from trusting each other by their `root_cert` bundles, given by cluster."""
    found: list[Problem] = []
    places = {cluster: f"clusters.{cluster}.cacerts.root_cert" for cluster in bundles}
    roots = {cluster: _certificates(places[cluster], pem, found) for cluster, pem in bundles.items()}
    found += _one_name_problems(places, roots)
    anchors = {cluster: {(c.subject, public_key(c)) for c in held} for cluster, held in roots.items() if held}
    clusters = list(anchors)
    for index, cluster in enumerate(clusters):
        strangers = [other for other in clusters[:index] if not anchors[cluster] & anchors[other]]
        if strangers:
            theirs = "; ".join(f"{other} trusts {all_called(roots[other])}" for other in strangers)
            found.append(
                _problem(
                    places[cluster],
                    f"shares no root with {', '.join(strangers)}: {cluster} trusts {all_called(roots[cluster])};"
                    f" {theirs}",
                    "workloads of two clusters accept each other only under a root that both trust",
                    "sign every cluster's ca_cert by one root, or give every cluster all roots:"
                    " cat root-one.pem root-two.pem > root-cert.pem",
                )
            )
    return found


def _one_name_problems(places: Mapping[str, str], roots: Mapping[str, Sequence[x509.Certificate]]) -> Iterator[Problem]:
    """Find two roots of one name and two keys, wherever they stand: peers' bundles meet in one proxy."""
    seen: set[tuple[x509.Name, bytes]] = set()
    all_of_them = ((places[cluster], root) for cluster, held in roots.items() for root in held)
    for where, root, elsewhere, other in of_one_name(all_of_them):
        if (root.subject, public_key(root)) in seen:
            continue
        seen.add((root.subject, public_key(root)))
        yield _problem(
            where,
            f"two different roots are called {called(root)}: SHA-256 {short_fingerprint(root)} here and"
            f" {short_fingerprint(other)} in {elsewhere}",
            "Envoy picks an issuer by its name, so two roots of one name break all mTLS, even inside one cluster",
            "openssl req -x509 -new -key root-key.pem -subj '/O=prod/CN=prod root 2' -days 3650 makes a root of a"
            " name of its own",
        )


def _certificates(where: str, pem: str, found: list[Problem]) -> list[x509.Certificate]:
    """Return the certificates of a field, none with a problem when they can't be read."""
    if "PRIVATE KEY" in pem:
        file = _FILES[where.rpartition(".")[2]]
        found.append(
            _problem(
                where,
                "holds a private key, where only certificates belong",
                "certificates are public: workloads and outputs show them",
                f"openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs prints the certificates alone",
            )
        )
        return []
    certificates = read_certificates(pem)
    if not certificates:
        file = _FILES[where.rpartition(".")[2]]
        found.append(
            _problem(
                where,
                "is not PEM of X.509 certificates that can be read",
                "istiod reads -----BEGIN CERTIFICATE----- blocks and nothing else",
                f"openssl x509 -in {file} -noout -text reads it; DER becomes PEM by openssl x509 -inform DER",
            )
        )
    return certificates


def _public_half(where: str, pem: str, found: list[Problem]) -> bytes | None:
    """Return what tells whose key this is; nothing with a problem when istiod can't sign with it."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
            return spki(key.public_key())
        what = "is neither an ECDSA nor an RSA key"
    except TypeError:
        what = "is a private key that needs a password"
    except (ValueError, UnsupportedAlgorithm):
        what = "is not a private key in PEM that can be read without a password"
    found.append(
        _problem(
            where,
            what,
            "istiod signs with an ECDSA or RSA key in PEM, and knows no password",
            "openssl pkey -in ca-key.pem -out ca-key.pem.new writes the key without a password",
        )
    )
    return None


def _flaw_problems(where: str, certificate: x509.Certificate) -> Iterator[Problem]:
    for flaw in flaws(certificate):
        yield _problem(where, flaw.what, _COUNTS, f"issue it {flaw.fix}, in the file of openssl x509 -req -extfile")


_COUNTS = "every workload's certificate rests on it, and only an authority's signature counts"


def _usage_problems(where: str, own: x509.Certificate) -> Iterator[Problem]:
    """Refuse an authority that doesn't say what its key is for: istiod asks it of the one that it signs with."""
    if may_sign(own, absent=True) and not may_sign(own, absent=False):
        what = f"{called(own)} does not say that it may sign certificates (keyCertSign)"
        yield _problem(f"{where}.ca_cert", what, _COUNTS, "issue it with keyUsage=critical,keyCertSign,cRLSign")


def _path(
    own: x509.Certificate, chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate] | None:
    """Return the certificates from `own` to a root, or nothing; each is tried once, so that loops end."""
    tried = {own}
    paths = [[own]]
    while paths:
        path = paths.pop(0)
        if path[-1] in roots:
            return path
        for issuer in [*roots, *chain]:
            if len(path) < _LONGEST_PATH and issuer not in tried and _issued(issuer, path[-1]):
                tried.add(issuer)
                paths.append([*path, issuer])
    return None


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject or not is_authority(issuer) or not may_sign(issuer, absent=True):
        return False
    if weak_digest(certificate):
        # Told as such: the library can't verify it, and a chain that seems to be missing would mislead.
        return True
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _no_path(where: str, own: x509.Certificate, roots: Sequence[x509.Certificate]) -> Problem:
    return _problem(
        f"{where}.ca_cert",
        f"{called(own)} does not chain to a root: {own.issuer.rfc4514_string()!r} is to have issued it, and root_cert"
        f" holds {all_called(roots)}",
        "workloads accept a certificate only where every signature from it up to a root_cert is there and is valid",
        "openssl verify -CAfile root-cert.pem -untrusted cert-chain.pem ca-cert.pem names the step that is missing",
    )


def _path_length_problems(
    where: str, path: Sequence[x509.Certificate], own: x509.Certificate, roots: Sequence[x509.Certificate]
) -> Iterator[Problem]:
    for below, certificate in enumerate(path):
        limit = path_length(certificate)
        if limit is not None and below > limit:
            yield _problem(
                f"{where}.{_field(certificate, [own], roots)}",
                f"{called(certificate)} allows {limit} authorities below it, and has {below} down to {called(own)}",
                "a path longer than an authority allows (pathlen) is refused by every peer",
                "have ca_cert issued by an authority with basicConstraints=critical,CA:TRUE and no pathlen;"
                " openssl x509 -noout -ext basicConstraints shows it",
            )


def _date_problems(where: str, certificate: x509.Certificate, now: dt.datetime) -> Iterator[Problem]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    fix = f"openssl x509 -in {_FILES[where.rpartition('.')[2]]} -noout -dates shows the dates; "
    if begins > now - _SKEW:
        yield _problem(
            where,
            f"{called(certificate)} begins at {in_utc(begins)}, and now is {in_utc(now)}",
            "clocks differ: a certificate younger than 5 minutes is from the future for some peers",
            fix + "wait until 5 minutes after it begins",
        )
    if ends <= now:
        yield _problem(
            where,
            f"{called(certificate)} ended at {in_utc(ends)}, and now is {in_utc(now)}",
            "nobody accepts what an expired authority vouches for",
            fix + "give one that is still valid",
        )


def _digest_problems(where: str, certificate: x509.Certificate) -> Iterator[Problem]:
    weak = weak_digest(certificate)
    if weak:
        yield _problem(
            where,
            f"{called(certificate)} is signed by way of {weak}",
            "Go, and with it istiod, and Envoy refuse signatures that can be forged",
            "issue it anew with openssl x509 -req -sha256",
        )


def _domain_problems(where: str, certificate: x509.Certificate, trust_domain: str) -> Iterator[Problem]:
    allowed = trust_domains(certificate)
    permitted, excluded = allowed.permitted, allowed.excluded
    why = "every workload is spiffe://<trust domain>/..., and a name constraint is checked on each connection"
    fix = f"issue it with nameConstraints=critical,permitted;URI:{trust_domain}, or set trust_domain to what it permits"
    if permitted and not any(covers(host, trust_domain) for host in permitted):
        yield _problem(
            where, f"{called(certificate)} vouches for {', '.join(permitted)} only, not for {trust_domain}", why, fix
        )
    for host in excluded:
        if covers(host, trust_domain):
            yield _problem(where, f"{called(certificate)} excludes {host}, and with it {trust_domain}", why, fix)


def _field(certificate: x509.Certificate, own: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> str:
    return "ca_cert" if certificate in own else "root_cert" if certificate in roots else "cert_chain"


def _problem(where: str, what: str, why: str, fix: str) -> Problem:
    return Problem(where, what, why, fix, "trust-given")
