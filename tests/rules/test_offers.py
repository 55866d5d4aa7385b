"""What another mesh offers is refused where it could not work, or would let somebody take an identity of this mesh."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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


def bare_root(
    mesh: str,
    *extensions: tuple[x509.ExtensionType, bool],
    ca: bool = True,
    own: Any = None,
    signer: Any = None,
    begins: dt.datetime = NOW - dt.timedelta(days=1),
) -> str:
    """A root as others make it: without name constraints, or with these extensions, with a key, signed by another."""
    own = own or serialization.load_pem_private_key(key(mesh).encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{mesh} root")])
    builder = x509.CertificateBuilder(name, name, own.public_key(), 1, begins, NOW + dt.timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer or own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def constrained(*domains: str, critical: bool = True, excluded: tuple[str, ...] = (), **facts: Any) -> str:
    """A root of the mesh shop with name constraints of any kind."""
    # Other letters than ASCII's the library would refuse; who makes a root to attack does not.
    make = x509.UniformResourceIdentifier._init_without_validation
    uris = [[make(host) for host in hosts] or None for hosts in (domains, excluded)]
    return bare_root("shop", (x509.NameConstraints(*uris), critical), **facts)


def besides(*names: x509.GeneralName, excluded: list[x509.GeneralName] | None = None) -> str:
    """A root of the mesh shop that is permitted its own domain, and names of other kinds."""
    own = x509.UniformResourceIdentifier("shop.internal")
    return bare_root("shop", (x509.NameConstraints([own, *names], excluded), True))


def usage(cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, cert_sign, True, False, False)


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


def judged(
    document: Any,
    accept: tuple[str, ...] = (),
    imports: Any = None,
    mesh: dict[str, Any] | None = None,
    aliases: tuple[str, ...] = (),
    **peers: Any,
) -> list[Problem]:
    """What prod is told of an offer of its peer shop, from which it imports `cart.web`."""
    shop = {"accept": list(accept), "imports": {"cart.web": IMPORT} if imports is None else imports}
    shop |= {"trust_domain_aliases": list(aliases)}
    topology = parse_topology(mesh_tree(**{**(mesh or {}), "peers": {"shop": shop, **peers}}))
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


def at(address: str, **facts: Any) -> dict[str, Any]:
    """An offer with its gateway at another address, or with other facts of the gateway."""
    return an_offer(gateways={"s1": {"address": address, "port": 15443, **facts}})


def nested(depth: int) -> str:
    return '{"version": 1, "more": ' + "[" * depth + "]" * depth + "}"


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
    "with a root of this mesh's name but for capitals and spaces": Wrong(
        lambda: an_offer(roots=root("PROD ", "shop.internal", owner="shop")),
        "foreign-roots-same-name", "peers.shop.offer.roots", "this mesh too",
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


# Whom a peer may be: itself, and nobody else

ROOTS, UNCONSTRAINED = "foreign-roots", "foreign-roots-unconstrained"
P224, K1, BRAINPOOL = (
    ec.generate_private_key(curve) for curve in (ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP384R1())
)
RSA_1024 = rsa.generate_private_key(65537, 1024)
DANGEROUS = {
    "this mesh's former domain": (constrained("shop.internal", "before.example"), UNCONSTRAINED, "vouch for before"),
    "what this mesh's root vouches for": (constrained("shop.internal", "next.example"), UNCONSTRAINED, "for next"),
    "a third domain": (constrained("shop.internal", "evil.internal"), UNCONSTRAINED, "'evil.internal', no trust"),
    "Istio's default domain": (constrained("shop.internal", "cluster.local"), UNCONSTRAINED, "'cluster.local'"),
    "all that is internal but this mesh": (
        constrained(".internal", excluded=("prod.internal", "bank.internal")), UNCONSTRAINED, "'.internal', no trust",
    ),
    "domains below its own": (constrained("shop.internal", ".shop.internal"), UNCONSTRAINED, "'.shop.internal'"),
    "the empty host": (constrained("shop.internal", ""), ROOTS, "hold '', which is no host"),
    "the empty host, as advice": (constrained("shop.internal", "", critical=False), ROOTS, "hold '', which is no host"),
    "a lone dot": (constrained("shop.internal", "."), ROOTS, "hold '.', which is no host"),
    "a host with a dot at its end": (constrained("shop.internal", "shop.internal."), ROOTS, "hold 'shop.internal.'"),
    "an address": (constrained("shop.internal", "10.0.0.1"), ROOTS, "hold '10.0.0.1'"),
    "all but what is no host": (constrained("shop.internal", excluded=("x.",)), ROOTS, "hold 'x.'"),
    "its own by a key that may not sign": (
        bare_root("shop", (permitted("shop.internal"), True), (usage(False), True)), ROOTS, "keyCertSign",
    ),
    "its own from tomorrow": (constrained("shop.internal", begins=NOW + dt.timedelta(days=1)), ROOTS, "begins at 2026"),
    "its own, altered": (constrained("shop.internal", signer=P224), ROOTS, "not its own key's"),
    "its own with the sign of kelvin": (constrained("shop.internal", "ban\u212a.internal"), ROOTS, "which is no host"),
    "its own and what is no DNS name": (besides(x509.DNSName("a b..c")), ROOTS, "the DNS name 'a b..c'"),
    "its own and a directory": (besides(x509.DirectoryName(x509.Name([]))), ROOTS, "a DirectoryName"),
    "its own by RSA-1024": (constrained("shop.internal", own=RSA_1024), ROOTS, "1024 bits"),
    "its own by P-224": (constrained("shop.internal", own=P224), ROOTS, "on secp224r1"),
    "its own by secp256k1": (constrained("shop.internal", own=K1), ROOTS, "on secp256k1"),
    "its own by brainpool": (constrained("shop.internal", own=BRAINPOOL), ROOTS, "on brainpoolP384r1"),
}  # fmt: skip
CHANGING = {
    "trust": {
        "roots": [{"issued": "2026-11-23", "trust_domains": ["prod.internal", "before.example", "next.example"]}]
    },
    "trust_domain_aliases": ["before.example"],
}


@pytest.mark.parametrize("case", DANGEROUS)
def test_a_root_that_vouches_for_more_than_its_mesh_is_refused(case: str) -> None:
    roots, slug, says = DANGEROUS[case]
    found = judged(an_offer(roots=roots), mesh=CHANGING, bank={})
    assert (slug, "peers.shop.offer.roots") in [(problem.slug, problem.where) for problem in found]
    assert any(says in problem.what for problem in found), found


@pytest.mark.parametrize("case", [case for case, (_, slug, _) in DANGEROUS.items() if slug == ROOTS])
def test_what_is_no_sound_root_is_refused_of_those_who_are_trusted_too(case: str) -> None:
    found = judged(an_offer(roots=DANGEROUS[case][0]), accept=("unconstrained-roots",))
    assert [problem.slug for problem in found] == [ROOTS]


SOUND = {
    "its own domain in capitals": constrained("SHOP.internal"),
    "its own domain, some of it excluded": constrained("shop.internal", excluded=("a.shop.internal", ".b.internal")),
    "without key usage": constrained("shop.internal"),
    "by a key that may sign": bare_root("shop", (permitted("shop.internal"), True), (usage(True), True)),
    "with names of other kinds": besides(
        x509.DNSName(".svc"), x509.RFC822Name("x.example"), excluded=[x509.IPAddress(ipaddress.ip_network("0.0.0.0/0"))]
    ),
    "by RSA-2048": constrained("shop.internal", own=rsa.generate_private_key(65537, 2048)),
    "by P-521": constrained("shop.internal", own=ec.generate_private_key(ec.SECP521R1())),
    "the new key, by the old one": bare_root(
        "shop",
        (permitted("shop.internal"), True),
        (x509.SubjectKeyIdentifier(b"new"), False),
        (x509.AuthorityKeyIdentifier(b"old", None, None), False),
        signer=ec.generate_private_key(ec.SECP256R1()),
    ),
}


@pytest.mark.parametrize("case", SOUND)
def test_a_root_that_vouches_for_its_mesh_alone_is_trusted(case: str) -> None:
    assert judged(an_offer(roots=SOUND[case]), mesh=CHANGING, bank={}) == []


def test_a_peer_that_changes_its_trust_domain_is_taken_once_both_are_named() -> None:
    both = {"roots": root("shop", "shop.internal", "shop.example")}
    moving = an_offer(
        **both, **service(identities=[f"spiffe://shop.{end}/ns/web/sa/cart" for end in ("example", "internal")])
    )
    moved = {**moving, "trust_domain": "shop.example"}
    assert [problem.slug for problem in judged(an_offer(**both))] == [UNCONSTRAINED]
    for document in (an_offer(**both), an_offer(), moving, moved):
        assert judged(document, aliases=("shop.example",)) == []


def test_a_mesh_that_changes_its_trust_domain_answers_by_both_names() -> None:
    export = {"ports": {"http": 8080}, "accounts": ["cart"], "callers": {"prod": ["web/*"]}}
    facts = {"trust_domain": "shop.example", "trust_domain_aliases": ["shop.internal"]}
    shop = parse_topology(mesh_tree(mesh_id="shop", peers={"prod": {}}, exports={"cart.web": export}, **facts))
    offered = offer_to(shop, "prod", "", {"east": "192.0.2.1"})["services"]["cart.web"]["identities"]
    assert offered == ["spiffe://shop.example/ns/web/sa/cart", "spiffe://shop.internal/ns/web/sa/cart"]


def test_a_root_of_this_mesh_is_not_issued_for_a_peer() -> None:
    """Given ones may be: what they permit is known once the program runs."""
    topology, offers = parse_topology(mesh_tree(peers={"shop": {}})), {"shop": Offer.model_validate(an_offer())}
    (problem,) = clashing_roots(topology, root("prod", "prod.internal", "shop.internal"), offers)
    assert (problem.slug, problem.where) == ("peer-trust-domain", "peers.shop.trust_domain")
    assert clashing_roots(topology, root("prod", "prod.internal", "corp.example") + bare_root("prod"), offers) == []


# What an offer may hold

INJECTED = "spiffe://shop.internal/ns/web/sa/cart\nAPI_SERVER_9=x|https://192.0.2.1|../../x|"
SHAPES: dict[str, tuple[Any, str]] = {
    "an identity with a second line": (an_offer(**service(identities=[INJECTED])), "identities.0"),
    "anybody of a namespace": (an_offer(**service(identities=["spiffe://shop.internal/ns/web/sa/*"])), "identities.0"),
    "an identity that goes up": (
        an_offer(**service(identities=["spiffe://shop.internal/ns/web/sa/../../a/sa/b"])), "identities.0",
    ),
    "an identity with more behind it": (
        an_offer(**service(identities=["spiffe://shop.internal/ns/web/sa/cart spiffe://shop.internal/ns/web/sa/b"])),
        "identities.0",
    ),
    "an identity with a bar": (
        an_offer(**service(identities=["spiffe://shop.internal/ns/web/sa/c|d"])), "identities.0",
    ),
    "a caller that is none": (an_offer(**service(callers=["web"])), "callers.0"),
    "a port of no name": (an_offer(**service(ports={"http": 8080, "a b": 1})), "ports.?"),
    "a Service of no name": (an_offer(services={"cart\nweb": an_offer()["services"]["cart.web"]}), "services.?"),
    "a cluster of no name": (an_offer(gateways={"s1|s2": {"address": "192.0.2.1", "port": 1}}), "gateways.?"),
    "a network of no name": (an_offer(networks=["a\x1b[2J"]), "networks.0"),
    "a locality with a control character": (at("192.0.2.1", locality="a\x00"), "gateways.s1.locality"),
    "an address that is too long": (at(f"{'a.' * 130}example"), "gateways.s1.address"),
    "a mesh ID of two lines": (an_offer(mesh_id="shop\nx"), "mesh_id"),
    "a trust domain of two lines": (an_offer(trust_domain="shop.internal\nx"), "trust_domain"),
    "100,000 Services": (
        an_offer(services={f"s{n}.web": an_offer()["services"]["cart.web"] for n in range(9_000)}), "more than 50000",
    ),
    "1,001 Services": (
        an_offer(services={f"s{n}.web": an_offer()["services"]["cart.web"] for n in range(1_001)}), "services",
    ),
    "roots without end": (an_offer(roots=root("shop") * 400), "roots"),
    "JSON that is 100,000 levels deep": (nested(100_000), "levels deep"),
    "JSON that is 17 levels deep": (nested(17), "levels deep"),
    "text without end": ('"' + "a" * 5_000_000 + '"', "more than 4,194,304 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_what_no_program_offers_is_refused_before_it_is_read_any_further(case: str) -> None:
    document, says = SHAPES[case]
    found = judged(document)
    assert {problem.slug for problem in found} == {"offer-shape"}, found
    assert any(says in problem.where + problem.what for problem in found), found
    assert not any(ord(character) < 32 for problem in found for character in problem.where + problem.what)


def test_a_document_that_holds_itself_is_refused() -> None:
    document: dict[str, Any] = an_offer()
    document["more"] = document
    assert [problem.slug for problem in judged(document)] == ["offer-shape"]


def test_the_most_that_an_offer_may_hold_is_taken() -> None:
    many = an_offer()["services"]["cart.web"] | {
        "identities": [f"spiffe://shop.internal/ns/web/sa/a{n}" for n in range(20)],
        "ports": {"http": 8080, **{f"tcp-{n}": 9000 + n for n in range(20)}},
    }
    document = an_offer(services={"cart.web": many, **{f"s{n}.web": many for n in range(999)}})
    assert judged(json.dumps(document)) == []
    assert judged(nested(14).replace("{", '{"mesh_id": 1, ', 1))[0].where.endswith("mesh_id")


NOWHERE = [
    "localhost", "gateway.localhost", "kubernetes.default.svc.cluster.local", "istiod.istio-system.svc", "a.local",
    "gateway", "2130706433", "0x7f000001", "0x7f.1", "127.1", "1.2.3", "::1", "::", "::ffff:127.0.0.1", "::ffff:0:0",
    "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fe80::1%eth0", "2001:db8::1%a|b", "169.254.169.254",
    "255.255.255.255", "224.0.0.1", "ff02::1", "-a.example", "a..example", "A.example", "a.example.", "a_b.example",
]  # fmt: skip


@pytest.mark.parametrize("address", NOWHERE)
def test_an_address_that_means_something_else_elsewhere_is_refused(address: str) -> None:
    assert [problem.slug for problem in judged(at(address))] == ["offer-gateways"]


@pytest.mark.parametrize(
    "address",
    ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "64:ff9b::c000:201", "lb.example", "1a.example",
     "0x7f.example", "a1b2.elb.eu-west-1.amazonaws.com", "gateway.shop.internal", "240.0.0.1"],
)  # fmt: skip
def test_an_address_that_another_network_may_dial_is_taken(address: str) -> None:
    assert judged(at(address, locality="europe-west1/b")) == []
