"""What a certificate says of itself, read from PEM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_MALFORMED = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class TrustDomains:
    """The hosts of the URIs that an authority may vouch for, by its name constraints (RFC 5280, 4.2.1.10)."""

    permitted: tuple[str, ...]
    """Empty where it says nothing of URIs: then it may vouch for any."""
    excluded: tuple[str, ...]
    critical: bool

    def include(self, trust_domain: str) -> bool:
        """Tell whether identities of this trust domain are allowed."""
        named = not self.permitted or any(covers(host, trust_domain) for host in self.permitted)
        return named and not any(covers(host, trust_domain) for host in self.excluded)


def trust_domains(certificate: x509.Certificate) -> TrustDomains:
    """Return which trust domains its name constraints leave it."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return TrustDomains((), (), critical=False)
    constraints = extension.value
    hosts = [
        tuple(name.value for name in subtrees or () if isinstance(name, x509.UniformResourceIdentifier))
        for subtrees in (constraints.permitted_subtrees, constraints.excluded_subtrees)
    ]
    return TrustDomains(hosts[0], hosts[1], extension.critical)


def read_certificates(pem: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM bundle; none where any of them can't be read."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        for certificate in certificates:
            # The library reads these late, and each can be malformed.
            _ = certificate.extensions, certificate.subject, certificate.issuer, public_key(certificate)
    except (ValueError, TypeError, UnsupportedAlgorithm, *_MALFORMED):
        return []
    return certificates


def pem_blocks(pem: str) -> list[str]:
    """Return each certificate of a PEM bundle as PEM of its own."""
    return [found.public_bytes(serialization.Encoding.PEM).decode() for found in read_certificates(pem)]


def called(certificate: x509.Certificate) -> str:
    """Return the subject, in quotes."""
    return repr(certificate.subject.rfc4514_string())


def all_called(certificates: Sequence[x509.Certificate]) -> str:
    """Return the subjects of several."""
    return ", ".join(called(certificate) for certificate in certificates)


def short_fingerprint(certificate: x509.Certificate) -> str:
    """Return the beginning of its SHA-256, enough to tell two apart."""
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def in_utc(moment: dt.datetime) -> str:
    """Return a moment as it is told."""
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether it may issue others (CA:TRUE)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def path_length(certificate: x509.Certificate) -> int | None:
    """Return how many authorities may stand below it; None where it doesn't say."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    except x509.ExtensionNotFound:
        return None


def may_sign(certificate: x509.Certificate, *, absent: bool) -> bool:
    """Tell whether the key usage allows it to sign certificates; `absent` answers where it says nothing."""
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return absent


def public_key(certificate: x509.Certificate) -> bytes:
    """Return what tells whose key it certifies."""
    return spki(certificate.public_key())


def spki(key: CertificatePublicKeyTypes) -> bytes:
    """Return a public key in its one binary form."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def covers(constraint: str, host: str) -> bool:
    """Tell whether a URI constraint means this host: `.suffix` any host below, else that host alone (RFC 5280)."""
    constraint, host = constraint.lower(), host.lower()
    return host.endswith(constraint) and host != constraint if constraint.startswith(".") else host == constraint


def of_one_name(
    certificates: Iterable[tuple[str, x509.Certificate]],
) -> Iterator[tuple[str, x509.Certificate, str, x509.Certificate]]:
    """Yield each certificate whose name another key had before, with whose it is, and the first of the name."""
    first: dict[x509.Name, tuple[str, x509.Certificate]] = {}
    for whose, certificate in certificates:
        owner, other = first.setdefault(certificate.subject, (whose, certificate))
        if public_key(certificate) != public_key(other):
            yield whose, certificate, owner, other


def weak_digest(certificate: x509.Certificate) -> str | None:
    """Return the digest that its signature rests on, where that can be forged."""
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return digest.name.upper() if isinstance(digest, (hashes.SHA1, hashes.MD5)) else None
