"""Certificate authorities that a user brings, and where they go.

What makes them bad, in every way, is in `istio/test_given_certificates.py`.
"""

from __future__ import annotations

from typing import Any

import pulumi

from pulumi_istio_mesh import Mesh
from pulumi_istio_mesh.istio.certificates import (
    IntermediateCertificate,
    RootCertificate,
    cacerts,
    intermediate_pem,
    root_pem,
)

from ..builders import TODAY, program_args
from .meshes import a_program, outputs
from .recorder import is_secret, private_key, record, revealed

ARGUMENTS = {
    "ca_cert": "ca-cert.pem",
    "ca_key": "ca-key.pem",
    "cert_chain": "cert-chain.pem",
    "root_cert": "root-cert.pem",
}


def brought(cluster: str, root: str = "company") -> dict[str, str]:
    """The authority of one cluster under a company's root, as its owner would give it."""
    facts = {"mesh_id": "prod", "trust_domains": ("prod.internal",), "issued": TODAY, "days": 90}
    root_key, own_key = private_key(f"root {root}"), private_key(f"own {cluster}")
    issuer = root_pem(RootCertificate(generation=root, **facts), root_key)  # type: ignore[arg-type]
    own = intermediate_pem(IntermediateCertificate(cluster=cluster, **facts), own_key, issuer, root_key)  # type: ignore[arg-type]
    files = cacerts(own, own_key, issuer, issuer)
    return {argument: files[file] for argument, file in ARGUMENTS.items()}


def given(**east: Any) -> dict[str, Any]:
    """Facts of a mesh whose trust is given, with parts of one cluster's changed."""
    return {
        "trust": {"kind": "given"},
        "clusters": {"east": {"cacerts": {**brought("east"), **east}}, "west": {"cacerts": brought("west")}},
    }


def test_given_certificates_are_what_istiod_signs_with() -> None:
    recording = record(a_program(**given()))
    for cluster in ("east", "west"):
        data = recording[f"Secret prod-{cluster}-cacerts"].inputs["stringData"]
        assert is_secret(data)
        assert revealed(data) == {file: brought(cluster)[argument] for argument, file in ARGUMENTS.items()}


def test_given_trust_makes_no_key_and_no_certificate() -> None:
    kinds = {row.short.split()[0] for row in record(a_program(**given()))}
    assert not kinds & {"Trust", "IntermediateAuthority", "PrivateKey"}


def test_the_given_root_is_told_and_is_public() -> None:
    assert outputs(**given())["root_cert_pem"] == brought("east")["root_cert"]


def test_given_certificates_may_be_late_and_unknown() -> None:
    def program() -> None:
        arguments = program_args(**given())
        made = pulumi.Output.secret(arguments["clusters"]["east"]["cacerts"]["ca_key"])
        arguments["clusters"]["east"]["cacerts"]["ca_key"] = made
        Mesh("prod", arguments)

    assert "Secret prod-east-cacerts" in record(program)
    assert "Secret prod-east-cacerts" in record(program, preview=True)
