"""The inputs of each kind: right ones, changed ones and spoiled ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from pulumi_istio_mesh.topology.load import parse_topology

from .. import installers
from ..builders import TOKEN, a_kubeconfig, mesh_tree
from ..rules.test_offers import IMPORT, an_offer, bare_root, root
from ..rules.wrong_gke import GKE
from . import pipeline
from .changes import OF_INSTALLERS, SECRET, TREES, changed, odd, spoiled, with_secret
from .meshes import files
from .pipeline import Counts, as_text

INSTALLERS = [
    document
    for text in (
        installers.BANZAI,
        installers.CISCO_ACTIVE,
        installers.CISCO_PASSIVE,
        installers.SAIL_EAST,
        installers.SAIL_WEST,
        installers.OPERATOR,
        installers.OPERATOR_REMOTE,
        installers.HELM,
    )
    for document in yaml.safe_load_all(text)
]
IMPORTER = parse_topology(mesh_tree(peers={"shop": {"imports": {"cart.web": IMPORT}}}))
KUBECONFIG = yaml.safe_load(a_kubeconfig().replace(TOKEN, SECRET))


GKE_TREES = [tree for wrong in GKE.values() for tree in (wrong.tree, wrong.allowed)]


@st.composite
def known_meshes(draw: st.DrawFn) -> list[str]:
    """What the tests of rules know, as it is and with a few changes: each is one fact from being right."""
    tree = draw(st.one_of(st.sampled_from(TREES), st.sampled_from(GKE_TREES)))
    return [as_text(tree), as_text(draw(changed(tree)))]


@st.composite
def mesh_files(draw: st.DrawFn) -> list[str]:
    """A file, and what becomes of it in a change or two."""
    tree = draw(st.one_of(files(), files(), st.sampled_from(TREES)))
    trees = [tree]
    for _ in range(draw(st.integers(1, 2))):
        trees.append(draw(changed(trees[-1], least=1)))
    if draw(st.integers(0, 5)) == 0:
        trees.append(draw(files()))
    texts = [as_text(draw(with_secret(tree))) for tree in trees]
    if draw(st.integers(0, 4)) == 0:
        texts.append(draw(spoiled(as_text(trees[0]))))
    return texts


@st.composite
def documents(draw: st.DrawFn) -> list[tuple[str | None, str]]:
    """What other installers of Istio are told, in a file or two."""
    found = []
    for name in ("east", "west", None)[: draw(st.integers(1, 3))]:
        chosen = draw(st.lists(st.sampled_from(INSTALLERS), min_size=1, max_size=2))
        trees = [draw(changed(document)) for document in chosen]
        if draw(st.integers(0, 4)) == 0:
            found.append((name, draw(spoiled("---\n".join(map(as_text, trees))))))
        else:
            trees = [draw(with_secret(tree, OF_INSTALLERS)) for tree in trees]
            found.append((name, "---\n".join(map(as_text, trees))))
    return found


@cache
def _offers() -> list[dict[str, Any]]:
    """What right and wrong peers offer: of other domains, networks and names, with roots of all kinds."""
    right = an_offer()
    roots = [root("shop"), root("shop", "prod.internal"), root("shop", "shop.internal", "x.example"), root("prod")]
    roots += [bare_root("shop"), root("shop", days=1), root("shop") + root("bank"), ""]
    found = [right, *(an_offer(roots=pem) for pem in roots)]
    found += [an_offer(networks=["east"]), an_offer(mesh_id="bank"), an_offer(trust_domain="corp.example")]
    found += [an_offer(gateways={}), an_offer(services={}), an_offer(networks=["s2"], more="unknown")]
    return found


@st.composite
def offers(draw: st.DrawFn) -> Any:
    """What another mesh offers, as a tree or as its JSON."""
    right, *others = _offers()
    found = draw(
        st.one_of(st.just(right), changed(right), st.sampled_from(others), changed(draw(st.sampled_from(others))))
    )
    if draw(st.integers(0, 9)) == 0:
        return draw(odd)
    if draw(st.booleans()):
        return found
    text = json.dumps(found, default=str)
    return draw(spoiled(text)) if draw(st.booleans()) else text


@st.composite
def kubeconfigs(draw: st.DrawFn) -> str:
    """A kubeconfig with a token."""
    text = as_text(draw(changed(KUBECONFIG)))
    return draw(spoiled(text)) if draw(st.booleans()) else text


KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any, Counts], None], int]] = {
    "mesh files": (mesh_files(), pipeline.mesh_file, 8),
    "known meshes": (known_meshes(), lambda texts, counts: pipeline.mesh_file(texts, counts, "known meshes"), 3),
    "documents of installers": (documents(), pipeline.documents, 3),
    "offers": (offers(), lambda document, counts: pipeline.offer(document, IMPORTER, root("prod"), counts), 3),
    "kubeconfigs": (kubeconfigs(), pipeline.kubeconfig, 2),
}
"""By name: what is given, what it goes through, and its share of the time."""
