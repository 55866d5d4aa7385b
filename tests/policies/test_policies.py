"""The example of a policy pack, asked as the engine asks it, about what programs of meshes register.

What charts hold is registered by the provider and not seen here: one such object stands for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
import pytest
from cryptography import x509
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from pulumi_istio_mesh import Mesh

from ..builders import program_args
from ..components.meshes import APART, SERVED, SERVED_APART, a_program
from ..components.recorder import Registered, record
from ..components.test_gke import args as gke_args
from ..host.engine import ROOT, started, struct
from ..rules.test_offers import an_offer, bare_root, root

PEER = {"shop": {"imports": {"cart.web": {"ports": {"http": 8080}, "namespaces": ["web"], "rewrite_host": True}}}}


@pytest.fixture(autouse=True)
def on_a_fixed_day(programs_on_a_day: None) -> None:
    """Whatever the machine's clock says."""


@pytest.fixture(scope="module")
def pack() -> Iterator[Any]:
    """The pack, as its own process."""
    with started(ROOT / "examples/policies", "127.0.0.1:1") as (address, _), grpc.insecure_channel(address) as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)


def configured(pack: Any, **policies: Mapping[str, Any]) -> None:
    """Configure policies by their names, as a stack's policy group or a file does."""
    config = {
        name.replace("_", "-"): analyzer_pb2.PolicyConfig(properties=struct(given)) for name, given in policies.items()
    }
    pack.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config))


@pytest.fixture(autouse=True)
def as_it_is(pack: Any) -> None:
    """Every test starts with no configuration."""
    configured(pack)


def told(pack: Any, rows: Iterable[Registered]) -> dict[tuple[str, str], str]:
    """What the pack says of resources, by policy and name of the resource."""
    rows = list(rows)
    asked = [(row, as_told(row)) for row in rows]
    found = {}
    for row, resource in asked:
        request = {field: resource[field] for field in ("type", "properties", "urn", "name", "provider")}
        for said in pack.Analyze(analyzer_pb2.AnalyzeRequest(**request)).diagnostics:
            found[said.policyName, row.name] = said.message
    resources = [analyzer_pb2.AnalyzerResource(**resource) for _, resource in asked]
    for said in pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)).diagnostics:
        found[said.policyName, said.urn.rpartition("::")[2]] = said.message
    return found


def as_told(row: Registered) -> dict[str, Any]:
    """A registration as the engine tells a policy pack of it."""
    _, _, provider = row.provider.rpartition(" ")
    provider_urn = f"urn:pulumi:s::p::pulumi:providers:kubernetes::{provider}"
    return {
        "type": row.type,
        "properties": struct(row.inputs),
        "urn": f"urn:pulumi:s::p::{row.type}::{row.name}",
        "name": row.name,
        "provider": analyzer_pb2.AnalyzerProviderResource(
            type="pulumi:providers:kubernetes", urn=provider_urn, name=provider
        )
        if provider
        else None,
    }


def of(pack: Any, arguments: Any = None, **changes: Any) -> dict[tuple[str, str], str]:
    """What the pack says of a mesh."""
    given = arguments if arguments is not None else program_args(**changes)
    return told(pack, record(lambda: Mesh("prod", given)))


def an_object(kind: str, name: str = "some", **inputs: Any) -> Registered:
    """One resource as another program might register it."""
    return Registered(
        type=kind, name=name, parent="", provider="kubernetes prod-east", after=(), protect=False,
        retain_on_delete=False, delete_first=False, aliases=(), imported="", inputs=inputs,
    )  # fmt: skip


# Meshes as this package makes them


@pytest.mark.parametrize("clusters", [APART, SERVED, SERVED_APART], ids=["apart", "served", "served apart"])
def test_a_mesh_as_it_is_breaks_no_policy_that_is_mandatory(pack: Any, clusters: Any) -> None:
    configured(pack, pinned_version={"versions": ["1.31.1"]})
    assert {policy for policy, _ in of(pack, clusters=clusters)} == {"closed-load-balancers"}


