"""What another mesh offers is refused where it could not work, or would let somebody take an identity of this mesh."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pulumi_istio_mesh.istio import certificates
from pulumi_istio_mesh.istio.federation import offer_to
from pulumi_istio_mesh.rules.offers import clashing_roots, offer_problems
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.offer import Offer, read_offer
from pulumi_istio_mesh.topology.problems import Problem, TopologyError

from ..builders import TODAY, mesh_tree

NOW = dt.datetime.combine(TODAY, dt.time(12), dt.timezone.utc)
IMPORT: dict[str, Any] = {"ports": {"http": 8080}, "namespaces": ["web"]}


@cache
def key(_: str) -> str:
    made = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.private_bytes(serialization.Encoding.PEM, *form).decode()


def root(mesh: str, *domains: str, days: int = 30, owner: str = "") -> str:
    """A root as this package makes it, for `<mesh>.internal` unless domains are given."""
    facts = certificates.RootCertificate(mesh, "1", domains or (f"{mesh}.internal",), TODAY, days)
    return certificates.root_pem(facts, key(owner or mesh))


def bare_root(mesh: str, *extensions: tuple[x509.ExtensionType, bool], ca: bool = True) -> str:
    """A root as others make it: without name constraints, or with these extensions."""
    own: Any = serialization.load_pem_private_key(key(mesh).encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{mesh} root")])
    builder = x509.CertificateBuilder(
        name, name, own.public_key(), 1, NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=9)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def permitted(*domains: str) -> x509.NameConstraints:
    return x509.NameConstraints([x509.UniformResourceIdentifier(domain) for domain in domains], None)


def an_offer(**changes: Any) -> dict[str, Any]:
    """What the mesh shop offers to prod; `...` leaves a part out."""
    export = {"ports": {"http": 8080, "grpc": 9000}, "accounts": ["cart"], "callers": {"prod": ["web/*"]}}
    shop = parse_topology(
        mesh_tree(mesh_id="shop", clusters={"s1": {}}, peers={"prod": {}}, exports={"cart.web": export})
    )
    made = offer_to(shop, "prod", root("shop"), {"s1": "198.51.100.7"})
    return {name: value for name, value in {**made, **changes}.items() if value is not ...}


def judged(document: Any, accept: tuple[str, ...] = (), imports: Any = None, **peers: Any) -> list[Problem]:
    """What prod is told of an offer of its peer shop, from which it imports `cart.web`."""
    shop = {"accept": list(accept), "imports": {"cart.web": IMPORT} if imports is None else imports}
    topology = parse_topology(mesh_tree(peers={"shop": shop, **peers}))
    try:
        offer = read_offer("peers.shop.offer", document, "prod")
    except TopologyError as error:
        return list(error.problems)
    assert offer is not None
    return [*offer_problems(topology, "shop", offer, NOW), *clashing_roots(topology, root("prod"), {"shop": offer})]


@dataclass(frozen=True)
class Wrong:
    document: Callable[[], Any]
    slug: str
    where: str
    says: str
    """Part of the finding or of the fix."""


def service(**facts: Any) -> dict[str, Any]:
    return {"services": {"cart.web": {**an_offer()["services"]["cart.web"], **facts}}}


WRONG = {
    "no JSON": Wrong(lambda: "offers: {}", "offer-shape", "peers.shop.offer", "not JSON"),
    "no mapping": Wrong(lambda: ["offer"], "offer-shape", "peers.shop.offer", "not a mapping"),
    "of a version to come": Wrong(lambda: an_offer(version=2), "offer-shape", "peers.shop.offer", "of version 2"),
    "with a part missing": Wrong(lambda: an_offer(roots=...), "offer-shape", "peers.shop.offer.roots", "required"),
    "with a secret in it": Wrong(
        lambda: an_offer(roots=root("shop") + key("shop")), "offer-shape", "peers.shop.offer", "holds a private key"
    ),
    "of another mesh": Wrong(
        lambda: an_offer(mesh_id="bank"), "offer-mesh", "peers.shop.offer.mesh_id", "stands for shop"
    ),
    "of another trust domain": Wrong(
        lambda: an_offer(trust_domain="shop.example", **service(identities=["spiffe://shop.example/ns/web/sa/cart"])),
        "offer-mesh",
        "peers.shop.offer.trust_domain",
        "peers.shop.trust_domain: shop.example",
    ),
    "with a network of this mesh": Wrong(
        lambda: an_offer(networks=["s1", "east"]), "offer-networks", "peers.shop.offer.networks", "called east"
    ),
    "with roots that are none": Wrong(
        lambda: an_offer(roots="-----BEGIN CERTIFICATE-----"), "foreign-roots", "peers.shop.offer.roots", "can be read"
    ),
    "with a root that is over": Wrong(
        lambda: an_offer(roots=certificates.root_pem(
            certificates.RootCertificate("shop", "1", ("shop.internal",), dt.date(2026, 1, 1), 10), key("shop"))),
        "foreign-roots", "peers.shop.offer.roots", "ended at 2026-01-11",
    ),
    "with a root that is no authority": Wrong(
        lambda: an_offer(roots=bare_root("shop", (permitted("shop.internal"), True), ca=False)),
        "foreign-roots", "peers.shop.offer.roots", "CA:TRUE",
    ),
    "with a root for somebody else": Wrong(
        lambda: an_offer(roots=root("shop", "bank.internal")), "foreign-roots", "peers.shop.offer.roots", "may not"
    ),
    "with a root for anybody": Wrong(
        lambda: an_offer(roots=bare_root("shop")), "foreign-roots-unconstrained", "peers.shop.offer.roots",
        "any trust domain",
    ),
    "with a root for this mesh too": Wrong(
        lambda: an_offer(roots=root("shop", "shop.internal", "prod.internal")),
        "foreign-roots-unconstrained", "peers.shop.offer.roots", "may vouch for prod.internal",
    ),
    "with a root for all that is internal": Wrong(
        lambda: an_offer(roots=root("shop", ".internal")),
        "foreign-roots-unconstrained", "peers.shop.offer.roots", "may vouch for prod.internal",
    ),
    "with a root whose constraints are advice": Wrong(
        lambda: an_offer(roots=bare_root("shop", (permitted("shop.internal"), False))),
        "foreign-roots-unconstrained", "peers.shop.offer.roots", "not critical",
    ),
    "with a root of this mesh's name": Wrong(
        lambda: an_offer(roots=root("prod", "shop.internal", owner="shop")),
        "foreign-roots-same-name", "peers.shop.offer.roots", "this mesh too",
    ),
    "without the Service": Wrong(
        lambda: an_offer(services={"carts.web": an_offer()["services"]["cart.web"]}),
        "not-offered", "peers.shop.imports.cart.web", "did you mean 'carts.web'?",
    ),
    "without the port": Wrong(
        lambda: an_offer(**service(ports={"http-api": 8080})), "not-offered",
        "peers.shop.imports.cart.web.ports.http", "did you mean 'http-api'?",
    ),
    "with another number of the port": Wrong(
        lambda: an_offer(**service(ports={"http": 80})), "not-offered", "peers.shop.imports.cart.web.ports.http",
        "ports: {http: 80}",
    ),
    "answered by nobody": Wrong(
        lambda: an_offer(**service(identities=[])), "offer-shape", "peers.shop.offer.services.cart.web.identities",
        "at least 1",
    ),
    "answered by this mesh itself": Wrong(
        lambda: an_offer(**service(identities=["spiffe://prod.internal/ns/web/sa/cart"])), "offer-mesh",
        "peers.shop.offer.services.cart.web.identities", "no identity of the Service's own namespace",
    ),
    "answered from another namespace": Wrong(
        lambda: an_offer(**service(identities=["spiffe://shop.internal/ns/attic/sa/cart"])), "offer-mesh",
        "peers.shop.offer.services.cart.web.identities", "no identity of the Service's own namespace",
    ),
    "without a gateway": Wrong(
        lambda: an_offer(gateways={}), "offer-gateways", "peers.shop.offer.gateways", "no federation gateway"
    ),
    "with a gateway at home": Wrong(
        lambda: an_offer(gateways={"s1": {"address": "127.0.0.1", "port": 15443}}), "offer-gateways",
        "peers.shop.offer.gateways.s1.address", "no address that another network can dial",
    ),
    "with a gateway that has no address": Wrong(
        lambda: an_offer(gateways={"s1": {"address": "", "port": 15443}}), "offer-gateways",
        "peers.shop.offer.gateways.s1.address", "neither an IP address nor a host name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_offer_is_refused(wrong: Wrong) -> None:
    found = judged(wrong.document())
    assert [(problem.slug, problem.where) for problem in found] == [(wrong.slug, wrong.where)]
    assert wrong.says in found[0].what + found[0].fix


@pytest.mark.parametrize("as_text", [False, True], ids=["a mapping", "JSON"])
@pytest.mark.parametrize("of_all", [False, True], ids=["for this mesh", "for all peers"])
def test_what_a_mesh_offers_is_taken_by_its_peer(as_text: bool, of_all: bool) -> None:
    document: Any = {"prod": an_offer(), "bank": {}} if of_all else an_offer()
    assert judged(json.dumps(document) if as_text else document) == []


def test_what_the_engine_made_of_numbers_is_taken_too() -> None:
    assert judged(an_offer(version=1.0, **service(ports={"http": 8080.0}))) == []


def test_a_newer_exporter_may_say_more() -> None:
    assert judged(an_offer(weather="fine", **service(since="2026"))) == []


def test_a_gateway_may_be_a_host_name() -> None:
    assert judged(an_offer(gateways={"s1": {"address": "lb.example", "port": 443}})) == []


@pytest.mark.parametrize("nothing", [None, {}, "{}", "null", {"bank": {"version": 1}}])
def test_no_offer_for_this_mesh_is_no_problem_yet(nothing: Any) -> None:
    assert read_offer("peers.shop.offer", nothing, "prod") is None


def test_roots_that_endanger_this_mesh_are_taken_only_where_that_is_said() -> None:
    unconstrained = an_offer(roots=bare_root("shop"))
    assert judged(unconstrained, accept=("unconstrained-roots",)) == []
    assert judged(unconstrained, accept=("same-root-names",)) != []
    same_name = an_offer(roots=root("prod", "shop.internal", owner="shop"))
    assert judged(same_name, accept=("same-root-names",)) == []


def test_a_root_may_not_vouch_for_another_peer_either() -> None:
    found = judged(an_offer(roots=root("shop", "shop.internal", "bank.internal")), bank={})
    assert [problem.what for problem in found] == ["'CN=shop root 1,O=shop' may vouch for bank.internal"]


def test_two_peers_with_one_root_name_are_told_both_fingerprints() -> None:
    topology = parse_topology(mesh_tree(peers={"shop": {}, "bank": {}}))
    offers = {
        "shop": Offer.model_validate(an_offer()),
        "bank": Offer.model_validate(an_offer(roots=root("shop", "bank.internal", owner="bank"))),
    }
    (problem,) = clashing_roots(topology, root("prod"), offers)
    assert problem.where == "peers.bank.offer.roots"
    assert problem.what.startswith("'CN=shop root 1,O=shop' is the name of a root of shop too: SHA-256 ")


def test_all_generations_of_a_root_are_judged() -> None:
    found = judged(an_offer(roots=root("shop") + bare_root("shop")))
    assert [problem.slug for problem in found] == ["foreign-roots-unconstrained"]


def test_a_mesh_that_offers_no_service_still_says_whom_to_trust() -> None:
    assert judged(an_offer(services={}, gateways={}), imports={}) == []


def test_an_offer_holds_only_what_this_peer_may_call() -> None:
    export = {"ports": {"http": 8080}, "accounts": ["cart"]}
    shop = parse_topology(
        mesh_tree(
            mesh_id="shop",
            peers={"prod": {}, "bank": {}},
            exports={"cart.web": {**export, "callers": {"bank": ["money/*"]}}, "stock.web": export},
        )
    )
    assert set(offer_to(shop, "bank", "", {"east": "192.0.2.1"})["services"]) == {"cart.web"}
    nothing = offer_to(shop, "prod", "", {"east": "192.0.2.1"})
    assert (nothing["services"], nothing["gateways"]) == ({}, {})


def test_no_problem_repeats_what_an_offer_says_of_its_roots() -> None:
    for wrong in WRONG.values():
        for problem in judged(wrong.document()):
            assert "BEGIN" not in f"{problem}"
