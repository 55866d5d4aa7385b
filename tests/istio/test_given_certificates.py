"""Authorities that a user brings: each way in which they can't work, beside the nearest one that does.

Where the problems go, and that istiod is never made, is in `components/test_given_trust.py`.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from pulumi_istio_mesh.istio.given_certificates import bundle_problems, given_problems
from pulumi_istio_mesh.topology.problems import Problem

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.timezone.utc)
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-224": ec.SECP224R1, "secp256k1": ec.SECP256K1, "brainpool": ec.BrainpoolP256R1, "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}  # fmt: skip


@cache
def key_of(name: str) -> Any:
    """A key of its own for each name, of the kind that the name begins with: P-256 for any other."""
    kind = name.partition(" ")[0]
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))
    return ec.generate_private_key(CURVES.get(kind, ec.SECP256R1)())


def key_pem(key: _Key, password: str = "") -> str:
    hidden = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden).decode()


@dataclass(frozen=True)
class Authority:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def authority(
    name: str,
    issuer: Authority | None = None,
    *,
    key: str = "",
    ca: bool = True,
    path_length: int | None = None,
    cert_sign: bool | None = True,
    begins: dt.datetime = NOW - DAY,
    ends: dt.datetime = NOW + DAY,
    permitted: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> Authority:
    """A company's authority, signed by another or by itself."""
    own = key_of(key or name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    )
    if cert_sign is not None:
        usage = x509.KeyUsage(True, False, False, False, False, cert_sign, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    if permitted or excluded:
        uris = [[x509.UniformResourceIdentifier(host) for host in hosts] or None for hosts in (permitted, excluded)]
        builder = builder.add_extension(x509.NameConstraints(*uris), critical=True)
    return Authority(builder.sign(issuer.key if issuer else own, hashes.SHA256()), own)


ROOT = authority("root")
OWN = authority("own", ROOT)


def problems(own: Authority = OWN, root: Authority = ROOT, /, *between: Authority, **fields: str) -> list[Problem]:
    """What is wrong with an authority's files, with some fields changed."""
    files = {
        "ca_cert": own.pem,
        "ca_key": key_pem(own.key),
        "root_cert": root.pem,
        "cert_chain": "".join(part.pem for part in (own, *between, root)),
    }
    return given_problems("c.cacerts", **{**files, **fields}, now=NOW, trust_domain="prod.internal")


def said(found: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.where.removeprefix("c.cacerts."), problem.what) for problem in found]


def assert_only(found: list[Problem], field: str, text: str) -> None:
    assert [where for where, _ in said(found)] == [field], said(found)
    assert text in found[0].what
    assert found[0].slug == "trust-given"
    assert found[0].why
    assert "openssl" in found[0].fix or found[0].fix.startswith(("cat ", "issue "))


def test_an_authority_under_its_root_works() -> None:
    assert problems() == []


# Reading


@pytest.mark.parametrize("field", ["ca_cert", "root_cert", "cert_chain"])
@pytest.mark.parametrize(
    "pem", ["", "hunter2", "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n"]
)
def test_a_certificate_that_cannot_be_read_is_refused_where_it_stands(field: str, pem: str) -> None:
    assert_only(problems(**{field: pem}), field, "is not PEM of X.509 certificates")


def test_words_around_a_certificate_are_no_harm() -> None:
    assert problems(root_cert=f"Our root:\n{ROOT.pem}\n") == []


@pytest.mark.parametrize("field", ["ca_cert", "root_cert", "cert_chain"])
def test_a_private_key_among_public_certificates_is_refused(field: str) -> None:
    assert_only(problems(**{field: OWN.pem + key_pem(OWN.key)}), field, "holds a private key")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("hunter2", "not a private key in PEM"),
        (key_pem(OWN.key, "hunter2"), "needs a password"),
        (key_pem(ed25519.Ed25519PrivateKey.generate()), "neither an ECDSA nor an RSA key"),
    ],
    ids=["no PEM", "a password", "Ed25519"],
)
def test_a_key_that_istiod_cannot_sign_with_is_refused(key: str, text: str) -> None:
    assert_only(problems(ca_key=key), "ca_key", text)


