"""A link is one line: what it makes of both meshes, and what is told where it can't be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_istio_mesh.cli.mesh_file import judged
from pulumi_istio_mesh.topology.links import linked
from pulumi_istio_mesh.topology.load import load_mesh, load_meshes, parse_links
from pulumi_istio_mesh.topology.problems import TopologyError

from ..builders import mesh_tree

CART = {"ports": {"http": 8080}, "accounts": ["cart"]}
LINK = {"exporter": "shop", "importer": "bank", "service": "cart.web", "callers": ["money/ledger", "money/audit"]}


def meshes(**changes: Any) -> dict[str, Any]:
    """Three meshes; shop exports cart.web. A mesh's facts can be changed."""
    trees = {
        "shop": mesh_tree(mesh_id="shop", clusters={"s1": {}}, exports={"cart.web": CART}),
        "bank": mesh_tree(mesh_id="bank", clusters={"b1": {}}),
        "post": mesh_tree(mesh_id="post", clusters={"p1": {}}),
    }
    return {name: {**tree, **changes.get(name, {})} for name, tree in trees.items()}


def file(folder: Path, *links: dict[str, Any], **changes: Any) -> str:
    path = folder / "mesh.yaml"
    path.write_text(yaml.safe_dump({"meshes": meshes(**changes), "links": list(links)}, sort_keys=False))
    return str(path)


def test_one_line_makes_both_sides() -> None:
    found = linked(meshes(), parse_links([LINK]))
    assert found.problems == ()
    assert found.meshes["shop"]["exports"] == {
        "cart.web": {**CART, "callers": {"bank": ["money/ledger", "money/audit"]}}
    }
    assert found.meshes["shop"]["peers"] == {"bank": {}}
    assert found.meshes["bank"]["peers"] == {
        "shop": {"imports": {"cart.web": {"ports": {"http": 8080}, "namespaces": ["money"]}}}
    }
    assert "peers" not in found.meshes["post"]


def test_what_a_user_typed_is_left_as_it_was() -> None:
    trees = meshes()
    linked(trees, parse_links([LINK]))
    assert trees == meshes()


def test_a_mesh_with_a_trust_domain_of_its_choice_is_known_by_it() -> None:
    found = linked(meshes(shop={"trust_domain": "shop.example"}), parse_links([LINK]))
    assert found.meshes["bank"]["peers"]["shop"]["trust_domain"] == "shop.example"


def test_a_mesh_that_changes_its_trust_domain_is_known_by_both() -> None:
    both = {"roots": [{"issued": "2026-11-24", "trust_domains": ["shop.internal", "shop.example"]}]}
    for facts, besides in (
        ({"trust": both}, "shop.example"),
        ({"trust": both, "trust_domain": "shop.example", "trust_domain_aliases": ["shop.internal"]}, "shop.internal"),
    ):
        found = linked(meshes(shop=facts), parse_links([LINK]))
        assert found.meshes["bank"]["peers"]["shop"]["trust_domain_aliases"] == [besides]


@pytest.mark.parametrize("trust", [None, "x", {"roots": None}, {"roots": [None, {"trust_domains": [1, {}]}]}])
def test_trust_of_another_shape_adds_nothing(trust: Any) -> None:
    found = linked(meshes(shop={"trust": trust}), parse_links([LINK]))
    assert "trust_domain_aliases" not in found.meshes["bank"]["peers"]["shop"]


def test_what_is_said_of_the_import_gets_there() -> None:
    said = {"host": "cart.example", "namespaces": ["money", "lab"], "rewrite_host": True, "address": "240.0.0.1"}
    found = linked(
        meshes(), parse_links([{**LINK, **said, "fallback": {"service": "cart.money", "accounts": ["cart"]}}])
    )
    made = found.meshes["bank"]["peers"]["shop"]["imports"]["cart.web"]
    assert made == {
        **said,
        "ports": {"http": 8080},
        "fallback": {"service": "cart.money", "accounts": ("cart",)},
    }


WRONG: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "from a mesh that is none": ({"exporter": "shopp"}, "link-meshes", "links.0.exporter", "did you mean 'shop'?"),
    "to a mesh that is none": ({"importer": "bnk"}, "link-meshes", "links.0.importer", "did you mean 'bank'?"),
    "to itself": ({"importer": "shop"}, "link-meshes", "links.0", "leads from shop to itself"),
    "for a Service that is not exported": (
        {"service": "card.web"}, "not-offered", "links.0.service", "did you mean 'cart.web'?",
    ),
    "for everybody, seen by nobody": ({"callers": ["*"]}, "import-service", "links.0.namespaces", "who sees the name"),
    "for nobody, seen by nobody": ({"callers": []}, "import-service", "links.0.namespaces", "nobody would see it"),
    "for a caller without a namespace": ({"callers": ["ledger"]}, "export-callers", "links.0.callers.0", "no caller"),
    "by a name inside the cluster": ({"host": "cart.svc.cluster.local"}, "import-host", "links.0.host", "own domain"),
    "at an address that is none": ({"address": "here"}, "import-address", "links.0.address", "not an IP address"),
    "with a fallback that is no Service": (
        {"fallback": {"service": "cart", "accounts": ["cart"]}}, "import-fallback", "links.0.fallback.service",
        "not <service>.<namespace>",
    ),
    "with a word that nobody knows": ({"caller": []}, "unknown-key", "links.0.caller", "did you mean 'callers'?"),
    "with text where a list is": ({"callers": "money/*"}, "topology-shape", "links.0.callers", "should be a list"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_link_is_refused_at_its_own_line(wrong: tuple[dict[str, Any], str, str, str], tmp_path: Path) -> None:
    change, slug, where, says = wrong
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, {**LINK, **change}))
    found = [problem for problem in caught.value.problems if problem.slug == slug]
    assert [(problem.slug, problem.where) for problem in found] == [(slug, where)], caught.value.problems
    assert says in found[0].what
    assert f"mesh.yaml:{line_of(tmp_path, 'links:') + 1}:" in str(caught.value) or ".0." in where


