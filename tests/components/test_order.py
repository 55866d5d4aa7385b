"""What waits for what: the claims of the design, as edges of the recorded graph.

An edge is there or isn't; whether it is needed is shown by the lab.
"""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from .meshes import a_program, apart, flat
from .recorder import Recording, record

meshes = pytest.mark.parametrize("mesh", [apart, flat], ids=["two networks", "one network"])
each = pytest.mark.parametrize("cluster", ["east", "west"])


def gate(cluster: str) -> str:
    """What is there once the cluster's API server has reached istiod's webhook: the first Istio object."""
    return f"PeerAuthentication prod-{cluster}-mtls"


@each
def test_the_namespace_waits_for_nothing_but_its_provider(cluster: str) -> None:
    assert apart()[f"Namespace prod-{cluster}-namespace"].after == ()


@each
def test_istiod_starts_after_its_authority_and_its_crds(cluster: str) -> None:
    assert apart()[f"Chart prod-{cluster}-istiod"].after == (
        f"Release prod-{cluster}-crds",
        f"Secret prod-{cluster}-cacerts",
    )


@each
def test_the_gate_waits_for_istiod_and_for_its_webhook(cluster: str) -> None:
    webhook = f"MutatingWebhookConfigurationPatch prod-{cluster}-injector"
    assert apart()[gate(cluster)].after == (webhook,)
    row = apart()[webhook]
    assert row.after == (f"Chart prod-{cluster}-istiod",)
    annotations = row.inputs["metadata"]["annotations"]
    assert json.loads(annotations["pulumi.com/waitFor"]) == [
        "jsonpath={.webhooks[0].clientConfig.caBundle}",
        f"jsonpath={{.metadata.annotations['istio-mesh/injects-for']}}={cluster}",
    ]


@each
def test_objects_that_istiod_judges_wait_for_the_gate(cluster: str) -> None:
    assert apart()[f"Gateway prod-{cluster}-exposure"].after == (gate(cluster),)


@each
def test_pods_of_gateways_wait_for_injection_and_for_the_rule_that_lets_callers_in(cluster: str) -> None:
    """Callers come as soon as the gateway is ready, and would find it closed."""
    rule = f"Gateway prod-{cluster}-exposure"
    assert apart()[f"Chart prod-{cluster}-east-west"].after == (rule, gate(cluster))


@each
def test_the_load_balancer_is_asked_for_as_soon_as_there_is_a_namespace(cluster: str) -> None:
    """It takes a cloud a minute, and istiod takes as long."""
    assert apart()[f"Service prod-{cluster}-east-west"].after == (f"Namespace prod-{cluster}-namespace",)


@meshes
@each
def test_the_reader_token_waits_for_the_account_it_is_for(mesh: Recording, cluster: str) -> None:
    assert mesh()[f"Secret prod-{cluster}-reader-token"].after == (f"Chart prod-{cluster}-base",)  # type: ignore[operator]


@meshes
@pytest.mark.parametrize(("reader", "read"), [("east", "west"), ("west", "east")])
def test_a_remote_secret_waits_for_a_token_a_namespace_and_the_proof_that_the_api_server_is_in_reach(
    mesh: Recording, reader: str, read: str
) -> None:
    assert set(mesh()[f"Secret prod-{reader}-remote-{read}"].after) >= {  # type: ignore[operator]
        f"Job prod-{reader}-api-servers",
        f"Namespace prod-{reader}-namespace",
        f"Secret prod-{read}-reader-token",
    }


@pytest.mark.parametrize(("reader", "read"), [("east", "west"), ("west", "east")])
def test_a_cluster_on_another_network_is_discovered_once_its_gateway_is_there(reader: str, read: str) -> None:
    """Before, its pods would be dialled at addresses that lead nowhere."""
    gateway = {f"Chart prod-{read}-east-west", f"Service prod-{read}-east-west"}
    assert set(apart()[f"Secret prod-{reader}-remote-{read}"].after) >= gateway