def test_the_only_policy_that_lets_an_update_go_on_is_of_load_balancers(pack: Any) -> None:
    levels = {policy.name: policy.enforcementLevel for policy in pack.GetAnalyzerInfo(empty_pb2.Empty()).policies}
    advisory = [name for name, level in levels.items() if level == analyzer_pb2.ADVISORY]
    assert advisory == ["closed-load-balancers"]
    assert len(levels) == 6


def test_every_message_says_what_to_do(pack: Any) -> None:
    configured(pack, pinned_version={"versions": ["1.30.2"]})
    peers = {"shop": {"imports": PEER["shop"]["imports"], "offer": an_offer(roots=bare_root("shop"))}}
    peers["shop"]["accept"] = ["unconstrained-roots"]
    found = of(pack, mtls="permissive", peers=peers)
    assert {policy for policy, _ in found} >= {"no-plaintext", "strict-mtls", "constrained-roots", "pinned-version"}
    assert all("Write " in said or "Ask " in said for said in found.values())


# STRICT mTLS


def test_a_permissive_mesh_is_refused_at_its_policy_and_at_its_istiods(pack: Any) -> None:
    found = set(of(pack, mtls="permissive"))
    assert {name for policy, name in found if policy == "no-plaintext"} == {"prod-east-mtls", "prod-west-mtls"}
    assert {name for policy, name in found if policy == "strict-mtls"} == {"prod-east-istiod", "prod-west-istiod"}


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({"mtls": {"mode": "STRICT"}}, False),
        ({}, False),
        ({"mtls": {"mode": "DISABLE"}}, True),
        ({"mtls": {"mode": "STRICT"}, "portLevelMtls": {"8080": {"mode": "PERMISSIVE"}}}, True),
    ],
    ids=["strict", "as around it", "off", "a port"],
)
def test_somebody_elses_policy_for_workloads_is_judged_too(pack: Any, spec: Any, refused: bool) -> None:
    row = an_object("kubernetes:security.istio.io/v1beta1:PeerAuthentication", metadata={"namespace": "web"}, spec=spec)
    assert (("no-plaintext", "some") in told(pack, [row])) == refused


def test_a_namespace_may_be_excepted(pack: Any) -> None:
    configured(pack, no_plaintext={"namespaces": ["legacy"]})
    kind = "kubernetes:security.istio.io/v1:PeerAuthentication"
    spec = {"mtls": {"mode": "PERMISSIVE"}}
    rows = [an_object(kind, name, metadata={"namespace": name}, spec=spec) for name in ("legacy", "web")]
    assert set(told(pack, rows)) == {("no-plaintext", "web")}


def test_an_istiod_of_a_chart_is_found_by_its_deployment(pack: Any) -> None:
    row = an_object("kubernetes:apps/v1:Deployment", "istiod", metadata={"labels": {"app": "istiod"}})
    assert set(told(pack, [row])) == {("strict-mtls", "istiod")}


# Roots of other meshes


def shared(*roots: str, domains: tuple[str, ...] = ("shop.internal",)) -> Registered:
    """The mesh config of a mesh that trusts these roots for the mesh shop."""
    authorities = [{"pem": pem, "trustDomains": list(domains)} for pem in roots]
    return an_object("kubernetes:core/v1:ConfigMap", data={"mesh": json.dumps({"caCertificates": authorities})})


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (root("shop"), ""),
        (root("shop", "shop.internal", "prod.internal"), "may vouch for prod.internal too"),
        (bare_root("shop"), "has no name constraints"),
        (
            bare_root("shop", (x509.NameConstraints([x509.DNSName("shop.example")], None), True)),
            "may vouch for every identity",
        ),
    ],
    ids=["for itself", "for another mesh too", "bare", "without URIs"],
)
def test_a_root_vouches_for_its_own_mesh_alone(pack: Any, pem: str, said: str) -> None:
    found = told(pack, [shared(pem)])
    assert ([said in text for text in found.values()] == [True]) if said else found == {}