def line_of(folder: Path, text: str) -> int:
    return (folder / "mesh.yaml").read_text().splitlines().index(text) + 1


def test_a_link_that_is_missing_a_word_is_told_which() -> None:
    with pytest.raises(TopologyError) as caught:
        parse_links([{key: value for key, value in LINK.items() if key != "service"}])
    (problem,) = caught.value.problems
    assert (problem.slug, problem.where) == ("missing-key", "links.0.service")
    assert problem.why.startswith("`<service>.<namespace>`")


def test_one_service_is_linked_once(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, LINK, LINK))
    assert [problem.where for problem in caught.value.problems] == ["links.1"]


def test_what_is_imported_is_not_exported_again(tmp_path: Path) -> None:
    again = {"exporter": "bank", "importer": "post", "service": "cart.web", "callers": ["letters/*"]}
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, LINK, again))
    (problem,) = caught.value.problems
    assert (problem.slug, problem.where, problem.fix) == ("export-transit", "links.1.service", "exporter: shop")


def test_meshes_that_share_have_no_network_of_one_name(tmp_path: Path) -> None:
    here = {"clusters": {"b1": {"network": "s1"}}}
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, LINK, bank=here))
    assert [(problem.slug, problem.where) for problem in caught.value.problems] == [
        ("offer-networks", "meshes.bank.clusters")
    ]
    assert judged(file(tmp_path, bank=here))


def test_meshes_are_rendered_to_folders_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, bank={"render_to": "out"}, post={"render_to": "out"}))
    (problem,) = caught.value.problems
    assert (problem.slug, problem.where) == ("render-to", "meshes.post.render_to")
    assert judged(file(tmp_path, bank={"render_to": "out/bank"}, post={"render_to": "out/post"}))


def test_a_program_gets_both_sides_and_the_kubeconfigs(tmp_path: Path) -> None:
    found = load_meshes(file(tmp_path, LINK), lambda cluster: f"kubeconfig of {cluster}")["meshes"]
    assert found["bank"]["clusters"]["b1"]["kubeconfig"] == "kubeconfig of b1"
    assert set(found["bank"]["peers"]["shop"]["imports"]) == {"cart.web"}


def test_a_program_is_told_what_is_wrong_with_its_links(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"links\.0\.service"):
        load_meshes(file(tmp_path, {**LINK, "service": "card.web"}))


def test_a_program_of_one_mesh_is_told_too_and_does_not_run_without_the_link(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"links\.0\.service"):
        load_mesh(file(tmp_path, {**LINK, "service": "card.web"}), mesh="bank")


def test_an_owner_is_told_by_the_name_that_links_use(tmp_path: Path) -> None:
    again = {"exporter": "bank", "importer": "post", "service": "cart.web", "callers": ["letters/*"]}
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, LINK, again, shop={"mesh_id": "shop-1"}))
    assert [problem.fix for problem in caught.value.problems] == ["exporter: shop"]


@pytest.mark.parametrize(
    ("mesh", "facts", "where"),
    [
        ("bank", {"peers": {"shop": None}}, "meshes.bank.peers.shop"),
        ("bank", {"peers": ["shop"]}, "meshes.bank.peers"),
        ("shop", {"exports": {"cart.web": None}}, "meshes.shop.exports.cart.web"),
        ("shop", {"exports": {"cart.web": {**CART, "callers": None}}}, "meshes.shop.exports.cart.web.callers"),
        # Text, of which each letter would be a caller.
        (
            "shop",
            {"exports": {"cart.web": {**CART, "callers": {"bank": "*"}}}},
            "meshes.shop.exports.cart.web.callers.bank",
        ),
        ("shop", {"exports": {"cart.web": {**CART, "ports": "http"}}}, "meshes.shop.exports.cart.web.ports"),
    ],
)  # fmt: skip
def test_a_misshapen_mesh_is_told_at_its_place_whatever_links_to_it(
    mesh: str, facts: dict[str, Any], where: str, tmp_path: Path
) -> None:
    with pytest.raises(TopologyError) as caught:
        judged(file(tmp_path, LINK, **{mesh: facts}))
    assert where in [problem.where for problem in caught.value.problems]