# Key and authority


def test_a_foreign_key_is_refused() -> None:
    assert_only(problems(ca_key=key_pem(key_of("foreign"))), "ca_key", "is not the key of ca_cert 'CN=own'")


def test_the_key_may_have_the_older_form_of_pem() -> None:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = OWN.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    assert problems(ca_key=pem) == []


def test_a_certificate_that_is_no_authority_is_refused() -> None:
    assert_only(problems(authority("own", ROOT, ca=False)), "ca_cert", "is not a certificate authority")


@pytest.mark.parametrize("cert_sign", [False, None])
def test_an_authority_that_may_not_sign_certificates_is_refused(cert_sign: bool | None) -> None:
    assert_only(problems(authority("own", ROOT, cert_sign=cert_sign)), "ca_cert", "keyCertSign")


WEAK = {
    "RSA-1024": "an RSA key of 1024 bits",
    "P-224": "an ECDSA key on secp224r1",
    "secp256k1": "an ECDSA key on secp256k1",
    "brainpool": "an ECDSA key on brainpoolP256r1",
}


@pytest.mark.parametrize("kind", WEAK)
def test_a_key_that_istiod_or_envoy_does_not_use_is_refused(kind: str) -> None:
    assert_only(problems(authority("own", ROOT, key=kind)), "ca_cert", WEAK[kind])
    root = authority("root", key=kind)
    assert_only(problems(authority("own", root), root), "root_cert", WEAK[kind])


@pytest.mark.parametrize("kind", ["RSA-2048", "P-384", "P-521"])
def test_a_key_that_they_use_is_taken(kind: str) -> None:
    root = authority("root", key=kind)
    assert problems(authority("own", root, key=f"{kind} of the cluster"), root) == []


def test_a_root_that_was_altered_is_refused() -> None:
    # Signed by another key than it holds, and by that of another root under its name.
    altered = authority("root", Authority(ROOT.certificate, key_of("somebody")))
    assert_only(problems(authority("own", altered), altered), "root_cert", "is not its own key's")


# The chain


def test_a_foreign_root_is_refused() -> None:
    foreign = authority("foreign")
    assert_only(problems(root_cert=foreign.pem), "ca_cert", "'CN=root' is to have issued it, and root_cert holds 'CN=f")


def test_a_root_of_the_right_name_and_another_key_is_refused() -> None:
    other = authority("root", key="other root")
    assert_only(problems(OWN, other), "ca_cert", "does not chain to a root")


def test_other_roots_may_stand_beside_the_right_one() -> None:
    foreign = authority("foreign", permitted=["test.internal"])
    assert problems(root_cert=foreign.pem + ROOT.pem) == []


def test_an_authority_between_own_and_root_must_be_in_the_chain() -> None:
    middle = authority("middle", ROOT)
    own = authority("own", middle)
    assert problems(own, ROOT, middle) == []
    assert_only(problems(own, ROOT), "ca_cert", "'CN=middle' is to have issued it")


def test_what_is_no_authority_vouches_for_none() -> None:
    middle = authority("middle", ROOT, ca=False)
    assert_only(problems(authority("own", middle), ROOT, middle), "ca_cert", "does not chain to a root")


def test_authorities_that_vouch_for_each_other_end_in_a_refusal() -> None:
    one = authority("one", authority("two"))
    two = authority("two", one)
    assert_only(problems(authority("own", one), ROOT, one, two), "ca_cert", "does not chain to a root")


def test_the_chain_begins_with_the_authority_itself() -> None:
    assert_only(problems(cert_chain=ROOT.pem), "cert_chain", "begins with 'CN=root', not with ca_cert 'CN=own'")
    assert problems(cert_chain=OWN.pem) == []


def test_a_root_may_sign_workloads_itself() -> None:
    assert problems(ROOT, ROOT) == []


