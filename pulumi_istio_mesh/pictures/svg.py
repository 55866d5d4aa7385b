"""Drawings laid out by Graphviz, as SVG that follows the reader's light or dark scheme."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from .dot import dot
from .drawing import Drawing

_SVG = "http://www.w3.org/2000/svg"
_LINE = 15.0
"""Points from one line of text to the next."""
_NO_FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>'

STYLE = """
:root { --ground: #ffffff; --ink: #1f2328; --quiet: #59636e; --cluster: #e8f1fb; --gateway: #fff4d6; --other: #f0f0f0;
  --added: #007a5a; --changed: #a86200; --removed: #b04a00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --cluster: #16324f; --gateway: #4a3a10; --other: #2a2f36;
    --added: #3fc79a; --changed: #f0b13c; --removed: #ff8a4c; }
}
.mesh text { fill: var(--ink); font: 12px Helvetica, Arial, sans-serif; }
.mesh .border > text, .mesh #legend > text { font-size: 13px; }
.mesh .edge text, .mesh .legend text { font-size: 11px; }
.mesh .ground { fill: var(--ground); stroke: none; }
.mesh path, .mesh polygon, .mesh polyline, .mesh ellipse { stroke: var(--ink); }
.mesh .edge polygon { fill: var(--ink); }
.mesh .border > path, .mesh .border > polygon, .mesh #legend > polygon { stroke: var(--quiet); fill: none; }
.mesh .node > polygon, .mesh .node > path { fill: var(--other); }
.mesh .node.cluster > polygon { fill: var(--cluster); }
.mesh .node.gateway > ellipse { fill: var(--gateway); }
.mesh .legend text { fill: var(--quiet); }
.mesh .legend > ellipse { fill: none; }
.mesh g.added > :not(text) { stroke: var(--added); }
.mesh g.changed > :not(text) { stroke: var(--changed); }
.mesh g.removed > :not(text) { stroke: var(--removed); }
.mesh g.edge.added > polygon { fill: var(--added); }
.mesh g.edge.changed > polygon { fill: var(--changed); }
.mesh g.edge.removed > polygon { fill: var(--removed); }
"""
"""Colours of both schemes; a mark is also a sign in the text, and what goes is dashed."""


class PicturesExtraMissing(Exception):
    """Graphviz is asked for, and the extra that brings it is not installed."""

    def __init__(self) -> None:
        super().__init__("SVG and HTML are laid out by Graphviz: pip install 'pulumi-istio-mesh[pictures]'")


def svg(drawing: Drawing) -> str:
    """Return a drawing as one SVG file; the same drawing is always the same bytes, whatever fonts a machine has.

    Raises `PicturesExtraMissing` without pygraphviz.
    """
    return ElementTree.tostring(laid_out(drawing), encoding="unicode") + "\n"


def laid_out(drawing: Drawing) -> ElementTree.Element:
    """Return the SVG as a tree: each element's identifier is its `id`, and what it is, and its mark, its classes."""
    try:
        import pygraphviz
    except ImportError:
        raise PicturesExtraMissing from None
    with _machine_without_fonts():
        laid: bytes = pygraphviz.AGraph(string=dot(drawing)).draw(prog="dot", format="svg")
    ElementTree.register_namespace("", _SVG)
    # Comments, such as Graphviz's version, are left out by the parser.
    root = ElementTree.fromstring(laid)
    root.set("class", "mesh")
    root.set("role", "img")
    root.set("aria-label", f"Picture of {drawing.title}")
    graph = root.find(f"{{{_SVG}}}g")
    assert graph is not None, "Graphviz draws a graph as a group"
    for element in root.iter():
        title = element.find(f"{{{_SVG}}}title")
        if title is not None:
            # Graphviz's own identifiers, which browsers would show as a tooltip.
            element.remove(title)
    ground = graph.find(f"{{{_SVG}}}polygon")
    if ground is not None:
        ground.set("class", "ground")
    for group in root.iter(f"{{{_SVG}}}g"):
        _spread(group.findall(f"{{{_SVG}}}text"))
    style = ElementTree.Element(f"{{{_SVG}}}style")
    style.text = STYLE
    root.insert(0, style)
    return root


def _spread(lines: list[ElementTree.Element]) -> None:
    """Set the lines of a text apart around their middle: without a font's own measures they would touch."""
    middle = sum(float(line.get("y", 0)) for line in lines) / max(len(lines), 1)
    for number, line in enumerate(lines):
        line.set("y", f"{middle + (number - (len(lines) - 1) / 2) * _LINE:.2f}")


@contextmanager
def _nobody_reads_stderr() -> Iterator[None]:
    """Send what C libraries say on standard error nowhere."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _machine_without_fonts() -> Iterator[None]:
    """Let Graphviz estimate how wide text is: measured with a machine's fonts, a picture would differ from the next's.

    Fontconfig reads its settings once in a process, at the first picture, and grumbles about files of the machine that
    are none of ours: nobody is to read that. What goes wrong with a picture is raised.
    """
    before = os.environ.get("FONTCONFIG_FILE")
    with tempfile.TemporaryDirectory() as folder, _nobody_reads_stderr():
        settings = Path(folder, "fonts.conf")
        settings.write_text(_NO_FONTS, encoding="utf-8")
        os.environ["FONTCONFIG_FILE"] = str(settings)
        try:
            yield
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before
