"""What stands in the clusters where meshes share Services: who may call, how, and nobody besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_istio_mesh.istio import federation, values
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology
from pulumi_istio_mesh.topology.offer import Offer

from ..builders import mesh_tree
from ..rules.test_offers import an_offer, root

CART, LEDGER = ({"ports": {"http": port}, "accounts": [name]} for port, name in ((8080, "cart"), (9000, "ledger")))
SNI = {
    name: f"outbound_.{port}_._.{name}.svc.cluster.local" for name, port in (("cart.web", 8080), ("ledger.web", 9000))
}
OURS, OF_BANK = "prod.internal/*", "bank.internal/*"
NOBODY = {
    "from": [{"source": {"notPrincipals": ["*"]}}],
    "to": [{"operation": {"notPorts": ["15443"]}}],
    "when": [{"key": "connection.sni", "values": ["outbound_*"]}],
}
"""Who dials as a proxy and has no identity."""


def strangers(*let_in: str) -> list[dict[str, Any]]:
    """All but this mesh, the other peer, and these callers."""
    return [{"source": {"principals": ["*"], "notPrincipals": [OURS, OF_BANK, *let_in]}}]


def exporting(cart: Any = (), ledger: Any = (), **facts: Any) -> Topology:
    """A mesh with two exports, and who of the peer shop may call each."""
    exports = {
        "cart.web": {**CART, "callers": {"shop": list(cart)}},
        "ledger.web": {**LEDGER, "callers": {"shop": list(ledger)}},
    }
    return parse_topology(mesh_tree(**{"peers": {"shop": {}, "bank": {}}, **facts}, exports=exports))


def importing(**facts: Any) -> Topology:
    """A mesh that imports `cart.web` of its peer shop."""
    found = {"ports": {"http": 8080, "grpc-web-x": 9000}, "namespaces": ["web", "lab"], **facts}
    return parse_topology(mesh_tree(peers={"shop": {"imports": {"cart.web": found}}}))


def reached(topology: Topology, **offer: Any) -> dict[str, Any]:
    return federation.reached_at(topology, "shop", "cart.web", Offer.model_validate(an_offer(**offer)))


# Who may call


def test_a_peer_that_may_call_nothing_is_refused_everywhere() -> None:
    assert federation.callers(exporting(), "shop") == {"action": "DENY", "rules": [{"from": strangers()}, NOBODY]}


def test_callers_are_let_in_to_what_they_are_named_for_and_to_nothing_else() -> None:
    spec = federation.callers(exporting(cart=["web/checkout", "lab/*"]), "shop")
    assert spec["rules"] == [
        {"from": strangers(), "when": [{"key": "connection.sni", "notValues": [SNI["cart.web"]]}]},
        {
            "from": strangers("shop.internal/ns/web/sa/checkout", "shop.internal/ns/lab/*"),
            "when": [{"key": "connection.sni", "values": [SNI["cart.web"]]}],
        },
        NOBODY,
    ]


def test_each_service_has_callers_of_its_own() -> None:
    _, cart, ledger, _ = federation.callers(exporting(cart=["web/a"], ledger=["web/b"]), "shop")["rules"]
    assert cart["when"][0]["values"] == [SNI["cart.web"]]
    assert cart["from"] == strangers("shop.internal/ns/web/sa/a")
    assert ledger["when"][0]["values"] == [SNI["ledger.web"]]
    assert ledger["from"] == strangers("shop.internal/ns/web/sa/b")


def test_everybody_of_a_peer_is_nobody_of_another() -> None:
    topology = exporting(cart=["*"])
    (_, cart, _) = federation.callers(topology, "shop")["rules"]
    assert cart["from"] == strangers("shop.internal/*")
    assert "when" not in federation.callers(topology, "bank")["rules"][0]


def test_callers_of_a_peer_that_changes_its_trust_domain_are_known_by_both() -> None:
    topology = exporting(cart=["web/a"], peers={"shop": {"trust_domain_aliases": ["shop.example"]}, "bank": {}})
    (_, cart, _) = federation.callers(topology, "shop")["rules"]
    assert cart["from"] == strangers("shop.internal/ns/web/sa/a", "shop.example/ns/web/sa/a")
    (elsewhere, _) = federation.callers(topology, "bank")["rules"]
    assert elsewhere["from"][0]["source"]["notPrincipals"] == [OURS, "shop.internal/*", "shop.example/*"]


def refused(topology: Topology, principal: str, sni: str = "", port: int = 8080) -> bool:
    """Whether any policy refuses a call, as Istio reads them; the principal is empty where there is none."""

    def matches(pattern: str, value: str) -> bool:
        return value != "" and (value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern)

    def either(found: dict[str, Any], key: str, value: str) -> bool:
        wanted, unwanted = found.get(key), found.get(f"not{key[0].upper()}{key[1:]}") or ()
        return (not wanted or any(matches(one, value) for one in wanted)) and not any(
            matches(one, value) for one in unwanted
        )

    return any(
        any(either(part["source"], "principals", principal) for part in rule["from"])
        and all(either(part["operation"], "ports", str(port)) for part in rule.get("to") or ())
        and all(either(part, "values", sni) for part in rule.get("when") or ())
        for peer in topology.peers
        for rule in federation.callers(topology, peer)["rules"]
    )


BOTH = {"roots": [{"issued": "2026-11-23", "trust_domains": ["prod.internal", "next.example"]}]}


@pytest.mark.parametrize(
    "principal",
    ["prod.internal/ns/web/sa/a", "before.example/ns/web/sa/a", "next.example/ns/web/sa/a", ""],
    ids=["an account", "one with an alias", "one with what a root vouches for", "plaintext"],
)
def test_no_rule_is_about_callers_of_this_mesh(principal: str) -> None:
    """It refuses only, and only strangers: a mesh that exports stays as it was for its own workloads."""
    topology = exporting(cart=["web/a"], trust=BOTH, trust_domain_aliases=["before.example"])
    for sni in ("", SNI["cart.web"], SNI["ledger.web"]) if principal else ("", "app.example"):
        assert not refused(topology, principal, sni)


@pytest.mark.parametrize("sni", ["", "app.example", SNI["ledger.web"], SNI["cart.web"]])
@pytest.mark.parametrize(
    "principal",
    [
        "evil.internal/ns/web/sa/a",
        "shop.internal.evil/ns/web/sa/a",
        "prod.internal.evil/ns/web/sa/a",
        "shop.internal/ns/web/sa/b",
        "bank.internal/ns/web/sa/a",
        "shop.internal",
        "shop.internal/ns/web/sa/ab",
    ],
)
def test_whoever_is_not_of_this_mesh_and_not_named_is_refused(principal: str, sni: str) -> None:
    assert refused(exporting(cart=["web/a"]), principal, sni)


def test_who_is_named_is_refused_at_all_but_what_it_is_named_for() -> None:
    topology = exporting(cart=["web/a"])
    found = {sni: refused(topology, "shop.internal/ns/web/sa/a", sni) for sni in (*SNI.values(), "", "app.example")}
    assert found == {SNI["cart.web"]: False, SNI["ledger.web"]: True, "": True, "app.example": True}


def test_who_has_no_identity_is_refused_as_a_proxy_and_passed_on_by_gateways() -> None:
    topology = exporting(cart=["*"])
    assert refused(topology, "", SNI["cart.web"]) and refused(topology, "", SNI["ledger.web"])
    assert not refused(topology, "", SNI["cart.web"], port=15443)


def holds(condition: dict[str, Any], connection: dict[str, str]) -> bool:
    """Whether a condition holds of a connection, as Envoy reads it: not where an attribute is not there."""

    def value(node: dict[str, Any]) -> Any:
        if "selectExpr" in node:
            assert node["selectExpr"]["operand"] == {"identExpr": {"name": "connection"}}
            return connection[node["selectExpr"]["field"]]
        if "constExpr" in node:
            return node["constExpr"]["stringValue"]
        call = node["callExpr"]
        args = [value(arg) for arg in call["args"]]
        if call["function"] == "startsWith":
            return value(call["target"]).startswith(args[0])
        return args[0] == args[1] if call["function"] == "_==_" else args[0] and args[1]

    try:
        return bool(value(condition))
    except KeyError:
        return False


@pytest.mark.parametrize(
    ("connection", "workload", "gateway"),
    [
        ({}, False, False),
        ({"requested_server_name": "outbound_.80_._.a.b.svc.cluster.local"}, False, False),
        ({"requested_server_name": "outbound_.80_._.a", "dns_san_peer_certificate": "spiffe://x/ns"}, True, True),
        ({"requested_server_name": "outbound_.80_._.a", "dns_san_peer_certificate": ""}, True, True),
        ({"dns_san_peer_certificate": "spiffe://prod.internal/ns/web/sa/a"}, True, False),
        ({"requested_server_name": "shop.example", "dns_san_peer_certificate": "client.example"}, True, False),
    ],
)
def test_a_certificate_with_a_dns_name_is_nobodys(connection: dict[str, str], workload: bool, gateway: bool) -> None:
    """What Envoy makes of it is shown in the lab; here, which connections the conditions are about."""
    found = {
        patch["match"]["context"]: patch["patch"]["value"]["typed_config"]["rules"]
        for patch in federation.identities_only()["configPatches"]
    }
    assert {rules["action"] for rules in found.values()} == {"DENY"}
    conditions = {context: rules["policies"]["dns-name"]["condition"] for context, rules in found.items()}
    assert {context: holds(condition, connection) for context, condition in conditions.items()} == {
        "SIDECAR_INBOUND": workload,
        "GATEWAY": gateway,
    }


# The way in


def test_a_gateway_passes_on_exactly_what_is_exported() -> None:
    (server,) = federation.exports(exporting())["servers"]
    assert server["hosts"] == ["cart.web.svc.cluster.local", "ledger.web.svc.cluster.local"]
    assert server["tls"] == {"mode": "AUTO_PASSTHROUGH"}


def test_a_federation_gateway_is_not_the_one_that_other_networks_use() -> None:
    assert federation.exports(exporting())["selector"] == {"istio": "federationgateway"}
    gateway = exporting().clusters["east"].federation_gateway
    labels = federation.gateway_metadata("prod-east", gateway, {})["labels"]
    assert labels == {"istio": "federationgateway", "app": "istio-federationgateway"}
    made = values.federation_gateway(exporting(), "east")
    assert (made["name"], made["service"]) == ("istio-federationgateway", {"type": "None"})
    assert "networkGateway" not in made


def test_a_users_values_for_gateways_reach_it() -> None:
    topology = parse_topology(mesh_tree(values={"gateway": {"replicaCount": 3, "labels": {"team": "mesh"}}}))
    made = values.chart_values(topology, "east", "gateway", values.federation_gateway(topology, "east"))
    assert (made["name"], made["replicaCount"], made["labels"]) == ("istio-federationgateway", 3, {"team": "mesh"})
    assert "networkGateway" not in made


# The way out


def test_an_import_leads_to_the_peers_gateways_and_to_nobody_but_its_accounts() -> None:
    topology = importing()
    parts = reached(topology)
    declared = topology.peers["shop"].imports["cart.web"]
    assert federation.imported_service("shop", "cart.web", declared, **parts) == {
        "hosts": ["cart.web.shop.internal"],
        "location": "MESH_INTERNAL",
        "exportTo": ["lab", "web"],
        "ports": [
            {"number": 8080, "name": "http", "protocol": "HTTP"},
            {"number": 9000, "name": "grpc-web-x", "protocol": "GRPC-WEB"},
        ],
        "resolution": "STATIC",
        "endpoints": [
            {
                "address": "198.51.100.7",
                "ports": {"http": 15443, "grpc-web-x": 15443},
                "labels": {"security.istio.io/tlsMode": "istio", "istio-mesh/answers-as": "exporter"},
            }
        ],
        "subjectAltNames": ["spiffe://shop.internal/ns/web/sa/cart"],
    }


def test_each_port_is_dialled_by_its_own_sni_and_pins_who_answers() -> None:
    declared = importing().peers["shop"].imports["cart.web"]
    spec = federation.imported_rule("shop", "cart.web", declared, ["spiffe://shop.internal/ns/web/sa/cart"])
    assert spec["exportTo"] == ["lab", "web"]
    assert {part["port"]["number"]: part["tls"] for part in spec["trafficPolicy"]["portLevelSettings"]} == {
        number: {
            "mode": "ISTIO_MUTUAL",
            "sni": f"outbound_.{number}_._.cart.web.svc.cluster.local",
            "subjectAltNames": ["spiffe://shop.internal/ns/web/sa/cart"],
        }
        for number in (8080, 9000)
    }


def test_only_failed_connections_count_against_a_gateway() -> None:
    """What the Service itself answers, 500s included, says nothing of the way to it."""
    declared = importing().peers["shop"].imports["cart.web"]
    for part in federation.imported_rule("shop", "cart.web", declared, [])["trafficPolicy"]["portLevelSettings"]:
        detection = part["outlierDetection"]
        assert (detection["splitExternalLocalOriginErrors"], detection["consecutive5xxErrors"]) == (True, 0)
        assert detection["maxEjectionPercent"] == 100


def test_http_lets_go_of_a_gateway_before_that_must_end() -> None:
    """And TCP is never cut by its caller: a stream has no end between two calls."""
    declared = importing(ports={"http": 80, "tcp-db": 5432, "grpc": 9000}).peers["shop"].imports["cart.web"]
    parts = federation.imported_rule("shop", "cart.web", declared, [])["trafficPolicy"]["portLevelSettings"]
    ends = {part["port"]["number"]: part["connectionPool"]["tcp"].get("maxConnectionDuration") for part in parts}
    assert ends == {80: "15s", 5432: None, 9000: "15s"}
    assert values.federation_gateway(importing(), "east")["env"] == {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}


def test_without_an_offer_nobody_answers_and_nobody_is_accepted() -> None:
    parts = federation.reached_at(importing(), "shop", "cart.web", None)
    assert parts == {"endpoints": [], "resolution": "STATIC", "identities": ["spiffe://shop.internal/not-offered"]}


def test_a_host_name_is_resolved_by_the_proxies() -> None:
    assert reached(importing(), gateways={"s1": {"address": "lb.example", "port": 443}})["resolution"] == "DNS"


def test_a_gateway_says_where_it_stands() -> None:
    (endpoint,) = reached(importing(), gateways={"s1": {"address": "192.0.2.1", "port": 15443, "locality": "eu/eu-1"}})[
        "endpoints"
    ]
    assert endpoint["locality"] == "eu/eu-1"


def test_a_fallback_answers_last_and_as_itself() -> None:
    topology = importing(fallback={"service": "cart.own", "accounts": ["cart", "kart"]})
    parts = reached(topology)
    *_, last = parts["endpoints"]
    assert (last["address"], last["ports"]) == ("cart.own.svc.cluster.local", {"http": 8080, "grpc-web-x": 9000})
    assert parts["resolution"] == "DNS"
    assert parts["identities"][1:] == ["spiffe://prod.internal/ns/own/sa/cart", "spiffe://prod.internal/ns/own/sa/kart"]
    declared = topology.peers["shop"].imports["cart.web"]
    (first, _) = federation.imported_rule("shop", "cart.web", declared, [])["trafficPolicy"]["portLevelSettings"]
    priority, *_ = first["loadBalancer"]["localityLbSetting"]["failoverPriority"]
    key, _, value = priority.partition("=")
    assert [endpoint["labels"][key] == value for endpoint in parts["endpoints"]] == [True, False]


def test_a_host_is_rewritten_to_the_services_own() -> None:
    declared = importing(rewrite_host=True).peers["shop"].imports["cart.web"]
    (route,) = federation.rewritten_host("shop", "cart.web", declared)["http"]
    assert route["rewrite"] == {"authority": "cart.web.svc.cluster.local"}


def test_a_name_that_nobody_resolves_gets_the_address_of_ones_choice() -> None:
    topology = importing(address="240.0.0.1")
    declared = topology.peers["shop"].imports["cart.web"]
    made = federation.imported_service("shop", "cart.web", declared, **reached(topology))
    assert made["addresses"] == ["240.0.0.1"]


# Trust


def test_without_offers_nobody_elses_root_is_trusted() -> None:
    assert federation.trusted_roots(exporting(), {}) == {"mesh": "{}"}


@pytest.mark.parametrize("generations", [1, 2])
def test_each_root_of_a_peer_is_trusted_by_itself(generations: int) -> None:
    """istiod looks at the first certificate of a PEM only."""
    roots = [root("shop", owner=f"shop {number}") for number in range(generations)]
    offers = {"shop": Offer.model_validate(an_offer(roots="".join(roots)))}
    config = json.loads(federation.trusted_roots(exporting(), offers)["mesh"])
    assert config == {"caCertificates": [{"pem": pem, "trustDomains": ["shop.internal"]} for pem in roots]}
