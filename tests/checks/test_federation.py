"""Whether what is exported is there as it says, and whether peers are trusted, judged on what was read of clusters."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pulumi_istio_mesh.checks.federation import exports, trust
from pulumi_istio_mesh.checks.seen import Seen, View
from pulumi_istio_mesh.gates.expectations import import_lines
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree

EXPORTS = {"cart.web": {"ports": {"http": 8080}, "accounts": ["cart"], "callers": {"shop": ["web/*"]}}}
AMOUNT = {"metadata": {"namespace": "web", "name": "cart"}}
SERVICE = {**AMOUNT, "spec": {"ports": [{"port": 8080}, {"port": 9090}], "selector": {"app": "cart"}}}


def pod(account: str | None, **labels: str) -> dict[str, Any]:
    spec = {} if account is None else {"serviceAccountName": account}
    metadata = {"namespace": "web", "name": "cart-1", "labels": {"app": "cart", **labels}}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def view(**clusters: Seen) -> View:
    """The mesh of clusters east and west, of which some answered."""
    topology = parse_topology(mesh_tree(peers={"shop": {}}, exports=EXPORTS))
    return View(topology, plan_mesh(topology), clusters, dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc))


def having(*pods: dict[str, Any], service: dict[str, Any] | None = SERVICE, **facts: Any) -> Seen:
    services = [] if service is None else [service]
    return Seen("any", services=services, pods=list(pods), peer_domains=["shop.internal"], **facts)


def told(seen: View) -> list[str]:
    return [f"{found.slug} {found.where}: {found.what}" for judge in (exports, trust) for found in judge(seen)]


def test_an_export_that_is_as_it_says_needs_to_be_in_one_cluster_only() -> None:
    assert told(view(east=having(pod("cart")), west=having(service=None))) == []


def test_a_port_that_the_service_does_not_have() -> None:
    other = {**AMOUNT, "spec": {**SERVICE["spec"], "ports": [{"port": 80}]}}
    (line,) = told(view(east=having(pod("cart"), service=other), west=having(service=None)))
    assert line == "export-differs east: web/cart: Service web/cart has no port 8080, which is exported"


@pytest.mark.parametrize(("account", "said"), [("ledger", "ledger"), (None, "default")])
def test_pods_that_run_as_somebody_else(account: str | None, said: str) -> None:
    """An importer refuses them: it accepts the accounts of the offer and nobody else."""
    (line,) = told(view(east=having(pod("cart"), pod(account)), west=having(pod("cart"))))
    assert line == f"export-differs east: web/cart: pods behind web/cart run as {said}, and exports name cart"


def test_a_service_without_a_selector_has_no_pods_of_ours() -> None:
    bare = {**AMOUNT, "spec": {"ports": [{"port": 8080}]}}
    assert told(view(east=having(pod("ledger"), service=bare), west=having(service=None))) == []


def test_a_service_that_is_nowhere() -> None:
    (line,) = told(view(east=having(service=None), west=having(service=None)))
    assert line == "export-differs east: web/cart: Service web/cart is exported, and in no cluster"


@pytest.mark.parametrize(
    "west", [{"unread": {"version": "no answer"}}, {"unread": {"services": "forbidden"}}], ids=["cluster", "services"]
)
def test_a_service_that_may_be_where_nobody_could_look(west: dict[str, Any]) -> None:
    assert told(view(east=having(service=None), west=having(service=None, **west))) == []


def test_a_peer_whose_roots_istiod_was_not_told() -> None:
    behind = having(pod("cart"))
    behind.peer_domains = ["bank.internal"]
    (line,) = told(view(east=having(pod("cart")), west=behind))
    assert line == "peer-not-trusted west to shop: no root for shop.internal is trusted"


def test_what_could_not_be_read_is_not_judged() -> None:
    blind = having(pod("cart"), unread={"peer_domains": "forbidden"})
    blind.peer_domains = []
    assert told(view(east=having(pod("cart")), west=blind)) == []


def test_each_gateway_of_an_import_is_looked_at_by_its_own_line() -> None:
    imports = {"cart.web": {"ports": {"http": 8080, "grpc": 9000}, "namespaces": ["lab"]}}
    topology = parse_topology(mesh_tree(peers={"shop": {"imports": imports}}))
    gateways = [{"address": f"192.0.2.{n}", "ports": {"http": 15443, "grpc": 15443}} for n in (1, 2)]
    fallback = {"address": "cart.web.svc.cluster.local", "ports": {"http": 8080}}
    spec = {"endpoints": [*gateways, fallback], "subjectAltNames": ["spiffe://shop.internal/ns/web/sa/cart"]}
    sni = "outbound_.8080_._.cart.web.svc.cluster.local"
    entry = {"metadata": {"name": "cart.web.shop"}, "spec": spec}
    assert list(import_lines(topology, [entry])) == [
        f"shop|cart.web|{sni}|192.0.2.{n}|15443|spiffe://shop.internal/ns/web/sa/cart" for n in (1, 2)
    ]
    assert list(import_lines(topology, [])) == []
