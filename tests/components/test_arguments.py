"""What is refused before a program registers anything, and what is refused as soon as it is known.

Rules of plain facts are in `rules/`; here is that a program obeys them, and what only a program has: late values
and credentials.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
import yaml

from pulumi_istio_mesh import Mesh, TopologyError

from ..builders import CA, a_kubeconfig, as_program, mesh_tree, program_args
from ..rules.wrong import WRONG
from ..rules.wrong_row import Wrong
from .meshes import APART, a_program, on_made_clusters, outputs, with_late
from .recorder import MadeCluster, Recording, failure, record, revealed

rows = pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)


def problems(recording: Recording) -> list[tuple[str, str]]:
    """Slug and path of everything the program was refused for."""
    assert isinstance(recording.error, TopologyError), recording.error
    return [(problem.slug, problem.where) for problem in recording.error.problems]


def refused(arguments: Any) -> list[tuple[str, str]]:
    """What a program is told that registers nothing."""
    recording = failure(lambda: Mesh("prod", arguments))
    assert list(recording) == []
    return problems(recording)


def changed(cluster: Mapping[str, Any], **changes: Any) -> Any:
    """The usual arguments with facts of `east`; `...` leaves one out."""
    arguments = program_args(**changes)
    facts = {**arguments["clusters"]["east"], **cluster}
    arguments["clusters"]["east"] = {key: value for key, value in facts.items() if value is not ...}
    return arguments


# Plain facts


@rows
def test_a_wrong_topology_registers_not_one_resource(wrong: Wrong) -> None:
    found = refused(as_program(wrong.tree))
    assert (wrong.slug, wrong.where) in found
    assert len(found) == 1 + wrong.consequences


def test_a_refusal_is_printed_as_sentences_without_a_traceback() -> None:
    error = failure(a_program(mtls="off")).error
    assert isinstance(error, pulumi.RunError)
    assert str(error).startswith("Mesh 'prod': 1 problem\n\n  mtls: it should be 'strict' or 'permissive'\n    why: ")
    assert str(error).endswith("\n    see: docs/checks.md#topology-shape")


def test_a_mesh_is_called_like_its_component_unless_it_says_otherwise() -> None:
    assert outputs(mesh_id=...)["mesh_id"] == "prod"
    assert outputs(mesh_id="other")["mesh_id"] == "other"


def test_whole_numbers_that_arrive_as_floats_are_whole() -> None:
    """Pulumi's host for other languages sends 5 as 5.0."""
    gateway = {"ports": [{"name": "more", "port": 444.0}], "timeout_seconds": 30.0}
    recording = record(a_program(clusters={"east": {"east_west_gateway": gateway}, "west": {}}))
    service = recording["Service prod-east-east-west"].inputs
    assert service["spec"]["ports"][-1] == {"name": "more", "port": 444, "targetPort": 444}
    assert service["metadata"]["annotations"]["pulumi.com/timeoutSeconds"] == "30"


def test_what_is_none_is_left_out() -> None:
    """So a program may pass on what it was not given."""
    assert record(a_program(trust_domain=None, chart_source=None, values=None)).error is None


# Kubeconfigs


