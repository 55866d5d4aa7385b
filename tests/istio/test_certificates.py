"""The certificates of a mesh's authorities: the same bytes for ever, and what openssl makes of them.

What istiod and proxies make of them is shown in tests/lab.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings, strategies as st

from pulumi_istio_mesh.istio import certificates
from pulumi_istio_mesh.istio.certificates import IntermediateCertificate, RootCertificate

GOLDEN = Path(__file__).parent / "golden"
ROOT_KEY = (GOLDEN / "test-only-root.key").read_text()
KEY = (GOLDEN / "test-only-intermediate.key").read_text()

ROOT = RootCertificate("prod", "2026-11-23", ("prod.internal",), dt.date(2026, 11, 23), 3650)
NAMED = replace(ROOT, issued=certificates.NAMES_SINCE)
"""The first root that says which names of other kinds it may sign."""
OWN = IntermediateCertificate("prod", "east", ("prod.internal",), dt.date(2026, 11, 23), 730)

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on PATH")


def root(facts: RootCertificate = ROOT, key: str = ROOT_KEY) -> str:
    return certificates.root_pem(facts, key)


def intermediate(facts: IntermediateCertificate = OWN, key: str = KEY) -> str:
    return certificates.intermediate_pem(facts, key, root(), ROOT_KEY)


def read(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


# Their bytes


PINNED = {"root": root(), "root-with-names": root(NAMED), "intermediate": intermediate()}


@pytest.mark.parametrize(("name", "made"), PINNED.items(), ids=PINNED)
def test_bytes_are_pinned_so_that_no_upgrade_rotates_a_root(name: str, made: str) -> None:
    assert made == (GOLDEN / f"{name}.pem").read_text()


def test_making_one_again_gives_the_same_bytes() -> None:
    assert (root(), intermediate()) == (root(), intermediate())


def test_an_rsa_key_gives_the_same_bytes_too() -> None:
    key = pem_of(rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8)
    assert root(key=key) == root(key=key)


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_the_form_of_the_keys_pem_changes_nothing(form: serialization.PrivateFormat) -> None:
    key = serialization.load_pem_private_key(ROOT_KEY.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert root(key=pem_of(key, form)) == root()


@pytest.mark.parametrize(
    "other",
    [
        replace(OWN, cluster="west"),
        replace(OWN, mesh_id="test"),
        replace(OWN, issued=dt.date(2026, 11, 24)),
        replace(OWN, days=731),
    ],
    ids=["cluster", "mesh", "date", "days"],
)
def test_anything_that_differs_gives_another_serial_number(other: IntermediateCertificate) -> None:
    assert read(intermediate(other)).serial_number != read(intermediate()).serial_number


@settings(max_examples=30, deadline=None)
@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True), st.dates(dt.date(2000, 1, 1)))
def test_serial_numbers_are_positive_and_short_enough(cluster: str, issued: dt.date) -> None:
    facts = replace(OWN, cluster=cluster, issued=min(issued, dt.date(2036, 1, 1)))
    assert 0 < read(intermediate(facts)).serial_number < 1 << 159


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True),
            st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True),
            st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
            st.sampled_from([KEY, ROOT_KEY]),
        ),
        unique=True,
        min_size=2,
        max_size=4,
    )
)
def test_serial_numbers_differ_with_mesh_cluster_date_and_key(facts: list[tuple[str, str, dt.date, str]]) -> None:
    made = [intermediate(replace(OWN, mesh_id=m, cluster=c, issued=d), key) for m, c, d, key in facts]
    assert len({read(pem).serial_number for pem in made}) == len(facts)


# What they say


def test_a_root_is_named_for_its_mesh_and_generation() -> None:
    assert read(root()).subject.rfc4514_string() == "CN=prod root 2026-11-23,O=prod"


def test_the_longest_names_fit() -> None:
    facts = replace(ROOT, mesh_id="m" * 40, generation="g" * 16)
    assert "m" * 40 in read(root(facts)).subject.rfc4514_string()
    own = replace(OWN, mesh_id="m" * 40, cluster="c" * 63)
    assert "c" * 63 in read(intermediate(own)).subject.rfc4514_string()


@pytest.mark.parametrize("pem", [root(), intermediate()], ids=["root", "intermediate"])
def test_both_may_vouch_for_the_trust_domain_only(pem: str) -> None:
    found = read(pem).extensions.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    assert found.value.permitted_subtrees == [x509.UniformResourceIdentifier("prod.internal")]


@pytest.mark.parametrize("pem", [root(), intermediate()], ids=["root", "intermediate"])
def test_both_name_their_own_key(pem: str) -> None:
    found = read(pem).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert found == x509.SubjectKeyIdentifier.from_public_key(read(pem).public_key())


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "RSA-2048"],
)
def test_every_kind_of_key_that_istiod_signs_with_works(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    pem = pem_of(key, serialization.PrivateFormat.PKCS8)
    issuer = root(key=pem)
    read(certificates.intermediate_pem(OWN, pem, issuer, pem)).verify_directly_issued_by(read(issuer))


def test_an_intermediate_signs_no_further_authority() -> None:
    found = read(intermediate()).extensions.get_extension_for_class(x509.BasicConstraints)
    assert (found.critical, found.value.ca, found.value.path_length) == (True, True, 0)


def test_an_intermediate_names_its_issuers_key() -> None:
    """Two roots of one name would otherwise be told apart by nothing."""
    issuer = read(root()).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    own = read(intermediate()).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert own.key_identifier == issuer.key_identifier


def test_an_intermediate_ends_with_its_root_at_the_latest() -> None:
    facts = replace(OWN, issued=dt.date(2036, 1, 1))
    assert certificates.expiry(intermediate(facts)) == certificates.expiry(root()) == dt.date(2036, 11, 20)


def test_an_intermediate_cannot_vouch_for_more_than_its_root() -> None:
    with pytest.raises(ValueError, match=r"the root vouches for prod\.internal, not for test\.internal"):
        intermediate(replace(OWN, trust_domains=("test.internal",)))


def test_cacerts_holds_the_chain_with_its_root_and_every_trusted_root() -> None:
    second = root(replace(ROOT, generation="b"))
    found = certificates.cacerts(intermediate(), KEY, root(), root() + second)
    assert found == {
        "ca-cert.pem": intermediate(),
        "ca-key.pem": KEY,
        "cert-chain.pem": intermediate() + root(),
        "root-cert.pem": root() + second,
    }


@pytest.mark.parametrize("broken", ["MARKER", ROOT_KEY.replace("A", "MARKER")], ids=["text", "PEM"])
def test_a_broken_key_is_never_repeated(broken: str) -> None:
    with pytest.raises(ValueError, match="not PEM that can be read") as refused:
        root(key=broken)
    assert "MARKER" not in str(refused.value)
    assert refused.value.__cause__ is None


# What openssl makes of them


def leaf(name: str, *, ca: bool = False) -> str:
    """A certificate that the cluster's istiod would sign: for a URI, or after `DNS:` or `email:` another name."""
    kind, _, rest = name.partition(":")
    # Without the library's judgement: it would refuse what a forger signs.
    names: dict[str, x509.GeneralName] = {
        "DNS": x509.DNSName._init_without_validation(rest),
        "email": x509.RFC822Name._init_without_validation(rest),
    }
    issuer, key = read(intermediate()), ec.generate_private_key(ec.SECP256R1())
    issuer_key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    signer = serialization.load_pem_private_key(KEY.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([names.get(kind, x509.UniformResourceIdentifier(name))]), critical=True
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def verified(folder: Path, pem: str, facts: RootCertificate = ROOT) -> str:
    """What `openssl verify` says of a certificate below our chain, on a day it is valid."""
    for name, text in (("root", root(facts)), ("intermediate", intermediate()), ("leaf", pem)):
        (folder / f"{name}.pem").write_text(text)
    day = str(int(dt.datetime(2027, 1, 1, tzinfo=dt.timezone.utc).timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", day, "-CAfile", "root.pem"]
    command += ["-untrusted", "intermediate.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@openssl
def test_openssl_accepts_an_identity_of_the_mesh(tmp_path: Path) -> None:
    assert verified(tmp_path, leaf("spiffe://prod.internal/ns/a/sa/b")) == "leaf.pem: OK\n"


@openssl
def test_openssl_takes_a_trust_domain_below_the_meshs_for_another(tmp_path: Path) -> None:
    assert "permitted subtree violation" in verified(tmp_path, leaf("spiffe://b.prod.internal/ns/a/sa/b"))


@openssl
def test_openssl_refuses_an_identity_of_another_mesh(tmp_path: Path) -> None:
    assert "permitted subtree violation" in verified(tmp_path, leaf("spiffe://test.internal/ns/a/sa/b"))


FORGED = "spiffe://other.internal/ns/web/sa/checkout"


@openssl
@pytest.mark.parametrize("name", [f"DNS:{FORGED}", f"email:{FORGED}", f"email:x@{FORGED}", "DNS:web.example"])
def test_openssl_refuses_names_of_another_kind_that_could_be_taken_for_an_identity(name: str, tmp_path: Path) -> None:
    assert verified(tmp_path, leaf(name)) == "leaf.pem: OK\n"
    assert "error" in verified(tmp_path, leaf(name), NAMED)


@openssl
@pytest.mark.parametrize("name", ["spiffe://prod.internal/ns/a/sa/b", "DNS:istiod-1-31-1.istio-system.svc"])
def test_openssl_accepts_the_names_of_workloads_and_of_istiod(name: str, tmp_path: Path) -> None:
    assert verified(tmp_path, leaf(name), NAMED) == "leaf.pem: OK\n"


@openssl
def test_openssl_refuses_what_an_authority_below_the_intermediate_signs(tmp_path: Path) -> None:
    """A path length of 0 counts the authorities between it and a leaf: the one below can sign nothing that holds."""
    key = ec.generate_private_key(ec.SECP256R1())
    facts = replace(OWN, cluster="below")
    below = certificates.intermediate_pem(facts, pem_of(key, serialization.PrivateFormat.PKCS8), intermediate(), KEY)
    # -purpose any: the certificate is an authority, and is judged as one.
    for name, text in (("root", root()), ("intermediate", intermediate()), ("below", below)):
        (tmp_path / f"{name}.pem").write_text(text)
    inner = ec.generate_private_key(ec.SECP256R1())
    last = certificates.intermediate_pem(
        replace(OWN, cluster="last"),
        pem_of(inner, serialization.PrivateFormat.PKCS8),
        below,
        pem_of(key, serialization.PrivateFormat.PKCS8),
    )
    (tmp_path / "leaf.pem").write_text(last)
    (tmp_path / "chain.pem").write_text(intermediate() + below)
    day = str(int(dt.datetime(2027, 1, 1, tzinfo=dt.timezone.utc).timestamp()))
    command = ["openssl", "verify", "-attime", day, "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "path length constraint exceeded" in done.stdout + done.stderr


@openssl
def test_openssl_prints_the_same_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(root())
    command = ["openssl", "x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().split("=")[1] == certificates.fingerprint(root())
