"""Pictures in every format: complete, the same bytes for the same plan, and safe to show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given

from pulumi_istio_mesh.istio import names
from pulumi_istio_mesh.pictures import svg as svg_module
from pulumi_istio_mesh.pictures.drawing import Box, Drawing, Facts, Line, Mark, Node, Shape, compared, drawn
from pulumi_istio_mesh.pictures.formats import FORMATS
from pulumi_istio_mesh.pictures.mermaid import mermaid_of
from pulumi_istio_mesh.pictures.page import page
from pulumi_istio_mesh.pictures.svg import PicturesExtraMissing
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh

from ..builders import a_mesh
from ..plan.test_mesh_plan import shapes
from .meshes import MESHES

Clusters = dict[str, dict[str, Any]]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mesh", MESHES)
def test_every_cluster_network_gateway_and_root_is_in_the_picture(mesh: str, form: str) -> None:
    text = FORMATS[form](drawn(*MESHES[mesh]))
    for plan in MESHES[mesh]:
        for cluster in plan.clusters:
            assert cluster.name in text
            assert f"network {cluster.network}" in text
            assert (f"gateway {cluster.name}" in text) == (cluster.gateway or cluster.federation_gateway)
        assert all(f"root {root.name}" in text for root in plan.roots)
        assert all(f"mesh {peer.name}" in text for peer in plan.peers)
    assert str(names.MTLS_PORT) in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_plan_is_the_same_bytes_on_every_machine(form: str) -> None:
    """In another process, with another hash seed, and none of this machine's fonts and settings of them."""
    program = (
        "from tests.pictures.meshes import MESHES; from pulumi_istio_mesh.pictures.drawing import drawn;"
        "from pulumi_istio_mesh.pictures.formats import FORMATS; import sys;"
        f"sys.stdout.write(FORMATS[{form!r}](drawn(*MESHES['seven clusters'])))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "FONTCONFIG_FILE": fonts},
        )
        for seed, fonts in (("1", "/etc/fonts/fonts.conf"), ("2", "/nowhere"))
    ]
    assert len({done.stdout for done in found}) == 1
    assert {done.stderr for done in found} == {b""}


@given(shapes())
def test_in_mermaid_and_dot_every_arrow_ends_at_something_that_is_drawn(clusters: Clusters) -> None:
    drawing = drawn(plan_mesh(a_mesh(**clusters)))
    there = {element.id for element in (*drawing.boxes, *drawing.nodes)}
    assert {end for arrow in drawing.arrows for end in (arrow.source, arrow.target)} <= there
    assert len({arrow.id for arrow in drawing.arrows}) == len(drawing.arrows)


@given(shapes())
def test_a_cluster_is_told_and_shown_with_everything_that_its_calls_go_through(clusters: Clusters) -> None:
    plan = plan_mesh(a_mesh(**clusters))
    drawing = drawn(plan)
    assert set(drawing.clusters) == {node.id for node in drawing.nodes if node.shape is Shape.CLUSTER}
    for path in plan.paths:
        shown = drawing.clusters[f"cluster_{path.source}"].elements
        assert {f"cluster_{path.source}", f"cluster_{path.target}"} <= shown
        assert path.direct or f"gateway_{path.target}" in shown
    for cluster in plan.clusters:
        assert drawing.clusters[f"cluster_{cluster.name}"].words[0].startswith(f"{cluster.name}: network ")


def test_a_mesh_where_all_call_all_does_not_drown_in_arrows() -> None:
    twenty = drawn(*MESHES["twenty clusters"])
    assert len([arrow for arrow in twenty.arrows if arrow.line is Line.THROUGH]) == 20
    assert [node.shape for node in twenty.nodes].count(Shape.HUB) == 1


# Marks


@given(shapes())
def test_a_drawing_compared_with_itself_has_no_mark(clusters: Clusters) -> None:
    drawing = drawn(plan_mesh(a_mesh(**clusters)))
    assert compared(drawing, drawing) == (drawing, drawing)


@given(shapes(), shapes())
def test_what_one_drawing_alone_has_is_marked_on_it(before: Clusters, after: Clusters) -> None:
    old, new = drawn(plan_mesh(a_mesh(**before))), drawn(plan_mesh(a_mesh(**after)))

    def alone(drawing: Drawing, mark: Mark) -> set[str]:
        return {node.id for node in drawing.nodes if node.mark is mark}

    was, will = compared(old, new)
    assert alone(was, Mark.REMOVED) == {node.id for node in old.nodes} - {node.id for node in new.nodes}
    assert alone(will, Mark.ADDED) == {node.id for node in new.nodes} - {node.id for node in old.nodes}
    assert alone(was, Mark.CHANGED) == alone(will, Mark.CHANGED)
    assert not alone(was, Mark.ADDED) | alone(will, Mark.REMOVED)


def test_marks_are_signs_besides_colours() -> None:
    old = drawn(plan_mesh(a_mesh(east={}, west={})))
    new = drawn(plan_mesh(a_mesh(east={"network": "vpc"}, plant={})))
    was, will = compared(old, new)
    for form in FORMATS.values():
        before, after = form(was), form(will)
        assert "- west" in before
        assert "~ east" in before
        assert "~ east" in after
        assert "+ plant" in after


# Safe to show


def test_no_text_of_a_plan_is_markup() -> None:
    """Names can't hold such text; were a rule to allow it one day, pictures would still be safe."""
    evil = '</script><script>alert(1)</script>"&\\'
    node = Node("cluster_x", Shape.CLUSTER, (evil,), "network_x")
    facts = {"cluster_x": Facts((evil,), frozenset({"cluster_x"}))}
    drawing = Drawing(evil, (Box("network_x", evil),), (node,), (), ())
    vars(drawing)["clusters"] = facts
    text = page(drawing)
    assert "<script>alert" not in text
    assert text.count("</script>") == 2
    (found,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', text, flags=re.DOTALL)
    assert json.loads(found)["cluster_x"]["words"] == [evil]
    ElementTree.fromstring(FORMATS["svg"](drawing))


@pytest.mark.parametrize("mesh", MESHES)
def test_nothing_is_fetched(mesh: str) -> None:
    for form in ("svg", "html"):
        text = FORMATS[form](drawn(*MESHES[mesh]))
        urls = {found.rstrip('"') for found in re.findall(r"https?://[^\s<>']+", text)}
        assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_without_its_extra_a_picture_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(PicturesExtraMissing, match=re.escape("pip install 'pulumi-istio-mesh[pictures]'")):
        svg_module.svg(drawn(*MESHES["two clusters"]))
    assert mermaid_of(drawn(*MESHES["two clusters"])).startswith("flowchart LR\n")
