"""Certificate authorities that a user brings: where they go, and that bad ones stop the program before istiod.

What makes them bad, in every way, is in `istio/test_given_certificates.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh import Mesh, TopologyError
from pulumi_istio_mesh.istio.certificates import (
    IntermediateCertificate,
    RootCertificate,
    cacerts,
    intermediate_pem,
    root_pem,
)

from ..builders import TODAY, program_args
from .meshes import a_program, outputs
from .recorder import Recording, failure, is_secret, private_key, record, revealed

ARGUMENTS = {
    "ca_cert": "ca-cert.pem",
    "ca_key": "ca-key.pem",
    "cert_chain": "cert-chain.pem",
    "root_cert": "root-cert.pem",
}


def brought(cluster: str, root: str = "company", issued: dt.date = TODAY) -> dict[str, str]:
    """The authority of one cluster under a company's root, as its owner would give it."""
    facts = {"mesh_id": "prod", "trust_domains": ("prod.internal",), "issued": issued, "days": 90}
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


def late(part: str, value: str) -> Recording:
    """A program that learns one part of one cluster's authority late, and must fail by it."""

    def program() -> None:
        arguments = program_args(**given())
        arguments["clusters"]["east"]["cacerts"][part] = pulumi.Output.secret(value)
        Mesh("prod", arguments)

    return failure(program)


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


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("ca_key", brought("west")["ca_key"]),
        ("ca_cert", brought("west")["ca_cert"]),
        ("root_cert", brought("east", root="other")["root_cert"]),
        ("cert_chain", ""),
        ("ca_cert", "hunter2"),
    ],
    ids=["a foreign key", "a foreign certificate", "a foreign root", "no chain", "no PEM at all"],
)
def test_certificates_that_cannot_work_stop_the_program_before_istiod(part: str, value: str) -> None:
    recording = late(part, value)
    assert isinstance(recording.error, TopologyError)
    assert {problem.slug for problem in recording.error.problems} == {"trust-given"}
    assert "Secret prod-east-cacerts" not in recording
    assert "Chart prod-east-istiod" not in recording


def test_clusters_under_two_roots_are_refused() -> None:
    recording = failure(a_program(**given(**brought("east", root="other"))))
    assert isinstance(recording.error, TopologyError)
    assert {problem.slug for problem in recording.error.problems} == {"trust-given"}


def test_no_refusal_repeats_a_given_key() -> None:
    key = brought("west")["ca_key"]
    recording = late("ca_key", key)
    error = recording.error
    assert isinstance(error, TopologyError)
    said = f"{error} {error!r} {error.problems!r} {recording.log}"
    assert not [line for line in key.splitlines()[1:-1] if line in said]