@pytest.mark.parametrize("kubeconfig", [..., None, "", " \n"], ids=["left out", "None", "empty", "blank"])
def test_a_missing_kubeconfig_is_refused_and_never_the_ambient_one(
    kubeconfig: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/etc/ambient")
    assert refused(changed({"kubeconfig": kubeconfig})) == [("kubeconfig-missing", "clusters.east.kubeconfig")]


@pytest.mark.parametrize("kubeconfig", ["~/.kube/config", "- a", "a: b", a_kubeconfig().replace("server", "s")])
def test_a_useless_kubeconfig_is_refused(kubeconfig: str) -> None:
    assert refused(changed({"kubeconfig": kubeconfig})) == [("kubeconfig-invalid", "clusters.east.kubeconfig")]


def test_a_kubeconfig_that_is_json_is_one_text_whatever_the_order_of_its_keys() -> None:
    """Programs in YAML have a mapping of it, shuffled for each run."""
    tree = yaml.safe_load(a_kubeconfig())
    for given in (tree, dict(reversed(tree.items()))):
        recording = record(lambda given=given: Mesh("prod", changed({"kubeconfig": pulumi.Output.secret(given)})))
        provider = revealed(recording["kubernetes prod-east"].inputs)
        assert provider["kubeconfig"] == json.dumps(tree, sort_keys=True)


def test_an_address_that_peers_could_not_dial_is_refused_where_it_comes_from_a_kubeconfig() -> None:
    local = {"kubeconfig": a_kubeconfig("https://127.0.0.1:6443")}
    assert refused(changed(local)) == [("api-server", "clusters.east.api_server")]


@pytest.mark.parametrize(
    "arguments",
    [
        changed({"kubeconfig": a_kubeconfig("https://127.0.0.1:6443"), "api_server": "https://192.0.2.1"}),
        as_program(mesh_tree(clusters={"east": {"kubeconfig": a_kubeconfig("https://127.0.0.1:6443")}})),
    ],
    ids=["peers get another address", "there are no peers"],
)
def test_a_loopback_address_is_allowed_where_no_peer_dials_it(arguments: Any) -> None:
    assert record(lambda: Mesh("prod", arguments)).error is None


# Trust


CACERTS = {"ca_cert": "a", "ca_key": "b", "cert_chain": "c", "root_cert": "d"}


@pytest.mark.parametrize("kind", ["generated", "external"])
def test_certificates_are_refused_where_nobody_uses_them(kind: str) -> None:
    trust = {"kind": kind, **({"roots": [{"issued": "2026-11-23"}]} if kind == "generated" else {})}
    assert refused(changed({"cacerts": CACERTS}, trust=trust)) == [("trust-mixed", "clusters.east.cacerts")]


def test_certificates_are_missed_cluster_by_cluster_where_trust_is_given() -> None:
    assert refused(program_args(trust={"kind": "given"})) == [
        ("trust-mixed", "clusters.east.cacerts"),
        ("trust-mixed", "clusters.west.cacerts"),
    ]


def test_all_problems_of_a_program_are_found_at_once() -> None:
    arguments = changed({"kubeconfig": "", "pod_cidr": "10.8.0.0/14", "network": "vpc"}, istio_version="1.29.0")
    arguments["clusters"]["west"] |= {"pod_cidr": "10.8.0.0/16", "network": "vpc", "cacerts": CACERTS}
    assert set(refused(arguments)) == {
        ("pod-cidr-overlap", "clusters.west.pod_cidr"),
        ("istio-version", "istio_version"),
        ("kubeconfig-missing", "clusters.east.kubeconfig"),
        ("trust-mixed", "clusters.west.cacerts"),
    }


# Late values


def late(path: str) -> Any:
    """The usual arguments with an Output at a path."""
    arguments: Any = changed({"east_west_gateway": {"ports": [{"name": "a", "port": 1}]}})
    *parents, leaf = path.split(".")
    at = arguments
    for part in parents:
        at = at[int(part)] if part.isdigit() else at.setdefault(part, {})
    at[leaf] = pulumi.Output.from_input("late")
    return arguments


@pytest.mark.parametrize(
    "path",
    [
        "istio_version",
        "mesh_id",
        "mtls",
        "clusters",
        "clusters.east",
        "clusters.east.network",
        "clusters.east.pod_cidr",
        "clusters.east.api_server_tls_name",
        "clusters.east.east_west_gateway",
        "clusters.east.east_west_gateway.type",
        "clusters.east.east_west_gateway.ports.0.port",
        "clusters.east.east_west_gateway.annotations",
        "clusters.east.values",
        "clusters.east.values.istiod.autoscaleMin",
        "clusters.east.values.istiod.annotations.some",
        "values.istiod.meshConfig.accessLogFile",
        "trust.roots.0.issued",
        "trust",
    ],
)
def test_a_late_value_that_shapes_the_mesh_is_refused(path: str) -> None:
    """Also in chart values: a preview would show the whole chart as deleted (pulumi-kubernetes#3699)."""
    recording = failure(lambda: Mesh("prod", late(path)))
    assert list(recording) == []
    assert problems(recording) == [("late-value", path)]
    assert isinstance(recording.error, TopologyError)
    (problem,) = recording.error.problems
    assert problem.fix == "give a plain value, from stack config or from the program itself"


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("clusters.east.api_server", "https://192.0.2.9"),
        ("clusters.east.api_server_ca", CA),
        ("clusters.east.east_west_gateway.address", "203.0.113.7"),
        ("clusters.east.east_west_gateway.annotations.cloud/subnet", "a"),
    ],
)
def test_a_late_value_that_shapes_nothing_is_allowed(path: str, plain: str) -> None:
    def program() -> None:
        arguments = late(path)
        at = arguments
        *parents, leaf = path.split(".")
        for part in parents:
            at = at[part]
        at[leaf] = pulumi.Output.from_input(plain)
        Mesh("prod", arguments)

    assert record(program).error is None
    assert record(program, preview=True).error is None


def test_a_late_annotation_may_have_a_key_with_dots() -> None:
    key = "service.beta.kubernetes.io/subnets"

    def program() -> None:
        gateway = {"annotations": {key: pulumi.Output.from_input("a")}}
        Mesh("prod", program_args(clusters={"east": {"east_west_gateway": gateway}, "west": {}}))

    assert record(program)["Service prod-east-east-west"].inputs["metadata"]["annotations"][key] == "a"