def test_only_data_crosses_clusters_and_only_into_remote_secrets_and_gates() -> None:
    """So one slow cluster holds up nobody but those who want to read it, or prove that they reach it."""
    rows = record(a_program(clusters={"a": {}, "b": {}, "c": {"network": "vpc"}, "d": {"network": "vpc"}}))

    def cluster_of(name: str) -> str:
        return name.split()[1].split("-")[1]

    crossing = {
        (row.short, other)
        for row in rows
        for other in (*row.after, row.provider)
        if other and cluster_of(other) not in (cluster_of(row.short), "root")
    }
    discovery = {
        (row, f"Secret prod-{read}-reader-token")
        for reader, read in permutations("abcd", 2)
        for row in (f"Secret prod-{reader}-remote-{read}", f"Job prod-{reader}-api-servers")
    }
    gateways = {
        (f"Secret prod-{reader}-remote-{read}", f"{kind} prod-{read}-east-west")
        for reader, read in permutations("abcd", 2)
        if {reader, read} != {"c", "d"}
        for kind in ("Chart", "Service")
    }
    proof = {
        (f"Job prod-{reader}-mesh", other)
        for reader, read in permutations("abcd", 2)
        for other in (
            f"Chart prod-{read}-east-west",
            f"Deployment prod-{read}-probe",
            f"Gateway prod-{read}-exposure",
            gate(read),
            # Of its certificates, whose change is to be proved.
            f"PrivateKey prod-{read}-intermediate",
            f"Service prod-{read}-east-west",
        )
    }
    assert crossing == discovery | gateways | proof


def test_without_gates_only_data_crosses_and_only_into_remote_secrets() -> None:
    rows = record(a_program(clusters={"a": {}, "b": {}}, verify={"level": "off"}))
    crossing = {
        (row.short, other)
        for row in rows
        for other in (*row.after, row.provider)
        if {"a", "b"} <= {name.split("-")[1] for name in (row.short, other) if "-" in name}
    }
    assert crossing == {
        (f"Secret prod-{reader}-remote-{read}", f"{kind} prod-{read}-{role}")
        for reader, read in permutations("ab")
        for kind, role in (("Secret", "reader-token"), ("Chart", "east-west"), ("Service", "east-west"))
    }


@pytest.mark.parametrize(("reader", "read"), [("east", "west"), ("west", "east")])
def test_a_gate_waits_for_all_that_a_call_passes(reader: str, read: str) -> None:
    assert set(apart()[f"Job prod-{reader}-mesh"].after) >= {
        f"Secret prod-{reader}-remote-{read}",
        f"Deployment prod-{read}-probe",
        f"Chart prod-{read}-east-west",
        f"Service prod-{read}-east-west",
        f"Gateway prod-{read}-exposure",
        gate(read),
        f"Deployment prod-{reader}-probe",
        gate(reader),
    }


def test_nothing_waits_for_a_gate_of_the_mesh() -> None:
    """So that one pair that fails leaves everything else as it is."""
    assert not {other for row in apart() for other in row.after if other.endswith("-mesh")}


@each
def test_a_probe_waits_for_injection(cluster: str) -> None:
    assert gate(cluster) in apart()[f"Deployment prod-{cluster}-probe"].after


@pytest.mark.parametrize(("reader", "read"), [("east", "west"), ("west", "east")])
def test_discovery_never_waits_for_the_readers_own_istiod(reader: str, read: str) -> None:
    waited = apart().waits_for(f"Secret prod-{reader}-remote-{read}")
    own = {name for name in waited if f"prod-{reader}-" in name}
    assert not {name for name in own if "istiod" in name or "injector" in name}
    assert f"Release prod-{reader}-crds" not in own


def test_an_authority_waits_for_its_key_and_for_the_roots() -> None:
    assert apart()["Secret prod-east-cacerts"].after == (
        "Namespace prod-east-namespace",
        "PrivateKey prod-east-intermediate",
        "PrivateKey prod-root-2026-11-23",
    )


def test_everything_waits_for_its_clusters_provider() -> None:
    for row in apart():
        if row.of_kubernetes:
            assert f"kubernetes prod-{row.name.split('-')[1]}" in apart().waits_for(row.short), row.short
