"""Clusters that answer what no API server of Kubernetes does: it is told, and the others are looked at."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from typing import Any

import pytest

from pulumi_istio_mesh.checks.outcome import judged
from pulumi_istio_mesh.checks.preflight import found_before
from pulumi_istio_mesh.checks.seen import Seen, View
from pulumi_istio_mesh.istio import names
from pulumi_istio_mesh.live.adoption import read_control_plane
from pulumi_istio_mesh.live.api import ClusterApi
from pulumi_istio_mesh.live.preflight import look_before
from pulumi_istio_mesh.live.verify import Access, connected, look
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .servers import Server, serving

TOPOLOGY = parse_topology(mesh_tree())
EAST, *OTHERS = TOPOLOGY.clusters
LISTS = [field.name for field in dataclasses.fields(Seen) if "list[Object]" in str(field.type)]
ODD: list[Any] = [7, [7], {"x": "y"}]
WORKLOADS = (
    ("istiod", names.NAMESPACE),
    (names.EAST_WEST_GATEWAY, names.NAMESPACE),
    (names.PROBE, names.VERIFY_NAMESPACE),
)
STUMBLED_OVER = {"pods", "services", "istiod_deployments"}
"""Of what more is read than what every object has, without a look at its form."""


def odd_objects() -> Iterator[dict[str, Any]]:
    """Objects of the names that are looked for: what every object has is as it should be, all below it is odd."""
    for (name, namespace), odd in product(WORKLOADS, ODD):
        metadata = {"name": name, "namespace": namespace, "labels": {"app": name, "istio": "eastwestgateway"}}
        yield {"metadata": metadata}
        yield {"metadata": {**metadata, "managedFields": odd, "creationTimestamp": odd, "annotations": {"a": odd}}}
        for keys in (
            ("containers", "initContainers"),
            ("template",),
            ("ports",),
            ("externalIPs",),
            ("type",),
            ("host",),
        ):
            yield {"metadata": metadata, "spec": dict.fromkeys(keys, odd)}
        for key in ("conditions", "loadBalancer", "nodeInfo"):
            yield {"metadata": metadata, "spec": {"containers": []}, "status": {"phase": "Running", key: odd}}
        yield {"metadata": metadata, "data": {"mesh": odd, "values": odd}, "endpoints": odd, "ports": odd}


def seen_of(cluster: str, **read: Any) -> Seen:
    return Seen(cluster, version="v1.20.0", **read)


@pytest.mark.parametrize("field", LISTS)
def test_no_object_ends_a_verdict_or_hides_what_is_found_of_another_cluster(field: str) -> None:
    stumbled = 0
    for odd in odd_objects():
        seen = {EAST: seen_of(EAST, **{field: [odd]}), **{name: seen_of(name) for name in OTHERS}}
        view = View(TOPOLOGY, plan_mesh(TOPOLOGY), seen, dt.datetime.now(dt.timezone.utc))
        outcome = judged(view)
        told = {(one.slug, one.cluster) for cause in outcome.causes for one in (cause.finding, *cause.consequences)}
        assert {("kubernetes-version", name) for name in OTHERS} <= told
        stumbled += ("cluster-unreachable", EAST) in told
        believed, _ = view.believed(lambda tried: found_before(tried, dict.fromkeys(TOPOLOGY.clusters, "m")))
        assert all(believed.seen[name].reachable for name in OTHERS)
        stumbled += not believed.seen[EAST].reachable
    assert bool(stumbled) == (field in STUMBLED_OVER)


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(Server())) for name in TOPOLOGY.clusters}


def verified(servers: dict[str, Server]) -> View:
    return asyncio.run(look(TOPOLOGY, connected({name: Access(server.kubeconfig) for name, server in servers.items()})))


def unread_before(servers: dict[str, Server]) -> dict[str, str]:
    kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
    return asyncio.run(look_before(TOPOLOGY, plan_mesh(TOPOLOGY), kubeconfigs, dict.fromkeys(kubeconfigs, "m")))[1]


def adopted(server: Server) -> None:
    asyncio.run(read_control_plane(ClusterApi(server.kubeconfig)))


@pytest.fixture
def lying(servers: dict[str, Server]) -> Server:
    """One of them, of whose every kind every object is odd."""
    verified(servers)
    unread_before(servers)
    adopted(servers[EAST])
    for _, path, _ in list(servers[EAST].asked):
        if not path.startswith("/version"):
            servers[EAST].answers[path.partition("?")[0]] = {"items": list(odd_objects())}
    return servers[EAST]


def test_one_that_lies_ends_no_command(servers: dict[str, Server], lying: Server) -> None:
    outcome = judged(verified(servers))
    assert [cause.finding.slug for cause in outcome.causes if cause.finding.cluster == EAST][:1] == [
        "cluster-unreachable"
    ]
    assert set(unread_before(servers)) == {EAST}
    adopted(lying)