def test_more_authorities_than_one_above_allows_are_refused() -> None:
    tight = authority("root", path_length=0)
    assert_only(problems(authority("own", tight), tight), "root_cert", "allows 0 authorities below it, and has 1")
    roomy = authority("root", path_length=1)
    assert problems(authority("own", roomy, path_length=0), roomy) == []


# Dates


@pytest.mark.parametrize(("age", "allowed"), [(4 * MINUTE, False), (5 * MINUTE, True)])
def test_an_authority_is_five_minutes_old(age: dt.timedelta, allowed: bool) -> None:
    found = problems(authority("own", ROOT, begins=NOW - age))
    assert found == [] if allowed else said(found)[0][1].startswith("'CN=own' begins at 2026-11-23 11:56 UTC")


@pytest.mark.parametrize(("left", "allowed"), [(0 * MINUTE, False), (MINUTE, True)])
def test_an_authority_has_not_ended(left: dt.timedelta, allowed: bool) -> None:
    found = problems(authority("own", ROOT, ends=NOW + left))
    assert found == [] if allowed else said(found)[0][1].startswith("'CN=own' ended at 2026-11-23 12:00 UTC")


def test_a_root_s_dates_count_too() -> None:
    old, coming = authority("root", ends=NOW - DAY), authority("root", begins=NOW)
    assert_only(problems(authority("own", old), old), "root_cert", "ended at")
    assert_only(problems(authority("own", coming), coming), "root_cert", "begins at")


def test_an_ended_authority_in_between_is_refused() -> None:
    middle = authority("middle", ROOT, ends=NOW - DAY)
    assert_only(problems(authority("own", middle), ROOT, middle), "cert_chain", "'CN=middle' ended at")


