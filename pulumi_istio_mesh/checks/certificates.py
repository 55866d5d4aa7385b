"""Whether all clusters trust the same roots, and sign with authorities that are valid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ..plan.expiry import WARN_DAYS
from .findings import Finding
from .seen import View


def roots(view: View) -> Iterator[Finding]:
    """All clusters give their workloads the same roots; the one that differs from the most is named."""
    known = {planned.name: _fingerprints(seen.roots) for planned, seen in view.clusters() if seen.roots}
    if len(set(known.values())) < 2:
        return
    counted = sorted(known.values(), key=lambda prints: (-list(known.values()).count(prints), sorted(prints)))
    for name, prints in known.items():
        if prints != counted[0]:
            yield Finding("roots-differ", name, f"it trusts {_told(prints)}, the others {_told(counted[0])}")


def authorities(view: View) -> Iterator[Finding]:
    """Every authority above a workload's certificate is valid, and for some weeks to come."""
    for planned, seen in view.clusters():
        if seen.proxy is None or not seen.proxy.chain:
            continue
        invalid = ""
        for number, certificate in enumerate(_loaded(seen.proxy.chain)):
            what = "a workload's certificate" if number == 0 else f"the authority {_subject(certificate)}"
            left = certificate.not_valid_after_utc - view.now
            if left < dt.timedelta():
                invalid = f"{what} ended {_at(certificate)}"
            elif certificate.not_valid_before_utc > view.now:
                invalid = f"{what} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            elif number and left < dt.timedelta(days=WARN_DAYS):
                yield Finding("certificate-expiring", planned.name, f"{what} ends {_at(certificate)}")
        if invalid:
            # The one nearest to the root: what is below it ends with it.
            yield Finding("certificate-expired", planned.name, invalid)


def issuers(view: View) -> Iterator[Finding]:
    """A workload's certificate chains to the roots that its own mesh trusts, through an authority of its primary."""
    for planned, seen in view.clusters():
        if seen.proxy is None or not seen.proxy.chain:
            continue
        chain = _loaded(seen.proxy.chain)
        if len(chain) < 2:
            yield Finding("issuer-differs", planned.name, f"{seen.proxy.pod} has a certificate without an intermediate")
        elif view.topology.trust.kind == "generated":
            localities = chain[0].issuer.get_attributes_for_oid(x509.NameOID.LOCALITY_NAME)
            signer = str(localities[0].value) if localities else "somebody else"
            if signer != planned.primary:
                what = f"{seen.proxy.pod} has a certificate signed in {signer}, not in {planned.primary}"
                yield Finding("issuer-differs", planned.name, what)


def self_signed(view: View) -> Iterator[Finding]:
    """No istiod has made an authority of its own, as one that started without Secret cacerts does."""
    for planned, seen in view.clusters():
        secrets = {secret["metadata"]["name"] for secret in seen.secrets}
        if not planned.remote and "istio-ca-secret" in secrets:
            yield Finding(
                "roots-differ", planned.name, "istiod made a root of its own: Secret istio-ca-secret is there"
            )


def _loaded(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def _fingerprints(pem: str) -> frozenset[str]:
    return frozenset(certificate.fingerprint(hashes.SHA256()).hex() for certificate in _loaded(pem))


def _told(prints: frozenset[str]) -> str:
    return ", ".join(f"{found[:16]}…" for found in sorted(prints)) or "nothing"


def _subject(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _at(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


JUDGES = (roots, authorities, issuers, self_signed)
