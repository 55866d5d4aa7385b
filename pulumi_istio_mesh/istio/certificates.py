"""The certificates of a mesh's authorities, as a pure function of their keys and of plain facts.

The same key and facts always give the same bytes: RFC 6979 signatures, serial numbers derived from what is signed,
dates that are given (docs/adr/0002). Golden files pin them, so that a library's upgrade can't rotate a root.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .certificate_facts import trust_domains

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class RootCertificate:
    """What a root certificate says, besides its key."""

    mesh_id: str
    generation: str
    trust_domains: tuple[str, ...]
    issued: dt.date
    days: int


@dataclass(frozen=True)
class IntermediateCertificate:
    """What a cluster's intermediate certificate says, besides its key and its issuer."""

    mesh_id: str
    cluster: str
    trust_domains: tuple[str, ...]
    issued: dt.date
    days: int


def root_pem(certificate: RootCertificate, key_pem: str) -> str:
    """Return a self-signed root that may vouch for its trust domains only.

    One of `NAMES_SINCE` or later may sign no other name that could be taken for an identity: DNS names below
    istio-system alone, which istiod's own certificate has, and mail at a host that there can't be. Proxies compare who
    answers with names of any kind (docs/adr/0018).

    Its common name holds the mesh ID and the generation: two roots of one name in a bundle break all mTLS, because
    Envoy picks the issuer by name. No path length: the intermediates carry it, and a root is hard to change.
    """
    key = _key(key_pem)
    name = _name((NameOID.ORGANIZATION_NAME, certificate.mesh_id),
                 (NameOID.COMMON_NAME, f"{certificate.mesh_id}{_ROOT}{certificate.generation}"))  # fmt: skip
    begins, ends = _validity(certificate.issued, certificate.days)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (_usage(digital_signature=False), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (_constraints(certificate.trust_domains, () if certificate.issued < NAMES_SINCE else _OTHER_NAMES), True),
    ]
    return _pem(_signed(name, name, key, key, begins, ends, extensions))


NAMES_SINCE = dt.date(2026, 11, 29)
"""The first day of roots that say which names other than URIs they may sign; earlier ones keep their bytes."""
_OTHER_NAMES = (x509.DNSName("istio-system.svc"), x509.RFC822Name("invalid"))
"""Source: istio/istio pilot/pkg/bootstrap/server.go, getDNSNames; RFC 6761, 6.4."""
_ROOT = " root "


def generation_of(root: x509.Certificate, mesh_id: str) -> str:
    """Return the generation of a root that `root_pem` made for this mesh; empty for any other certificate."""
    names = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    mesh, _, generation = str(names[0].value).partition(_ROOT) if names else ("", "", "")
    return generation if mesh == mesh_id else ""


def intermediate_pem(certificate: IntermediateCertificate, key_pem: str, root_cert_pem: str, root_key_pem: str) -> str:
    """Return a cluster's authority, signed by the root: it signs workload certificates and no other authority.

    It ends with the root at the latest. Raises `ValueError` when it would vouch for a trust domain that the root
    may not.
    """
    root, key = x509.load_pem_x509_certificate(root_cert_pem.encode()), _key(key_pem)
    permitted = trust_domains(root).permitted
    if permitted and not set(certificate.trust_domains) <= set(permitted):
        raise ValueError(
            f"the root vouches for {', '.join(sorted(permitted))}, not for {', '.join(certificate.trust_domains)}"
        )
    name = _name((NameOID.ORGANIZATION_NAME, certificate.mesh_id),
                 (NameOID.LOCALITY_NAME, certificate.cluster),
                 (NameOID.COMMON_NAME, f"{certificate.mesh_id} intermediate {certificate.issued}"))  # fmt: skip
    begins, ends = _validity(certificate.issued, certificate.days)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(digital_signature=True), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (_issuer_key(root), False),
        (_constraints(certificate.trust_domains), True),
    ]
    ends = min(ends, root.not_valid_after_utc)
    return _pem(_signed(name, root.subject, key, _key(root_key_pem), begins, ends, extensions))


def cacerts(intermediate: str, key_pem: str, issuer: str, roots: str) -> dict[str, str]:
    """Return the data of Istio's Secret `cacerts`.

    `cert-chain.pem` is the intermediate and the root that signed it; `root-cert.pem` every root that is trusted.
    Source: istio/istio security/pkg/pki/util/keycertbundle.go.
    """
    return {
        "ca-cert.pem": intermediate,
        "ca-key.pem": key_pem,
        "cert-chain.pem": intermediate + issuer,
        "root-cert.pem": roots,
    }


def fingerprint(pem: str) -> str:
    """Return the SHA-256 of a certificate as openssl prints it: upper-case hexadecimal pairs between colons."""
    digest = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256())
    return ":".join(f"{byte:02X}" for byte in digest)


def expiry(pem: str) -> dt.date:
    """Return the day (UTC) on which a certificate ends."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.date()


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: _Key,
    signer: _Key,
    begins: dt.datetime,
    ends: dt.datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=_serial(subject, issuer, key, begins, ends, extensions),
        not_valid_before=begins,
        not_valid_after=ends,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    deterministic = True if isinstance(signer, ec.EllipticCurvePrivateKey) else None
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=deterministic)


def _serial(
    subject: x509.Name,
    issuer: x509.Name,
    key: _Key,
    begins: dt.datetime,
    ends: dt.datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> int:
    """Return a serial number that differs when anything signed differs: positive, at most 159 bits (RFC 5280)."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = [
        subject.public_bytes(),
        issuer.public_bytes(),
        public,
        begins.isoformat().encode(),
        ends.isoformat().encode(),
    ]
    parts += [extension.public_bytes() for extension, _ in extensions]
    digest = hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
    return int.from_bytes(digest[:20], "big") >> 1 or 1


def _key(pem: str) -> _Key:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        # Not the library's text, and no chain to it: a key must not reach a log.
        raise ValueError("a private key is not PEM that can be read without a password") from None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise ValueError("a private key is neither ECDSA nor RSA, which are what istiod signs with")
    return key


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def _validity(issued: dt.date, days: int) -> tuple[dt.datetime, dt.datetime]:
    begins = dt.datetime.combine(issued, dt.time(), dt.timezone.utc)
    return begins, begins + dt.timedelta(days=days)


def _usage(*, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(trust_domains: tuple[str, ...], others: Sequence[x509.GeneralName] = ()) -> x509.NameConstraints:
    """Permit identities of these trust domains only: what keeps one mesh from minting another's identities.

    Of names of another kind those that are given; any, where none of its kind is.
    """
    domains = [x509.UniformResourceIdentifier(domain) for domain in trust_domains]
    return x509.NameConstraints(permitted_subtrees=[*domains, *others], excluded_subtrees=None)


def _issuer_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
