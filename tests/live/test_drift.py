"""What counts as a difference from what a stack recorded, and in which words it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pulumi_istio_mesh.live.api import ClusterApi
from pulumi_istio_mesh.live.drift import _drift, _path
from pulumi_istio_mesh.live.stack import Recorded

from .servers import Server, serving

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "gw", "namespace": "istio-system", "annotations": {"pulumi.com/skipAwait": "true"}},
    "spec": {"selector": {"app": "gw"}, "ports": [{"name": "tls", "port": 15443.0}]},
}
LIVE: dict[str, Any] = {
    "metadata": {"name": "gw", "namespace": "istio-system", "uid": "x"},
    "spec": {"selector": {"app": "gw"}, "ports": [{"name": "tls", "port": 15443, "protocol": "TCP"}], "clusterIP": "1"},
}


def found(live: Any, recorded: dict[str, Any], name: str = "mesh-c1-east-west") -> list[str]:
    path = _path(recorded)
    assert path is not None
    if isinstance(live, dict):
        live = {"apiVersion": recorded["apiVersion"], "kind": recorded["kind"], **live}
    with serving(Server({path: live})) as server:
        api = ClusterApi(server.kubeconfig)
        findings, _ = asyncio.run(_drift({"c1": api}, [Recorded("c1", name, recorded)]))
    return [finding.what for finding in findings]


def test_what_the_cluster_adds_is_no_difference() -> None:
    assert found(LIVE, SERVICE) == []


def test_another_value_is_told_by_the_part_of_the_mesh_it_is_in() -> None:
    live = {**LIVE, "spec": {**LIVE["spec"], "selector": {"app": "nobody"}}}
    assert found(live, SERVICE) == [
        "the east-west gateway: Service istio-system/gw: spec.selector.app is nobody, recorded gw"
    ]


def test_an_object_that_is_gone_is_told() -> None:
    assert found((404, {}), SERVICE) == ["the east-west gateway: Service istio-system/gw is gone"]


def test_of_secrets_only_the_keys_are_compared_and_no_value_is_told() -> None:
    recorded = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cacerts", "namespace": "istio-system"},
        "stringData": {"ca-key.pem": "planted", "root-cert.pem": "planted"},
    }  # fmt: skip
    live = {"metadata": recorded["metadata"], "data": {"ca-key.pem": "b3RoZXI="}}
    assert found(live, recorded, "mesh-c1-cacerts") == [
        "the certificate authority: Secret istio-system/cacerts: root-cert.pem is not in its data"
    ]


@pytest.mark.parametrize(("recorded", "live"), [("0.5", "500m"), ("1Gi", "1024Mi"), ("8080", 8080), (True, "True")])
def test_the_same_quantity_written_otherwise_is_no_difference(recorded: Any, live: Any) -> None:
    item = {**SERVICE, "spec": {"amount": recorded}}
    assert found({**LIVE, "spec": {"amount": live}}, item) == []


@pytest.mark.parametrize(
    ("kind", "version", "path"),
    [
        ("Gateway", "networking.istio.io/v1", "/apis/networking.istio.io/v1/namespaces/n/gateways/x"),
        ("NetworkPolicy", "networking.k8s.io/v1", "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x"),
        ("EndpointSlice", "discovery.k8s.io/v1", "/apis/discovery.k8s.io/v1/namespaces/n/endpointslices/x"),
        ("Endpoints", "v1", "/api/v1/namespaces/n/endpoints/x"),
        ("Ingress", "networking.k8s.io/v1", "/apis/networking.k8s.io/v1/namespaces/n/ingresses/x"),
    ],
)
def test_an_object_is_looked_for_where_kubernetes_keeps_its_kind(kind: str, version: str, path: str) -> None:
    assert _path({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}}) == path
