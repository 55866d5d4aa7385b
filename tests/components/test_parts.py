"""Parts of a mesh that a program declares alone: the same objects as in a mesh, and the same care for what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import Mesh, TopologyError

from ..builders import CA, TOKEN, a_kubeconfig, program_args
from .parts import IN_CLUSTER, PARTS, TYPES, a_part
from .recorder import MadeCluster, Recording, failure, is_secret, is_unknown, record, revealed, run

every = pytest.mark.parametrize("kind", PARTS)
in_cluster = pytest.mark.parametrize("kind", IN_CLUSTER)


def made_by(kind: str, **changes: Any) -> Recording:
    return record(lambda: a_part(kind, **changes))


def refused(kind: str, opts: pulumi.ResourceOptions | None = None, **changes: Any) -> list[tuple[str, str]]:
    """The slugs and places of what is wrong; nothing may have been registered."""
    rows = failure(lambda: a_part(kind, opts, **changes))
    assert isinstance(rows.error, TopologyError), rows.error
    assert list(rows) == []
    return [(problem.slug, problem.where) for problem in rows.error.problems]


def test_every_part_has_a_use_here() -> None:
    assert set(PARTS) == set(TYPES)


@every
def test_a_part_is_one_component_around_everything_it_makes(kind: str) -> None:
    rows = made_by(kind)
    whole = f"{kind} one"
    assert rows[whole].type == f"istio-mesh:index:{kind}"
    assert len(list(rows)) > 1
    for row in rows:
        assert row.short == whole or whole in rows.ancestors(row.short), row.short


@every
def test_a_part_is_exactly_these_resources(kind: str, golden_text: SnapshotAssertion) -> None:
    """What a live stack knows them by."""
    assert made_by(kind).text() == golden_text


@every
def test_everything_of_a_part_is_called_by_its_name(kind: str) -> None:
    assert {row.name.split("-")[0].split(":")[0] for row in made_by(kind)} <= {"one", "other"}


@every
def test_a_preview_of_a_part_shows_what_up_will_make(kind: str) -> None:
    assert record(lambda: a_part(kind), preview=True).text() == made_by(kind).text()


@in_cluster
def test_every_object_of_a_part_goes_through_the_provider_of_its_kubeconfig(kind: str) -> None:
    objects = [row for row in made_by(kind) if row.of_kubernetes]
    assert objects
    assert {row.provider for row in objects} == {"kubernetes one"}


@in_cluster
def test_a_part_takes_the_provider_of_its_options_instead(kind: str) -> None:
    def program() -> None:
        own = k8s.Provider("mine", kubeconfig=a_kubeconfig())
        extra = {"api_server": "https://192.0.2.1:6443"} if kind == "IstioReader" else {}
        a_part(kind, pulumi.ResourceOptions(providers=[own]), kubeconfig=..., **extra)

    objects = [row for row in record(program) if row.of_kubernetes]
    assert {row.provider for row in objects} == {"kubernetes mine"}


@in_cluster
def test_a_part_without_a_way_into_its_cluster_is_refused(kind: str) -> None:
    extra = {"api_server": "https://192.0.2.1:6443"} if kind == "IstioReader" else {}
    assert refused(kind, kubeconfig=..., **extra) == [("kubeconfig-missing", "kubeconfig")]


@in_cluster
def test_a_kubeconfig_that_cannot_be_used_is_refused_and_not_shown(kind: str) -> None:
    rows = failure(
        lambda: a_part(kind, kubeconfig=a_kubeconfig().replace("current-context: here", "current-context: nowhere"))
    )
    assert list(rows) == []
    assert "\n  kubeconfig: " in str(rows.error)
    assert TOKEN not in str(rows.error)


@in_cluster
def test_a_kubeconfig_that_is_known_late_is_secret_and_unknown_in_a_preview(kind: str) -> None:
    def program() -> None:
        a_part(kind, kubeconfig=MadeCluster("made").kubeconfig)

    up, preview = record(program), record(program, preview=True)
    assert is_secret(up["kubernetes one"].inputs["kubeconfig"])
    assert is_unknown(preview["kubernetes one"].inputs["kubeconfig"])


@in_cluster
def test_a_cluster_may_have_any_name_that_istio_takes(kind: str) -> None:
    made_by(kind, cluster="gke-my-project-europe-west1-production-cluster-1")


@in_cluster
def test_a_name_that_is_none_is_one_problem(kind: str) -> None:
    assert refused(kind, cluster="C1_Prod") == [("cluster-name", "cluster")]


@in_cluster
def test_what_is_given_as_a_name_by_mistake_is_not_shown(kind: str) -> None:
    assert TOKEN not in str(failure(lambda: a_part(kind, cluster=a_kubeconfig())).error)


@pytest.mark.parametrize(
    "kind", [kind for kind in IN_CLUSTER if "after" in TYPES[kind].__init__.__annotations__["args"].__annotations__]
)
def test_a_part_comes_after_outputs_and_nothing_else(kind: str) -> None:
    assert refused(kind, after=pulumi.Output.from_input("x")) == [("topology-shape", "after")]
    assert refused(kind, after="x") == [("topology-shape", "after")]


def test_a_path_is_no_credential_now_or_late() -> None:
    found = ("kubeconfig-invalid", "reader_kubeconfig")
    assert refused("IstioRemoteSecret", reader_kubeconfig="west.kubeconfig") == [found]
    late = failure(lambda: a_part("IstioRemoteSecret", reader_kubeconfig=pulumi.Output.from_input("west.kubeconfig")))
    assert isinstance(late.error, TopologyError)
    assert "Secret one-remote-west" not in late


@every
def test_an_argument_that_is_not_known_is_refused(kind: str) -> None:
    assert ("unknown-key", "istio_versoin") in refused(kind, istio_versoin="1.31.1")


@pytest.mark.parametrize(
    ("kind", "missing"),
    [(kind, key) for kind in PARTS for key in sorted(TYPES[kind].__init__.__annotations__["args"].__required_keys__)],
)
def test_an_argument_that_is_missing_is_refused(kind: str, missing: str) -> None:
    assert ("missing-key", missing) in refused(kind, **{missing: ...})


@every
def test_problems_are_told_in_words_of_the_arguments(kind: str) -> None:
    """Not in those of the mesh around the part, which its user never typed."""
    changes: dict[str, Any] = {
        "IstioTrust": {"roots": []},
        "IstioRemote": {"istiod_address": "istiod.example.com"},
        "IstioExposure": {"services": False, "gateway_address": ...},
        "IstioRemoteSecret": {"reads": "east"},
        "GkeFlatNetwork": {"supernet": "10.0.0.0/24"},
        "GkeFlatCluster": {"region": "nowhere"},
        "IstioReader": {"api_server": "192.0.2.1"},
    }.get(kind, {"istio_version": "1.12.0"})
    rows = failure(lambda: a_part(kind, **changes))
    text = str(rows.error)
    assert "clusters.east" not in text
    assert "gke_networks" not in text
    assert "trust." not in text


def test_what_shapes_a_part_may_not_be_late() -> None:
    assert refused("IstioControlPlane", mesh_id=pulumi.Output.from_input("prod")) == [("late-value", "mesh_id")]


def test_a_control_plane_alone_has_the_objects_of_one_in_a_mesh() -> None:
    """But for its authority, which nobody gave here, and for what proves a whole mesh."""
    alone = {row.short: row for row in made_by("IstioControlPlane", cluster="one", mesh_id="one")}
    mesh_args = program_args(mesh_id="one", clusters={"one": {}}, verify={"level": "off"})
    mesh = {row.short.replace("one-one", "one"): row for row in record(lambda: Mesh("one", mesh_args))}
    missing = {name for name in mesh if mesh[name].of_kubernetes} - set(alone)
    assert missing == {"Secret one-cacerts", "ConfigMap one-shared-mesh-config"}
    for name in set(alone) & {name for name in mesh if mesh[name].of_kubernetes}:
        own, other = json.dumps(alone[name].inputs), json.dumps(mesh[name].inputs)
        assert own == other.replace("one-one", "one"), name


def test_an_istiod_signs_with_what_the_trust_of_the_mesh_gives_it() -> None:
    def program() -> None:
        trust = a_part("IstioTrust", mesh_id="prod")
        TYPES["IstioControlPlane"]("east", {**PARTS["IstioControlPlane"], "cacerts": trust.cacerts["east"]})

    rows = record(program)
    data = rows["Secret east-cacerts"].inputs["stringData"]
    assert is_secret(data)
    assert set(revealed(data)) == {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}


def test_an_authority_that_lacks_a_file_is_refused() -> None:
    files = dict.fromkeys(["ca-cert.pem", "cert-chain.pem", "root-cert.pem"], "PEM")
    assert refused("IstioControlPlane", cacerts=files) == [("trust-mixed", "cacerts.ca-key.pem")]


def test_an_authority_that_cannot_work_stops_the_program_before_istiod() -> None:
    files = dict.fromkeys(["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"], "PEM")
    rows = failure(lambda: a_part("IstioControlPlane", cacerts=files))
    assert isinstance(rows.error, TopologyError)
    assert "  cacerts.ca_cert: " in str(rows.error)
    assert "Chart one-istiod" not in rows


def test_the_address_of_a_primary_that_turns_out_to_be_a_name_stops_the_program() -> None:
    late = pulumi.Output.from_input
    rows = run(lambda: a_part("IstioRemote", istiod_address=late("istiod.example.com")))
    assert isinstance(rows.error, TopologyError)
    assert [problem.where for problem in rows.error.problems] == ["istiod_address"]


def test_a_gateway_comes_after_what_it_is_told_to_come_after() -> None:
    def program() -> None:
        plane = a_part("IstioControlPlane")
        TYPES["IstioEastWestGateway"]("gate", {**PARTS["IstioEastWestGateway"], "after": [plane.injector]})

    assert "PeerAuthentication one-mtls" in record(program).waits_for("Chart gate-east-west")


def test_a_gateway_opens_the_ports_of_istiod_only_where_it_carries_it() -> None:
    def ports(**changes: Any) -> set[int]:
        row = made_by("IstioEastWestGateway", **changes)["Service one-east-west"]
        return {int(port["port"]) for port in row.inputs["spec"]["ports"]}

    assert ports(carries_istiod=True) - ports() == {15012, 15017}


def test_the_credential_of_a_cluster_is_secret_wherever_it_goes() -> None:
    def program() -> None:
        reader = TYPES["IstioReader"]("west", {"kubeconfig": a_kubeconfig()})
        a_part("IstioRemoteSecret", reader_kubeconfig=reader.kubeconfig)

    data = record(program)["Secret one-remote-west"].inputs["stringData"]
    assert is_secret(data) or is_secret(data["west"])


def test_meshes_whose_federations_exchange_offers_trust_each_other() -> None:
    def program() -> None:
        trust = a_part("IstioTrust", mesh_id="prod")
        a_part("IstioFederation", root_certs=trust.root_certs)

    rows = record(program)
    assert {"AuthorizationPolicy one-callers-of-other", "Gateway one-exports"} <= set(rows.rows)
    assert "ConfigMap one-shared-mesh-config" in rows


def test_a_flat_network_lets_its_clusters_reach_each_other() -> None:
    rows = made_by("GkeFlatNetwork")
    assert {row.name for row in rows if row.short.startswith("Cluster ")} == {"one-east", "one-west"}
    assert any(row.short.startswith("Firewall one-west") for row in rows)


KEY = "-----BEGIN PRIVATE KEY-----\nnot-a-real-key\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("kind", "argument", "value", "slug"),
    [
        ("IstioReader", "api_server_ca", KEY, "api-server"),
        ("IstioReader", "api_server", "https://a.example|x", "api-server"),
        ("IstioFederation", "root_certs", f"{CA}{KEY}", "credential-in-fact"),
        ("IstioControlPlane", "chart_source", "https://a:not-a-real-key@charts.example", "credential-in-fact"),
        ("IstioRemote", "istiod_address", "https://a:not-a-real-key@east.example", "credential-in-fact"),
    ],
)
def test_a_credential_in_what_is_public_is_refused_and_not_shown(
    kind: str, argument: str, value: str, slug: str
) -> None:
    assert refused(kind, **{argument: value}) == [(slug, argument)]
    assert "not-a-real-key" not in str(failure(lambda: a_part(kind, **{argument: value})).error)


@pytest.mark.parametrize(
    ("kind", "argument", "value"),
    [
        ("IstioReader", "api_server_ca", KEY),
        ("IstioReader", "api_server", "https://a.example|x"),
        ("IstioFederation", "root_certs", f"{CA}{KEY}"),
    ],
)
def test_it_is_refused_as_soon_as_it_is_known(kind: str, argument: str, value: str) -> None:
    error = failure(lambda: a_part(kind, **{argument: pulumi.Output.secret(value)})).error
    assert isinstance(error, TopologyError)
    assert [problem.where for problem in error.problems] == [argument]
    assert "not-a-real-key" not in str(error)


def test_a_late_address_of_a_reader_without_a_kubeconfig_is_judged() -> None:
    def program() -> None:
        provider = k8s.Provider("east", kubeconfig=a_kubeconfig())
        facts = {"cluster": "east", "api_server": pulumi.Output.from_input("https://127.0.0.1")}
        TYPES["IstioReader"]("one", facts, pulumi.ResourceOptions(providers=[provider]))

    error = failure(program).error
    assert isinstance(error, TopologyError)
    assert [(problem.slug, problem.where) for problem in error.problems] == [("api-server", "api_server")]


def test_an_argument_of_the_mesh_that_holds_a_credential_is_taken_for_no_typing_error() -> None:
    error = failure(lambda: a_part("IstioReader", reader_credential="not-a-real-key")).error
    assert "'reader_credential' is no argument of this component\n" in str(error)
    assert "not-a-real-key" not in str(error)
