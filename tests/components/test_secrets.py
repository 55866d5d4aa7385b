"""What is secret stays secret on its way to the engine, and never stands in what a program says."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh import Mesh, TopologyError
from pulumi_istio_mesh.components.remote_secret import Reader
from pulumi_istio_mesh.components.trust import IntermediateAuthority, Trust

from ..builders import CA, TOKEN, a_kubeconfig, a_mesh, program_args
from .meshes import a_program, apart, on_made_clusters, with_late
from .recorder import failure, is_secret, record, revealed

KEY = "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("resource", "argument"),
    [
        ("kubernetes prod-east", "kubeconfig"),
        ("Secret prod-east-cacerts", "stringData"),
        ("Secret prod-east-remote-west", "stringData"),
    ],
)
def test_a_credential_reaches_the_engine_as_a_secret(resource: str, argument: str) -> None:
    assert is_secret(apart()[resource].inputs[argument])


def test_a_kubeconfig_is_secret_in_a_preview_too() -> None:
    assert is_secret(record(a_program(), preview=True)["kubernetes prod-east"].inputs["kubeconfig"])


def test_a_kubeconfig_that_nobody_marked_is_secret_too() -> None:
    assert is_secret(record(on_made_clusters())["kubernetes prod-east"].inputs["kubeconfig"])


def leaves(value: Any) -> list[str]:
    """Every text that would stand in the state unencrypted."""
    if is_secret(value):
        return []
    if isinstance(value, dict):
        return [text for item in value.values() for text in leaves(item)]
    if isinstance(value, list):
        return [text for item in value for text in leaves(item)]
    return [str(value)]


def test_no_credential_stands_anywhere_else() -> None:
    for row in apart():
        for text in leaves(row.inputs):
            assert TOKEN not in text, row.short
            assert KEY not in text, row.short
            assert "token of" not in text, row.short


def test_a_remote_secret_holds_the_token_of_the_cluster_it_reads() -> None:
    (text,) = revealed(apart()["Secret prod-east-remote-west"].inputs["stringData"]).values()
    config = json.loads(text)
    assert config["users"] == [{"name": "west", "user": {"token": "token of prod-west-reader-token"}}]
    assert config["clusters"][0]["cluster"] == {
        "server": "https://192.0.2.2:6443",
        "certificate-authority-data": base64.b64encode(b"ca").decode(),
    }


def test_a_given_address_authority_and_name_are_what_peers_use() -> None:
    facts = {"api_server": "https://api.example", "api_server_ca": CA, "api_server_tls_name": "other.example"}
    rows = record(a_program(clusters={"east": {}, "west": facts}))
    (text,) = revealed(rows["Secret prod-east-remote-west"].inputs["stringData"]).values()
    assert json.loads(text)["clusters"][0]["cluster"] == {
        "server": "https://api.example",
        "certificate-authority-data": base64.b64encode(CA.encode()).decode(),
        "tls-server-name": "other.example",
    }


def test_a_part_that_is_taken_alone_gives_its_credentials_as_secrets() -> None:
    """Kubernetes' SDK marks what goes into a Secret; the Outputs of a part may go anywhere."""
    seen: dict[str, bool] = {}

    def program() -> None:
        topology = a_mesh(east={}, west={})
        trust = Trust("alone", topology)
        authority = IntermediateAuthority("alone-east", "east", topology, trust)
        reader = Reader("alone-east", "east", served_by="east", account="reader", server="https://192.0.2.1")
        for name, output in {
            "signer_key": trust.signer_key,
            "cacerts": authority.cacerts,
            "kubeconfig": reader.kubeconfig,
            "signer_cert": trust.signer_cert,
            "root_certs": trust.root_certs,
        }.items():
            pulumi.Output.from_input(output.is_secret()).apply(partial(seen.__setitem__, name))

    record(program)
    assert seen == {
        "signer_key": True,
        "cacerts": True,
        "kubeconfig": True,
        "signer_cert": False,
        "root_certs": False,
    }


def test_the_roots_are_public() -> None:
    seen: list[bool] = []

    def program() -> None:
        mesh = Mesh("prod", program_args())
        for output in (mesh.root_cert_pem, mesh.root_fingerprints, mesh.gateways, mesh.certificate_expiry):
            pulumi.Output.from_input(output.is_secret()).apply(seen.append)

    record(program)
    assert seen == [False] * 4


# What a program says

SECRET = "hunter2-the-marker"
CACERTS = {"ca_cert": SECRET, "ca_key": f"{KEY}{SECRET}", "cert_chain": SECRET, "root_cert": SECRET}


@pytest.mark.parametrize(
    "cluster",
    [
        {"kubeconfig": f"users: [{{token: {SECRET}"},
        {"kubeconfig": f"~/.kube/{SECRET}"},
        {"kubeconfig": a_kubeconfig("http://192.0.2.1").replace(TOKEN, SECRET)},
        {"kubeconfig": a_kubeconfig(f"https://admin:{SECRET}@192.0.2.1")},
        {"kubeconfig": a_kubeconfig().replace("here", SECRET, 1)},
        {"kubeconfig": {"token": SECRET}},
        {"kubeconfig": 1, "netwrok": SECRET},
        {"cacerts": CACERTS},
        {"cacerts": SECRET},
        {"api_server": f"https://admin:{SECRET}@192.0.2.1"},
        {"api_server_ca": f"{KEY}{SECRET}", "crds": "skip"},
        {"crds": SECRET},
        {"pod_cidr": 1, "kubeconfigs": SECRET},
        {"east_west_gateway": {"annotations": {"a": [SECRET]}}},
        {"east_west_gateway": SECRET},
        SECRET,
    ],
    ids=repr,
)
def test_no_refusal_repeats_a_credential(cluster: Any) -> None:
    arguments = program_args()
    given = arguments["clusters"]["east"]
    arguments["clusters"]["east"] = {**given, **cluster} if isinstance(cluster, dict) else cluster
    recording = failure(lambda: Mesh("prod", arguments))
    error = recording.error
    assert isinstance(error, TopologyError)
    said = f"{error} {error!r} {error.problems!r} {error.__cause__!r} {recording.log}"
    assert SECRET not in said


@pytest.mark.parametrize(
    "text", [f"users: [{{token: {SECRET}", f"~/{SECRET}", a_kubeconfig("http://a").replace(TOKEN, SECRET)]
)
def test_no_late_refusal_repeats_a_credential(text: str) -> None:
    recording = failure(with_late("kubeconfig", text))
    assert isinstance(recording.error, TopologyError)
    assert SECRET not in f"{recording.error} {recording.error!r} {recording.error.problems!r} {recording.log}"
