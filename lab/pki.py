"""A cluster's certificates and kubeconfigs. For tests only: nothing here is rotated or revoked."""

import base64
import datetime
import json
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import addresses
from lab.paths import ClusterPaths
from lab.shape import number_of

_LIFETIME = datetime.timedelta(days=365)
_USERS = {
    "admin": ("system:masters", "admin"),
    "controller-manager": (None, "system:kube-controller-manager"),
    "scheduler": (None, "system:kube-scheduler"),
    "proxy": (None, "system:kube-proxy"),
}


def issue(paths: ClusterPaths) -> None:
    """Writes the CA, every program's certificate and every user's kubeconfig below `paths.certificates`."""
    number, folder = number_of(paths.name), paths.certificates
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(f"lab-{paths.name}")
    authority.write(folder)
    names = ["localhost", *("kubernetes.default.svc.cluster.local".rsplit(".", cut)[0] for cut in (4, 3, 2, 0))]
    own = [str(addresses.node(number)), str(addresses.kubernetes_service(number)), "127.0.0.1"]
    authority.issue(folder / "apiserver", "kube-apiserver", names=[*names, *own])
    authority.issue(folder / "front-proxy", "front-proxy-client")
    node = f"node-{paths.name}"
    authority.issue(
        folder / "kubelet", f"system:node:{node}", "system:nodes", names=[node, str(addresses.node(number))]
    )
    for user, (organization, name) in _USERS.items():
        authority.issue(folder / user, name, organization)
    for user in [*_USERS, "kubelet"]:
        _write_kubeconfig(paths, user)
    _write_service_account_key(folder)


class Authority:
    """A certificate authority that lives as long as one `up`."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject(name, None)
        self.certificate = (
            self._unsigned(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(ca=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def write(self, folder: Path) -> None:
        """Writes ca.crt and ca.key."""
        _write(folder / "ca", self.certificate, self._key)

    def issue(self, stem: Path, name: str, organization: str | None = None, names: Sequence[str] = ()) -> None:
        """Writes `stem`.crt and `stem`.key, good for both ends of a connection."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            self._unsigned(_subject(name, organization), key.public_key())
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(n) for n in names])
            builder = builder.add_extension(alternatives, critical=False)
        _write(stem, builder.sign(self._key, hashes.SHA256()), key)

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=10))
            .not_valid_after(now + _LIFETIME)
        )


def _subject(name: str, organization: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _write(stem: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    stem.with_name(stem.name + ".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(stem.with_name(stem.name + ".key"), _private_pem(key))


def _write_service_account_key(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "service-account.pub").write_bytes(public)
    _write_private(folder / "service-account.key", _private_pem(key))


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)


def _write_kubeconfig(paths: ClusterPaths, user: str) -> None:
    """JSON is YAML, so every client reads it; names are a cluster's own, so that files can be merged."""

    def encoded(file: str) -> str:
        return base64.b64encode((paths.certificates / file).read_bytes()).decode()

    server = {"server": addresses.api_server(number_of(paths.name)), "certificate-authority-data": encoded("ca.crt")}
    credentials = {"client-certificate-data": encoded(f"{user}.crt"), "client-key-data": encoded(f"{user}.key")}
    name = f"{user}@{paths.name}"
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": paths.name, "cluster": server}],
        "users": [{"name": name, "user": credentials}],
        "contexts": [{"name": paths.name, "context": {"cluster": paths.name, "user": name}}],
        "current-context": paths.name,
    }
    _write_private(paths.kubeconfig(user), json.dumps(tree, indent=2).encode())
