"""The keys of the stand-in for pulumi-tls, as OpenSSL reads them. The engine's side of it needs the engine."""

import subprocess

import pytest

from lab.tls_provider import describe, generate

SETTINGS = {
    "ECDSA P224": {"algorithm": "ECDSA", "ecdsaCurve": "P224"},
    "ECDSA P256": {"algorithm": "ECDSA", "ecdsaCurve": "P256"},
    "RSA 2048": {"algorithm": "RSA", "rsaBits": 2048.0},
    "ED25519": {"algorithm": "ED25519"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("form", ["privateKeyPem", "privateKeyPemPkcs8"])
def test_openssl_derives_the_public_key_from_each_private_form(settings, form):
    described = describe(generate(settings))
    derived = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=described[form], capture_output=True, text=True, check=True
    )
    assert derived.stdout == described["publicKeyPem"]


def test_openssh_does_not_know_p224():
    described = describe(generate(SETTINGS["ECDSA P224"]))
    assert (described["publicKeyOpenssh"], described["publicKeyFingerprintMd5"]) == ("", "")


def test_a_fingerprint_is_written_as_openssh_writes_it():
    described = describe(generate(SETTINGS["ED25519"]))
    assert described["publicKeyFingerprintSha256"].startswith("SHA256:")
    assert len(described["publicKeyFingerprintMd5"]) == 16 * 3 - 1
