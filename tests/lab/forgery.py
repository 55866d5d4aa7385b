"""Who calls without a proxy of the mesh, with a certificate that a root's key can sign."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab import sample
from pulumi_istio_mesh.istio.certificates import NAMES_SINCE, RootCertificate, root_pem

SNI = f"outbound_.{sample.PORT}_._.hello.sample.svc.cluster.local"
"""By which gateways pass calls on to the sample."""


BEFORE_NAMES = NAMES_SINCE - dt.timedelta(days=1)


def wide_root(mesh: str, *domains: str, issued: dt.date = BEFORE_NAMES) -> tuple[str, str]:
    """Return the key and the certificate of a root that may vouch for several trust domains.

    Of other names it may sign any, as roots of before `NAMES_SINCE` do.
    """
    own = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = own.private_bytes(serialization.Encoding.PEM, *form).decode()
    return key, root_pem(RootCertificate(mesh, f"wide {issued}", domains, issued, 36500), key)


def minted(key_pem: str, issuer_pem: str, folder: Path, name: str) -> list[str]:
    """Sign a leaf for an identity by a root, and return how openssl presents it.

    The name is a URI, or after `DNS:` or `email:` a name of another kind, which is nobody's identity.
    """
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    root = x509.load_pem_x509_certificate(issuer_pem.encode())
    own, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
    kind, _, rest = name.partition(":")
    identity: x509.GeneralName = x509.UniformResourceIdentifier(name)
    if kind == "DNS":
        identity = x509.DNSName(rest)
    elif kind == "email":
        # No address at all: the library would refuse it, a forger does not.
        identity = x509.RFC822Name._init_without_validation(rest)
    builder = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(root.subject).public_key(own.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number()).add_extension(
        x509.SubjectAlternativeName([identity]), critical=True
    )
    builder = builder.not_valid_before(now - dt.timedelta(minutes=5)).not_valid_after(now + dt.timedelta(hours=1))
    leaf = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(own.private_bytes(serialization.Encoding.PEM, *form))
    return ["-cert", str(folder / "leaf.pem"), "-key", str(folder / "key.pem")]


def dialled(gateway: str, certificate: list[str]) -> str:
    """Call hello through a gateway as nobody's proxy, with a certificate; return all that openssl saw."""
    request = "GET /cgi-bin/hello HTTP/1.1\\r\\nHost: hello\\r\\nConnection: close\\r\\n\\r\\n"
    command = f"(printf '{request}'; sleep 1) | timeout 10 openssl s_client -quiet -connect {gateway}:15443 "
    command += f"-servername {SNI} -alpn istio {' '.join(certificate)} 2>&1"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20, check=False).stdout