def test_a_foreign_root_of_a_mesh_is_judged_where_it_is_trusted(pack: Any) -> None:
    peers = {"shop": {**PEER["shop"], "offer": an_offer(roots=bare_root("shop")), "accept": ["unconstrained-roots"]}}
    found = {key for key in of(pack, peers=peers) if key[0] != "closed-load-balancers"}
    assert found == {("constrained-roots", f"prod-{cluster}-shared-mesh-config") for cluster in ("east", "west")}


def test_a_trust_domain_may_be_excepted(pack: Any) -> None:
    configured(pack, constrained_roots={"trustDomains": ["shop.internal"]})
    assert told(pack, [shared(bare_root("shop")), shared(bare_root("bank"), domains=("bank.internal",))]) != {}
    assert told(pack, [shared(bare_root("shop"))]) == {}


# The version of Istio


def test_a_version_that_is_not_allowed_is_refused_at_every_chart(pack: Any) -> None:
    configured(pack, pinned_version={"versions": ["1.30.2", "1.30.3"]})
    found = {name: said for (policy, name), said in of(pack).items() if policy == "pinned-version"}
    assert {"prod-east-crds", "prod-east-base", "prod-east-istiod", "prod-east-east-west"} <= set(found)
    assert 'Istio 1.31.1, and 1.30.2, 1.30.3 is allowed. Write istio_version: "1.30.2"' in found["prod-east-istiod"]


def test_what_is_in_a_chart_is_judged_by_the_chart_it_is_of(pack: Any) -> None:
    configured(pack, pinned_version={"versions": ["1.31.1"]})
    rows = [
        an_object("kubernetes:core/v1:Service", chart, metadata={"labels": {"helm.sh/chart": chart}})
        for chart in ("istiod-1.31.0", "istiod-1.31.1", "cert-manager-1.2.3")
    ]
    assert set(told(pack, rows)) == {("pinned-version", "istiod-1.31.0")}


@pytest.mark.parametrize("chart", ["base", "/mirror/charts/istiod", "oci://registry.example/charts/gateway"])
def test_a_chart_without_an_exact_version_is_refused_wherever_it_comes_from(pack: Any, chart: str) -> None:
    row = an_object("kubernetes:helm.sh/v3:Release", chart=chart, version=">=1.31")
    assert ("pinned-version", "some") in told(pack, [row])


# Who is let in


def test_the_firewall_of_gke_clusters_lets_nobody_in_but_who_is_named(pack: Any) -> None:
    assert not [name for policy, name in of(pack, gke_args()) if policy == "closed-firewalls"]


@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({"sourceRanges": ["0.0.0.0/0"]}, True),
        ({"sourceRanges": ["10.0.0.0/8", "::/0"]}, True),
        ({}, True),
        ({"sourceTags": ["web"]}, False),
        ({"sourceRanges": ["10.0.0.0/8"]}, False),
        ({"direction": "EGRESS"}, False),
    ],
    ids=["everybody", "everybody by IPv6", "nobody named", "by tag", "a range", "on the way out"],
)
def test_a_rule_that_lets_everybody_in_is_refused(pack: Any, inputs: Any, refused: bool) -> None:
    row = an_object("gcp:compute/firewall:Firewall", name="rule", allows=[{"protocol": "tcp"}], **inputs)
    assert (told(pack, [row]) != {}) == refused


def test_a_load_balancer_with_ranges_or_an_internal_one_is_not_told(pack: Any) -> None:
    internal = {"networking.gke.io/load-balancer-type": "Internal"}
    clusters = {
        "east": {"east_west_gateway": {"source_ranges": "192.0.2.0/24"}},
        "west": {"east_west_gateway": {"annotations": internal}},
        "north": {},
    }
    assert [name for policy, name in of(pack, clusters=clusters) if policy == "closed-load-balancers"] == [
        "prod-north-east-west"
    ]


# Previews


def test_what_is_not_known_yet_stops_no_preview(pack: Any) -> None:
    rows = record(a_program(peers=PEER), preview=True)
    assert {policy for policy, _ in told(pack, rows)} <= {"closed-load-balancers", "constrained-roots"}