LATE_AND_BAD = {
    "a loopback address in a kubeconfig": (
        on_made_clusters("https://127.0.0.1:6443"), "api-server", "clusters.east.api_server"
    ),
    "an address without TLS": (
        with_late("api_server", "http://192.0.2.9"), "api-server", "clusters.east.api_server"
    ),
    "an empty kubeconfig": (with_late("kubeconfig", ""), "kubeconfig-missing", "clusters.east.kubeconfig"),
    "no kubeconfig after all": (with_late("kubeconfig", None), "kubeconfig-missing", "clusters.east.kubeconfig"),
    "a path": (with_late("kubeconfig", "~/.kube/config"), "kubeconfig-invalid", "clusters.east.kubeconfig"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "slug", "where"), LATE_AND_BAD.values(), ids=LATE_AND_BAD)
def test_a_late_value_that_is_bad_stops_the_program_before_its_clusters_first_object(
    program: Any, slug: str, where: str
) -> None:
    recording = failure(program)
    assert problems(recording) == [(slug, where)]
    assert str(recording.error).startswith("cluster 'east': 1 problem\n\n  clusters.east.")
    of_east = [row.short for row in recording if row.name.startswith("prod-east")]
    assert not [name for name in of_east if recording[name].of_kubernetes or name.startswith("kubernetes ")]
    assert "Secret prod-west-remote-east" not in recording


def test_a_late_address_that_is_good_is_what_peers_use() -> None:
    assert record(with_late("api_server", "https://192.0.2.9")).error is None


def test_a_late_kubeconfig_with_a_local_address_is_allowed_where_no_peer_dials_it() -> None:
    assert record(on_made_clusters("https://127.0.0.1:6443", clusters={"east": {}})).error is None


def test_a_token_that_never_came_stops_the_program_with_what_to_do() -> None:
    recording = failure(a_program(), token=False)
    assert isinstance(recording.error, pulumi.RunError)
    assert str(recording.error).endswith("the cluster's controller-manager fills it. Run again")
    assert not [row for row in recording if "remote" in row.name]


def test_a_made_cluster_waits_for_nothing_of_the_others() -> None:
    recording = record(on_made_clusters(clusters=APART))
    assert recording["kubernetes prod-east"].after == (f"Cluster {MadeCluster.TYPE and 'made'}",)
    assert recording["kubernetes prod-west"].after == ()


KEY_PEM = "-----BEGIN PRIVATE KEY-----\nnot-a-real-key\n-----END PRIVATE KEY-----\n"
NO_AUTHORITIES = {
    "a private key": (KEY_PEM, "it holds a private key"),
    "a certificate and its key": (CA + KEY_PEM, "it holds a private key"),
    "a key and a certificate": (KEY_PEM + CA, "it holds a private key"),
    "a token": ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "it holds a token"),
    "a certificate with a comment": (f"# not-a-real-key\n{CA}", "it holds something else than certificates in PEM"),
    "a certificate and a request": (
        CA + CA.replace("CERTIFICATE", "CERTIFICATE REQUEST"), "it holds something else than certificates in PEM",
    ),
    "a word": ("not-a-real-key", "it holds something else than certificates in PEM"),
    "base64 of a certificate": (base64.b64encode(CA.encode()).decode(), "it is base64 of a PEM, and should be the PEM"),
    "a certificate that is cut off": (CA.replace("MII", "MIJ", 1), "one of its certificates can't be read"),
    "a certificate that is no base64": (CA.replace("MII", "M=I", 1), "one of its certificates can't be read"),
    "a number": (1, "it is not text"),
}  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["known", "late"])
@pytest.mark.parametrize(("pem", "finding"), NO_AUTHORITIES.values(), ids=NO_AUTHORITIES)
def test_what_verifies_an_api_server_is_certificates_and_nothing_else(pem: Any, finding: str, known: bool) -> None:
    def program() -> None:
        given = pem if known else pulumi.Output.secret(pem)
        Mesh("prod", program_args(clusters={"east": {"api_server_ca": given}, "west": {}}))

    recording = failure(program)
    assert isinstance(recording.error, TopologyError)
    (problem,) = recording.error.problems
    assert (problem.slug, problem.where, problem.what) == ("api-server", "clusters.east.api_server_ca", finding)
    assert "not-a-real" not in f"{recording.error!r} {recording.log}"
    # Nothing that would hold it is made.
    assert not {"Job prod-west-api-servers", "Secret prod-west-remote-east"} & {row.short for row in recording}


@pytest.mark.parametrize("pem", [CA, CA + CA, f"\n{CA}\n\n{CA}\n", CA.replace("\n", "\r\n"), CA.strip(), ""])
def test_certificates_of_authorities_are_taken_as_they_are(pem: str) -> None:
    args = program_args(clusters={"east": {"api_server_ca": pem}, "west": {}})
    assert record(lambda: Mesh("prod", args)).error is None
