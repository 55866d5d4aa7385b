"""Meshes that share Services, as programs: what is made, in which order, and what happens while an offer is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh import Mesh, Meshes, TopologyError

from ..builders import program_args
from ..rules.test_offers import an_offer, bare_root, root
from .recorder import Recording, failure, is_secret, is_unknown, record, revealed

CART = {"ports": {"http": 8080}, "accounts": ["cart"]}
IMPORT = {"ports": {"http": 8080}, "namespaces": ["web"], "rewrite_host": True}


def exporting(**changes: Any) -> Any:
    """Arguments of prod, which lets its peer shop call one Service."""
    exports = {"ledger.money": {"ports": {"tcp": 9000}, "accounts": ["ledger"], "callers": {"shop": ["web/*"]}}}
    return program_args(**{"peers": {"shop": {}}, "exports": exports, **changes})


def importing(offer: Any = None, **changes: Any) -> Any:
    """Arguments of prod, which calls a Service of its peer shop."""
    return program_args(**{"peers": {"shop": {"imports": {"cart.web": IMPORT}, "offer": offer}}, **changes})


def run(arguments: Any, **options: Any) -> Recording:
    return record(lambda: Mesh("prod", arguments), **options)


def offers_of(arguments: Any) -> dict[str, Any]:
    """What a mesh tells its peers."""
    found: dict[str, Any] = {}
    record(lambda: Mesh("prod", arguments).offers.apply(found.update))
    return found


def mesh_config(recording: Recording, cluster: str = "east") -> Any:
    return json.loads(recording[f"ConfigMap prod-{cluster}-shared-mesh-config"].inputs["data"]["mesh"])


# Export


def test_an_exporting_mesh_has_a_gateway_in_each_cluster_and_one_policy_a_peer() -> None:
    plain, rows = run(program_args()), run(exporting())
    assert {row.short for row in rows} - {row.short for row in plain} == {
        f"{kind} prod-{cluster}{role}"
        for cluster in ("east", "west")
        for kind, role in (
            ("FederationGateway", ""),
            ("Service", "-federation"),
            ("Chart", "-federation"),
            ("MeshExport", ""),
            ("AuthorizationPolicy", "-callers-of-shop"),
            ("EnvoyFilter", "-identities-only"),
            ("Gateway", "-exports"),
        )
    }


def test_gateways_stand_in_the_clusters_that_are_named() -> None:
    rows = run(exporting(federation_gateways=["west"]))
    assert "Service prod-west-federation" in rows
    assert "Service prod-east-federation" not in rows
    # The rule stands wherever an istiod is: it serves gateways of its remotes too.
    assert "Gateway prod-east-exports" in rows


def test_in_a_remote_cluster_there_is_a_gateway_and_no_rule() -> None:
    rows = run(exporting(clusters={"east": {}, "west": {"primary": "east"}}))
    assert "Service prod-west-federation" in rows
    assert not {"Gateway prod-west-exports", "AuthorizationPolicy prod-west-callers-of-shop"} & {r.short for r in rows}


@pytest.mark.parametrize("what", ["Gateway prod-east-exports", "ConfigMap prod-east-shared-mesh-config"])
def test_nobody_is_let_in_and_no_root_trusted_before_strangers_are_kept_out(what: str) -> None:
    kept_out = {"AuthorizationPolicy prod-east-callers-of-shop", "EnvoyFilter prod-east-identities-only"}
    assert kept_out <= set(run(exporting())[what].after)


def test_a_gateways_load_balancer_is_asked_for_as_soon_as_there_is_a_namespace() -> None:
    assert run(exporting())["Service prod-east-federation"].after == ("Namespace prod-east-namespace",)


def test_an_offer_says_all_that_a_peer_needs_and_nothing_secret() -> None:
    offer = offers_of(exporting(clusters={"east": {"federation_gateway": {"locality": "eu/eu-1"}}, "west": {}}))["shop"]
    assert offer["services"] == {
        "ledger.money": {
            "ports": {"tcp": 9000},
            "identities": ["spiffe://prod.internal/ns/money/sa/ledger"],
            "callers": ["web/*"],
        }
    }
    gateway = {"address": "198.51.100.7", "port": 15443}
    assert offer["gateways"] == {"east": {**gateway, "locality": "eu/eu-1"}, "west": gateway}
    assert (offer["version"], offer["mesh_id"], offer["trust_domain"]) == (1, "prod", "prod.internal")
    assert offer["roots"].count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE KEY" not in json.dumps(offer)


def test_an_offer_is_no_secret_so_that_a_preview_and_a_reviewer_see_it() -> None:
    seen: list[bool] = []

    def program() -> None:
        seen.append(pulumi.Output.is_secret(Mesh("prod", exporting()).offers))  # type: ignore[arg-type]

    record(program)
    (secret,) = seen
    record(lambda: pulumi.Output.from_input(secret).apply(lambda found: seen.append(found)))
    assert seen[1:] == [False]


# Import


def test_an_import_is_a_rule_and_then_a_name_in_each_cluster_with_an_istiod() -> None:
    plain, rows = run(program_args()), run(importing(an_offer()))
    assert Counter(row.type.split(":")[-1] for row in rows) - Counter(row.type.split(":")[-1] for row in plain) == {
        "MeshExport": 2, "MeshImport": 2, "AuthorizationPolicy": 2, "EnvoyFilter": 2, "Namespace": 2, "ServiceEntry": 2,
        "DestinationRule": 2, "VirtualService": 2,
    }  # fmt: skip
    assert {"DestinationRule prod-east-cart.web.shop", "VirtualService prod-east-cart.web.shop"} <= set(
        rows["ServiceEntry prod-east-cart.web.shop"].after
    )


def test_a_second_service_costs_its_own_objects_only() -> None:
    """Three with a rewritten host, two without, in each cluster with an istiod."""
    two = {"cart.web": IMPORT, "stock.web": {**IMPORT, "rewrite_host": False}}
    one = len(list(run(importing())))
    assert len(list(run(program_args(peers={"shop": {"imports": two}})))) - one == 2 * 2


def test_what_a_peer_offers_is_where_calls_go() -> None:
    rows = run(importing(an_offer()))
    spec = rows["ServiceEntry prod-east-cart.web.shop"].inputs["spec"]
    assert [endpoint["address"] for endpoint in spec["endpoints"]] == ["198.51.100.7"]
    assert spec["subjectAltNames"] == ["spiffe://shop.internal/ns/web/sa/cart"]
    (authority,) = mesh_config(rows)["caCertificates"]
    assert authority == {"pem": an_offer()["roots"], "trustDomains": ["shop.internal"]}
    assert rows.log == []


@pytest.mark.parametrize(
    "as_given",
    [lambda o: o, json.dumps, lambda o: {"prod": o}, pulumi.Output.from_input, pulumi.Output.secret],
    ids=["a mapping", "JSON", "output offers", "late", "a secret"],
)
def test_an_offer_is_taken_as_a_mapping_as_text_or_late(as_given: Callable[[Any], Any]) -> None:
    rows = record(lambda: Mesh("prod", importing(as_given(an_offer()))))
    data = rows["ConfigMap prod-east-shared-mesh-config"].inputs["data"]
    assert not is_secret(data)
    assert "shop.internal" in data["mesh"]


def test_without_an_offer_the_graph_is_the_same_and_nobody_answers() -> None:
    without = run(importing(None))
    assert without.text() == run(importing(an_offer())).text()
    spec = without["ServiceEntry prod-east-cart.web.shop"].inputs["spec"]
    assert spec["endpoints"] == []
    assert mesh_config(without) == {}


def test_a_missing_offer_is_one_warning_that_says_what_it_means() -> None:
    (warning,) = run(importing(None)).log
    assert warning.startswith("peer shop: its offer is not there: its stack is not up yet, or is destroyed.")
    assert "Calls to cart.web are answered by nobody." in warning
    (warning,) = run(importing({"bank": an_offer()})).log
    assert warning.startswith("peer shop: it has no offer for prod: it must name prod among its own peers.")


def test_an_offer_that_is_known_late_is_unknown_in_a_preview_and_nothing_else_is() -> None:
    late: Any = pulumi.Output({*()}, _never(), _false())
    rows = record(lambda: Mesh("prod", importing(late)), preview=True)
    spec = rows["ServiceEntry prod-east-cart.web.shop"].inputs["spec"]
    assert is_unknown(spec["endpoints"])
    assert spec["hosts"] == ["cart.web.shop.internal"]
    assert rows.text() == run(importing(an_offer())).text()


async def _never() -> Any:
    return None


async def _false() -> bool:
    return False


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_wrong_offer_stops_the_program_before_anything_rests_on_it(preview: bool) -> None:
    wrong = an_offer(roots=bare_root("shop"), services={})
    recording = failure(lambda: Mesh("prod", importing(wrong)), preview=preview)
    assert isinstance(recording.error, TopologyError)
    assert [problem.slug for problem in recording.error.problems] == ["foreign-roots-unconstrained", "not-offered"]
    made = {row.short for row in recording}
    assert not made & {
        "ConfigMap prod-east-shared-mesh-config",
        "ServiceEntry prod-east-cart.web.shop",
        "DestinationRule prod-east-cart.web.shop",
    }


def test_no_root_of_two_peers_may_have_this_meshs_name() -> None:
    """Its own roots are made in the same run: they are compared as soon as both are known."""
    clash = an_offer(roots=root("prod", "shop.internal", owner="shop"))
    arguments = importing(clash, trust={"roots": [{"issued": "2026-11-23", "generation": "1"}]})
    recording = failure(lambda: Mesh("prod", arguments))
    assert isinstance(recording.error, TopologyError)
    assert [problem.slug for problem in recording.error.problems] == ["foreign-roots-same-name"]


# Several meshes in one program


def company(*links: dict[str, Any], **meshes: dict[str, Any]) -> Any:
    """Arguments of meshes that each export cart.web, and have one cluster of their name."""

    def args(name: str, changes: dict[str, Any]) -> Any:
        return program_args(**{"mesh_id": name, "clusters": {name: {}}, "exports": {"cart.web": CART}, **changes})

    return {"meshes": {name: args(name, changes) for name, changes in meshes.items()}, "links": list(links)}


def link(exporter: str, importer: str, **facts: Any) -> dict[str, Any]:
    return {"exporter": exporter, "importer": importer, "service": "cart.web", "callers": ["web/shop"], **facts}


def test_one_line_lets_one_mesh_call_the_other_in_the_first_run() -> None:
    rows = record(lambda: Meshes("company", company(link("a", "b"), a={}, b={})))
    spec = rows["ServiceEntry b-b-cart.web.a"].inputs["spec"]
    assert [endpoint["address"] for endpoint in spec["endpoints"]] == ["198.51.100.7"]
    for mesh, peer in (("a", "b"), ("b", "a")):
        data = json.loads(rows[f"ConfigMap {mesh}-{mesh}-shared-mesh-config"].inputs["data"]["mesh"])
        assert [known["trustDomains"] for known in data["caCertificates"]] == [[f"{peer}.internal"]]
    policy = revealed(rows["AuthorizationPolicy a-a-callers-of-b"].inputs["spec"])
    assert policy["rules"][1]["from"][0]["source"]["notPrincipals"] == ["a.internal/*", "b.internal/ns/web/sa/shop"]
    assert rows.log == []


def test_a_preview_of_several_meshes_shows_what_up_will_make() -> None:
    def program() -> None:
        Meshes("company", company(link("a", "b"), a={}, b={}))

    preview = record(program, preview=True)
    assert {row.short for row in preview} == {row.short for row in record(program)}
    assert preview.log == []


def test_six_links_between_three_meshes_grow_by_the_link() -> None:
    meshes: dict[str, dict[str, Any]] = {"a": {}, "b": {}, "c": {}}
    pairs = [(one, other) for one in meshes for other in meshes if one != other]
    sizes = [
        len(list(record(lambda count=count: Meshes("company", company(*(link(*p) for p in pairs[:count]), **meshes)))))
        for count in range(len(pairs) + 1)
    ]
    grown = [after - before for before, after in pairwise(sizes)]
    # An entry and a rule each; a policy on both sides with the first between two meshes; what a mesh has once.
    assert grown == [8, 7, 4, 4, 2, 2]
    for exporter, importer in pairs:
        assert f"ServiceEntry {importer}-{importer}-cart.web.{exporter}" in record(
            lambda: Meshes("company", company(*(link(*p) for p in pairs), **meshes))
        )


def test_meshes_in_one_program_may_have_peers_elsewhere() -> None:
    elsewhere = {"peers": {"shop": {"imports": {"cart.web": IMPORT}, "offer": {"a": an_offer()}}}}
    rows = record(lambda: Meshes("company", company(link("b", "a"), a=elsewhere, b={})))
    assert rows["ServiceEntry a-a-cart.web.shop"].inputs["spec"]["endpoints"] != []


def test_all_that_is_wrong_with_any_mesh_or_link_is_told_before_anything_is_made() -> None:
    arguments = company(link("a", "b", host="x.local"), link("a", "c"), a={"mtls": "off"}, b={"istio_version": "1.2.3"})
    recording = failure(lambda: Meshes("company", arguments))
    assert list(recording) == []
    assert isinstance(recording.error, TopologyError)
    assert [(problem.slug, problem.where) for problem in recording.error.problems] == [
        ("link-meshes", "links.1.importer"),
        ("topology-shape", "meshes.a.mtls"),
        ("istio-version", "meshes.b.istio_version"),
        ("import-host", "links.0.host"),
    ]


def test_a_mesh_of_several_is_had_by_its_name() -> None:
    found: list[Any] = []

    def program() -> None:
        meshes = Meshes("company", company(a={}, b={}))
        meshes["a"].mesh_id.apply(found.append)
        with pytest.raises(KeyError):
            meshes["c"]

    record(program)
    assert found == ["a"]


@pytest.mark.parametrize("meshes", [None, [], {"a": None}])
def test_what_holds_no_meshes_is_refused(meshes: Any) -> None:
    recording = failure(lambda: Meshes("company", {"meshes": meshes}))
    assert isinstance(recording.error, TopologyError)
    assert list(recording) == []
