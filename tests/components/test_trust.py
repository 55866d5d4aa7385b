"""Where a mesh's certificate authorities come from, and what the mesh says of them.

The certificates themselves are in `istio/test_certificates.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from pulumi_istio_mesh.istio.certificates import expiry, fingerprint

from .meshes import a_program, apart, outputs
from .recorder import Recording, record, revealed

OLD, NEW = {"issued": "2026-01-01", "days": 1000}, {"issued": "2026-11-23", "generation": "b"}


def cacerts(recording: Recording, cluster: str) -> dict[str, str]:
    """What the cluster's istiod would sign with."""
    found = revealed(recording[f"Secret prod-{cluster}-cacerts"].inputs["stringData"])
    assert isinstance(found, dict)
    return found


def common_names(pem: str) -> list[str]:
    """The common name of each certificate in a bundle."""
    return [
        str(attribute.value)
        for certificate in x509.load_pem_x509_certificates(pem.encode())
        for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    ]


def test_each_cluster_signs_with_its_own_key_under_the_one_root() -> None:
    east, west = cacerts(apart(), "east"), cacerts(apart(), "west")
    assert sorted(east) == ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
    assert east["root-cert.pem"] == west["root-cert.pem"]
    assert east["ca-key.pem"] != west["ca-key.pem"]
    assert east["cert-chain.pem"] == east["ca-cert.pem"] + east["root-cert.pem"]


def test_the_same_keys_and_dates_give_the_same_bytes_on_every_run() -> None:
    assert cacerts(record(a_program()), "east") == cacerts(record(a_program()), "east")


def test_every_root_is_trusted_and_the_signer_signs() -> None:
    recording = record(a_program(trust={"roots": [OLD, NEW], "signer": "b"}))
    files = cacerts(recording, "east")
    assert common_names(files["root-cert.pem"]) == ["prod root 2026-01-01", "prod root b"]
    assert common_names(files["cert-chain.pem"])[1:] == ["prod root b"]


def test_the_order_in_which_roots_are_listed_changes_no_byte() -> None:
    one = record(a_program(trust={"roots": [OLD, NEW], "signer": "b"}))
    other = record(a_program(trust={"roots": [NEW, OLD], "signer": "b"}))
    assert cacerts(one, "east") == cacerts(other, "east")
    assert one.text() == other.text()


def test_letting_another_root_sign_keeps_every_root_and_key() -> None:
    before = record(a_program(trust={"roots": [OLD, NEW], "signer": "2026-01-01"}))
    after = record(a_program(trust={"roots": [OLD, NEW], "signer": "b"}))
    one, other = cacerts(before, "east"), cacerts(after, "east")
    assert {name for name in one if one[name] != other[name]} == {"ca-cert.pem", "cert-chain.pem"}


def test_new_intermediates_keep_their_key_and_the_roots() -> None:
    before = record(a_program(trust={"roots": [OLD]}))
    after = record(a_program(trust={"roots": [OLD], "intermediates": {"issued": "2026-11-23"}}))
    one, other = cacerts(before, "east"), cacerts(after, "east")
    assert {name for name in one if one[name] != other[name]} == {"ca-cert.pem", "cert-chain.pem"}


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("ECDSA-P256", {"algorithm": "ECDSA", "ecdsaCurve": "P256"}),
        ("ECDSA-P384", {"algorithm": "ECDSA", "ecdsaCurve": "P384"}),
        ("RSA-2048", {"algorithm": "RSA", "rsaBits": 2048}),
        ("RSA-4096", {"algorithm": "RSA", "rsaBits": 4096}),
    ],
)
def test_a_key_is_a_resource_of_the_kind_that_was_asked_for(key: str, inputs: dict[str, Any]) -> None:
    root, intermediates = {"issued": "2026-11-23", "key": key}, {"key": key}
    recording = record(a_program(trust={"roots": [root], "intermediates": intermediates}), preview=True)
    for name in ("root-2026-11-23", "east-intermediate", "west-intermediate"):
        assert recording[f"PrivateKey prod-{name}"].inputs == inputs


def test_trust_of_somebody_else_makes_no_key_no_certificate_and_no_secret() -> None:
    recording = record(a_program(trust={"kind": "external"}))
    kinds = {row.short.split()[0] for row in recording}
    assert not kinds & {"Trust", "IntermediateAuthority", "PrivateKey"}
    assert not [row for row in recording if row.name.endswith("-cacerts")]
    assert recording["Chart prod-east-istiod"].after == ("Release prod-east-crds",)
    said = outputs(trust={"kind": "external"})
    assert (said["root_cert_pem"], said["root_fingerprints"], said["certificate_expiry"]) == ("", {}, {})


# What the mesh exports


def test_fingerprints_and_expiry_are_those_of_the_certificates() -> None:
    found = outputs(trust={"roots": [OLD, NEW], "signer": "b"})
    pems = [
        text + "-----END CERTIFICATE-----\n" for text in found["root_cert_pem"].split("-----END CERTIFICATE-----\n")
    ]
    assert found["root_fingerprints"] == {"2026-01-01": fingerprint(pems[0]), "b": fingerprint(pems[1])}
    assert found["certificate_expiry"] == {
        "root 2026-01-01": str(expiry(pems[0])),
        "root b": str(expiry(pems[1])),
        "east": "2028-11-22",
        "west": "2028-11-22",
    }


def test_the_days_that_are_planned_are_the_days_in_the_certificates() -> None:
    """The plan is what `check` prints, without a key at hand."""
    said = outputs(trust={"roots": [{"issued": "2026-11-01", "days": 60}]})["certificate_expiry"]
    recording = record(a_program(trust={"roots": [{"issued": "2026-11-01", "days": 60}]}))
    own, root = x509.load_pem_x509_certificates(cacerts(recording, "east")["cert-chain.pem"].encode())
    assert said["east"] == str(own.not_valid_after_utc.date())
    assert said["root 2026-11-01"] == str(root.not_valid_after_utc.date())
