"""What is read before a change, from invented clusters behind real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pulumi_istio_mesh.checks.findings import Finding
from pulumi_istio_mesh.live.preflight import look_before
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .servers import Server, serving

TOPOLOGY = parse_topology(mesh_tree())
CLUSTERS = tuple(TOPOLOGY.clusters)
MEMBERS = {name: f"project/stack/{TOPOLOGY.mesh_id}/{name}" for name in CLUSTERS}
DEPLOYMENTS = "/apis/apps/v1/deployments"
SECRETS = "/api/v1/namespaces/istio-system/secrets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(Server())) for name in CLUSTERS}


def found(servers: dict[str, Server]) -> tuple[list[Finding], dict[str, str]]:
    kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
    return asyncio.run(look_before(TOPOLOGY, plan_mesh(TOPOLOGY), kubeconfigs, MEMBERS))


def slugs(servers: dict[str, Server]) -> list[str]:
    return [finding.slug for finding in found(servers)[0]]


def items(*metadata: dict[str, object]) -> dict[str, object]:
    return {"items": [{"metadata": found} for found in metadata]}


def test_nothing_stands_against_empty_clusters(servers: dict[str, Server]) -> None:
    assert found(servers) == ([], {})


def test_secrets_are_asked_for_their_metadata_only_and_nothing_is_written(servers: dict[str, Server]) -> None:
    found(servers)
    for server in servers.values():
        asked = [(path, accept) for _, path, accept in server.asked if "/secrets" in path]
        assert asked
        assert all("as=PartialObjectMetadataList" in accept for _, accept in asked)
        assert {method for method, _, _ in server.asked} == {"GET"}


def test_a_clock_that_is_minutes_off_is_named(servers: dict[str, Server]) -> None:
    first = CLUSTERS[0]
    servers[first].ahead_seconds = 300
    with ExitStack() as stack:
        more = Server()
        servers["third"] = stack.enter_context(serving(more))
        three = parse_topology(mesh_tree(clusters={name: {"network": name} for name in (*CLUSTERS, "third")}))
        kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
        members = {name: name for name in servers}
        (finding,) = asyncio.run(look_before(three, plan_mesh(three), kubeconfigs, members))[0]
    assert (finding.slug, finding.cluster) == ("clock-skew", first)
    assert "300 s ahead" in finding.what or "299 s ahead" in finding.what or "301 s ahead" in finding.what


@pytest.mark.parametrize("version", ["v1.31.4", "v1.37.0-rc.1"])
def test_a_kubernetes_outside_of_istios_range_is_refused(servers: dict[str, Server], version: str) -> None:
    servers[CLUSTERS[0]].answers["/version"] = {"gitVersion": version}
    assert slugs(servers) == ["kubernetes-version"]


@pytest.mark.parametrize(
    ("labels", "installer"),
    [
        ({"install.operator.istio.io/owning-resource": "x"}, "istioctl or its operator"),
        ({"managed-by": "sail-operator"}, "the Sail operator"),
        ({}, "somebody else"),
    ],
)
def test_somebody_elses_istiod_is_named_with_its_installer_and_version(
    servers: dict[str, Server], labels: dict[str, str], installer: str
) -> None:
    containers = {"template": {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.28.1"}]}}}
    metadata = {"name": "istiod-blue", "namespace": "istio-other", "labels": labels}
    servers[CLUSTERS[0]].answers[DEPLOYMENTS] = {"items": [{"metadata": metadata, "spec": containers}]}
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.what) == (
        "istio-foreign", f"{installer} runs istiod 1.28.1 as istio-other/istiod-blue",
    )  # fmt: skip


def test_our_own_istiod_and_authority_are_no_strangers(servers: dict[str, Server]) -> None:
    own = servers[CLUSTERS[0]]
    annotations = {"istio-mesh/member": MEMBERS[CLUSTERS[0]]}
    own.answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": annotations})
    own.answers[SECRETS] = items({"name": "cacerts", "namespace": "istio-system"})
    containers = {"template": {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.31.1"}]}}}
    metadata = {"name": "istiod", "namespace": "istio-system"}
    own.answers[DEPLOYMENTS] = {"items": [{"metadata": metadata, "spec": containers}]}
    assert found(servers) == ([], {})


def test_another_meshs_member_is_refused_with_both_names(servers: dict[str, Server]) -> None:
    annotations = {"istio-mesh/member": "a/b/other/east"}
    servers[CLUSTERS[0]].answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": annotations})
    (finding,) = found(servers)[0]
    assert finding.slug == "cluster-taken"
    assert "a/b/other/east" in finding.what and MEMBERS[CLUSTERS[0]] in finding.what


def test_crds_of_another_release_are_counted_by_owner(servers: dict[str, Server]) -> None:
    helm = {"meta.helm.sh/release-name": "istio", "meta.helm.sh/release-namespace": "old"}
    ours = {"meta.helm.sh/release-name": "istio-base", "meta.helm.sh/release-namespace": "istio-system"}
    servers[CLUSTERS[0]].answers[CRDS] = items(
        {"name": "gateways.networking.istio.io", "annotations": helm},
        {"name": "sidecars.networking.istio.io"},
        {"name": "telemetries.telemetry.istio.io", "annotations": ours},
        {"name": "gateways.gateway.networking.k8s.io"},
    )
    assert [finding.what for finding in found(servers)[0]] == [
        "1 of Istio's CRDs belong to Helm release old/istio",
        "1 of Istio's CRDs belong to no Helm release",
    ]


def test_a_cluster_that_does_not_answer_costs_its_deadline_once_and_the_others_are_read(
    servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulumi_istio_mesh.live.preflight.DEADLINE_SECONDS", 1)
    servers[CLUSTERS[0]].delay.clear()
    servers[CLUSTERS[1]].answers["/version"] = {"gitVersion": "v1.20.0"}
    started = time.monotonic()
    findings, unread = found(servers)
    assert time.monotonic() - started < 3
    assert set(unread) == {CLUSTERS[0]}
    assert [finding.slug for finding in findings] == ["kubernetes-version"]


def test_no_reason_quotes_a_credential(servers: dict[str, Server]) -> None:
    servers[CLUSTERS[0]].answers["/version"] = (401, {"message": "planted-token is not known"})
    _, unread = found(servers)
    assert unread == {CLUSTERS[0]: "it does not accept the credential (401)"}
