"""Certificate authorities as files, for the procedure that takes them so; made with the product's own builder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pulumi_istio_mesh.istio import certificates
from pulumi_istio_mesh.rules import today

_OF_PARTS = {
    "ca_cert": "ca-cert.pem",
    "ca_key": "ca-key.pem",
    "cert_chain": "cert-chain.pem",
    "root_cert": "root-cert.pem",
}
FILES = tuple(_OF_PARTS.values())
_TRUST_DOMAIN = "cluster.local"


def write(folder: Path, clusters: Iterable[str]) -> None:
    """Write the four files of Secret `cacerts` for each cluster into a folder of its name, below one new root."""
    root_key = key()
    root = certificates.root_pem(
        certificates.RootCertificate("bench", "1", (_TRUST_DOMAIN,), today(), days=30), root_key
    )
    for cluster in clusters:
        own_key = key()
        facts = certificates.IntermediateCertificate("bench", cluster, (_TRUST_DOMAIN,), today(), days=30)
        own = certificates.intermediate_pem(facts, own_key, root, root_key)
        target = folder / cluster
        target.mkdir()
        for name, text in certificates.cacerts(own, own_key, root, root).items():
            (target / name).write_text(text)


def given(folder: Path) -> dict[str, str]:
    """Return the authority in a folder of the four files as a program is given it."""
    return {part: (folder / file).read_text() for part, file in _OF_PARTS.items()}


def key() -> str:
    """Make a private key and return it as PKCS #8 PEM."""
    made = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def another_root() -> str:
    """Make a root that nobody trusts yet and return its certificate as PEM."""
    facts = certificates.RootCertificate("bench", "2", (_TRUST_DOMAIN,), today(), days=30)
    return certificates.root_pem(facts, key())