# Signatures


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not on PATH")
@pytest.mark.parametrize(
    ("digest", "text"), [("sha1", "signed by way of SHA1"), ("md5", "signed by way of MD5"), ("sha256", "")]
)
def test_a_signature_that_can_be_forged_is_refused(digest: str, text: str, tmp_path: Path) -> None:
    """A root's own signature is not: nobody verifies it. Only openssl makes these, dated by the machine's clock."""
    (tmp_path / "ca").write_text("[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
    root = "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=root -days 9"
    ask = "openssl req -new -newkey rsa:2048 -nodes -keyout own.key -out own.csr -subj /CN=own"
    sign = f"openssl x509 -req -in own.csr -CA root.pem -CAkey root.key -set_serial 7 -days 9 -{digest}"
    for command in (f"{root} -sha1", ask, f"{sign} -extfile ca -extensions ca -out own.pem"):
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    own, top, key = ((tmp_path / name).read_text() for name in ("own.pem", "root.pem", "own.key"))
    now = dt.datetime.now(dt.timezone.utc) + 10 * MINUTE
    found = given_problems(
        "c.cacerts", ca_cert=own, ca_key=key, root_cert=top, cert_chain=own + top, now=now, trust_domain="a.b"
    )
    if text:
        assert_only(found, "ca_cert", text)
    else:
        assert found == []


# Trust domain


@pytest.mark.parametrize("host", ["prod.internal", "PROD.internal", ".internal"])
def test_an_authority_that_permits_the_trust_domain_works(host: str) -> None:
    root = authority("root", permitted=["test.internal", host])
    assert problems(authority("own", root, permitted=[host]), root) == []


@pytest.mark.parametrize("host", ["test.internal", "internal", ".prod.internal", "nprod.internal", ".od.internal"])
def test_an_authority_that_does_not_permit_the_trust_domain_is_refused(host: str) -> None:
    text = f"vouches for {host} only, not for prod.internal"
    assert_only(problems(authority("own", ROOT, permitted=[host])), "ca_cert", text)
    root = authority("root", permitted=[host])
    assert_only(problems(authority("own", root), root), "root_cert", text)


@pytest.mark.parametrize("host", ["", ".", "prod.internal.", "*.internal", "10.0.0.1", "prod_internal", "a b"])
@pytest.mark.parametrize("side", ["permitted", "excluded"])
def test_a_constraint_that_is_no_host_is_refused_wherever_it_stands(side: str, host: str) -> None:
    constraints: Any = {
        "permitted": ["prod.internal"],
        side: [*(["prod.internal"] if side == "permitted" else ()), host],
    }
    text = f"hold {host!r}, which is no host"
    root = authority("root", **constraints)
    found = problems(authority("own", root), root)
    assert [where for where, what in said(found) if text in what] == ["root_cert"], said(found)


def test_an_excluded_trust_domain_is_refused() -> None:
    own = authority("own", ROOT, excluded=["prod.internal"])
    assert_only(problems(own), "ca_cert", "excludes prod.internal")
    assert problems(authority("own", ROOT, excluded=["test.internal"])) == []


# All at once, and nothing secret


def test_everything_that_is_wrong_is_said_at_once() -> None:
    own = authority("own", ROOT, ca=False, cert_sign=False, ends=NOW - MINUTE, permitted=["test.internal"])
    found = problems(own, ca_key=key_pem(key_of("foreign")), cert_chain=ROOT.pem)
    assert [where for where, _ in said(found)] == ["ca_cert", "ca_cert", "ca_key", "cert_chain", "ca_cert", "ca_cert"]
    assert {problem.slug for problem in found} == {"trust-given"}


def test_no_text_repeats_a_key_or_a_certificate() -> None:
    foreign = key_pem(key_of("foreign"))
    swapped = {"ca_cert": foreign, "ca_key": OWN.pem, "cert_chain": foreign, "root_cert": foreign}
    spoilt = {field: pem.replace("PRIVATE", "PRIVAT") for field, pem in swapped.items()}
    found = problems(**swapped) + problems(**spoilt) + problems(ca_key=foreign) + bundle_problems({"east": foreign})
    lines = [line for pem in (foreign, OWN.pem) for line in pem.splitlines()[1:-1]]
    assert len(found) == 10
    assert not [line for line in lines if line in repr(found)]


# Bundles of several clusters


def bundles(**roots: list[Authority]) -> list[Problem]:
    return bundle_problems({cluster: "".join(root.pem for root in held) for cluster, held in roots.items()})


def test_clusters_under_one_root_trust_each_other() -> None:
    assert bundles(east=[ROOT], west=[ROOT]) == []


def test_clusters_may_trust_more_roots_than_the_shared_one() -> None:
    assert bundles(east=[ROOT, authority("a")], west=[authority("b"), ROOT]) == []


def test_clusters_that_share_no_root_are_refused() -> None:
    (found,) = bundles(east=[ROOT], north=[ROOT], west=[authority("other")])
    assert found.where == "clusters.west.cacerts.root_cert"
    assert found.what == (
        "shares no root with east, north: west trusts 'CN=other'; east trusts 'CN=root'; north trusts 'CN=root'"
    )


def test_two_roots_of_one_name_in_a_bundle_are_refused() -> None:
    """Envoy picks the issuer by its name: all mTLS breaks, also inside one mesh."""
    (found,) = bundles(east=[ROOT, authority("root", key="other root")])
    assert found.where == "clusters.east.cacerts.root_cert"
    assert found.what.startswith("two different roots are called 'CN=root'")


def test_two_roots_of_one_name_in_two_bundles_are_refused() -> None:
    shared = authority("shared")
    (found,) = bundles(east=[shared, ROOT], west=[shared, authority("root", key="other root")])
    assert "in clusters.east.cacerts.root_cert" in found.what


def test_two_roots_of_distinct_names_are_accepted() -> None:
    other = authority("root 2")
    assert bundles(east=[ROOT, other], west=[ROOT, other]) == []


def test_a_root_issued_again_with_its_key_is_the_same_root() -> None:
    assert bundles(east=[ROOT], west=[authority("root", ends=NOW + 2 * DAY)]) == []


def test_a_bundle_that_cannot_be_read_is_refused() -> None:
    (found,) = bundle_problems({"east": ROOT.pem, "west": "hunter2"})
    assert found.where == "clusters.west.cacerts.root_cert"
    assert "hunter2" not in repr(found)
