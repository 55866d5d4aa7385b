"""What a certificate says of itself, read from PEM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import PublicKeyAlgorithmOID

from ..topology.names import is_host_name

_MALFORMED = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class TrustDomains:
    """The hosts of the URIs that an authority may vouch for, by its name constraints (RFC 5280, 4.2.1.10)."""

    permitted: tuple[str, ...]
    """Empty where it says nothing of URIs: then it may vouch for any."""
    excluded: tuple[str, ...]
    critical: bool

    @property
    def unclear(self) -> tuple[str, ...]:
        """Those that are no host names, with a dot before them or without: each program makes something else of them.

        Go takes an empty host for any, and can't read a root that names `.` or `x.`; openssl refuses all of these.
        """
        hosts = (*self.permitted, *self.excluded)
        return tuple(host for host in hosts if not _is_host(host.removeprefix(".")))

    def include(self, trust_domain: str) -> bool:
        """Tell whether identities of this trust domain are allowed."""
        named = not self.permitted or any(covers(host, trust_domain) for host in self.permitted)
        return named and not any(covers(host, trust_domain) for host in self.excluded)


def trust_domains(certificate: x509.Certificate) -> TrustDomains:
    """Return which trust domains its name constraints leave it."""
    found = _constraints(certificate)
    permitted, excluded = (
        tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
        for names in (found.permitted, found.excluded)
    )
    return TrustDomains(permitted, excluded, found.critical)


class _Constraints(NamedTuple):
    permitted: Sequence[x509.GeneralName] = ()
    excluded: Sequence[x509.GeneralName] = ()
    critical: bool = False


def _constraints(certificate: x509.Certificate) -> _Constraints:
    """Return its name constraints; without any, no names."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return _Constraints()
    return _Constraints(found.value.permitted_subtrees or (), found.value.excluded_subtrees or (), found.critical)


def _is_host(text: str) -> bool:
    # Some letters become others when they are made small: the sign of kelvin a k.
    return text.isascii() and is_host_name(text.lower())


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


class Flaw(NamedTuple):
    """Why a certificate can't be the authority that it is given for."""

    what: str
    """The finding; names the certificate."""
    fix: str
    """How it is issued right, after `issue it`."""


def flaws(certificate: x509.Certificate) -> Iterator[Flaw]:
    """Yield what keeps any certificate from being an authority of workloads, whoever gives it; not its dates."""
    name = called(certificate)
    usage = "with basicConstraints=critical,CA:TRUE and keyUsage=critical,keyCertSign,cRLSign"
    if not is_authority(certificate):
        yield Flaw(f"{name} is not a certificate authority (CA:TRUE)", usage)
    if not may_sign(certificate, absent=True):
        yield Flaw(f"{name} may not sign certificates (keyCertSign)", usage)
    if weak := _weak_key(certificate):
        yield Flaw(
            f"{name} has {weak}", "for an ECDSA key on P-256, P-384 or P-521, or an RSA key of 2048 to 8192 bits"
        )
    if unclear := trust_domains(certificate).unclear:
        hosts = ", ".join(map(repr, unclear))
        yield Flaw(
            f"the name constraints of {name} hold {hosts}, which is no host",
            "with nameConstraints=critical,permitted;URI:<trust domain>",
        )
    if certificate.serial_number <= 0:
        yield Flaw(f"the serial number of {name} is not positive, which Go reads no certificate with", "anew")
    if odd := _odd_constraints(certificate):
        yield Flaw(
            f"the name constraints of {name} hold {odd}, which not every program reads",
            "with constraints of URI, DNS, email and IP names only",
        )
    if _altered(certificate):
        yield Flaw(f"the signature of {name} is not its own key's: it was altered after it was made", "anew")


def _odd_constraints(certificate: x509.Certificate) -> str:
    """Return a kind or a DNS name that Go can't read, with which istiod takes no root of any peer; empty without one.

    Source: istio/istio pilot/pkg/trustbundle/trustbundle.go, UpdateTrustAnchor; Go crypto/x509 parser.go.
    """
    found = _constraints(certificate)
    for name in (*found.permitted, *found.excluded):
        if isinstance(name, x509.DNSName):
            host = name.value.removeprefix(".")
            if host and not _is_host(host):
                return f"the DNS name {host!r}"
        elif not isinstance(name, (x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress)):
            return f"a {type(name).__name__}"
    return ""


def _weak_key(certificate: x509.Certificate) -> str | None:
    """Return what is wrong with its key; None for one that istiod, Go and Envoy use.

    Go knows no other curves; Envoy and Go refuse RSA keys below 2048 bits, Go those above 8192.
    Source: Go crypto/elliptic, crypto/tls checkKeySize; Envoy source/common/tls/context_impl.cc.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if certificate.public_key_algorithm_oid != PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5:
            return "an RSA key for PSS only"
        return None if 2048 <= key.key_size <= 8192 else f"an RSA key of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        usable = isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1))
        return None if usable else f"an ECDSA key on {key.curve.name}"
    return None if isinstance(key, ed25519.Ed25519PublicKey) else "a key that is neither ECDSA nor RSA"


def _altered(certificate: x509.Certificate) -> bool:
    """Tell whether it says that its own key signed it, and that key did not.

    One that names another key as its issuer's is a cross certificate, and one by a digest that can be forged is not
    looked at: a root is trusted as it stands.
    """
    if certificate.issuer != certificate.subject or weak_digest(certificate) or _of_another_key(certificate):
        return False
    try:
        with suppress(UnsupportedAlgorithm):
            certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError):
        return True
    return False


def _of_another_key(certificate: x509.Certificate) -> bool:
    try:
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return False
    return issuer is not None and issuer != own


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
    first: dict[tuple[object, ...], tuple[str, x509.Certificate]] = {}
    for whose, certificate in certificates:
        owner, other = first.setdefault(_compared(certificate.subject), (whose, certificate))
        if public_key(certificate) != public_key(other):
            yield whose, certificate, owner, other


def _compared(name: x509.Name) -> tuple[object, ...]:
    """Return a name as Envoy compares two: capitals and white space tell none apart.

    Source: RFC 5280, 7.1; BoringSSL crypto/x509/x_name.cc, x509_name_canon.
    """
    return tuple(
        frozenset((one.oid.dotted_string, " ".join(str(one.value).lower().split())) for one in part)
        for part in name.rdns
    )


def weak_digest(certificate: x509.Certificate) -> str | None:
    """Return the digest that its signature rests on, where that can be forged."""
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return digest.name.upper() if isinstance(digest, (hashes.SHA1, hashes.MD5)) else None
