"""Drawings as a Mermaid flow chart, which GitHub, GitLab and most wikis draw by themselves.

Thick arrows are calls between networks and between meshes, with the Service and who may call it; thin ones calls
between pods where not all pods of a network call each other; dotted ones lead remote clusters to the istiod that
serves them, and istiods to the API servers that they read where they don't read all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..plan.mesh_plan import MeshPlan
from .drawing import Arrow, Box, Drawing, Line, Mark, Node, Shape, drawn

_BORDERS: dict[Shape, tuple[str, str]] = {
    Shape.CLUSTER: ('["', '"]'),
    Shape.GATEWAY: ('(("', '"))'),
    Shape.ROOT: ('>"', '"]'),
    Shape.FIREWALL: ('[/"', '"/]'),
    Shape.MESH: ('{{"', '"}}'),
    Shape.HUB: ('(["', '"])'),
}
_ARROWS: dict[Line, str] = {
    Line.PART: "---",
    Line.CONFIG: "-.->",
    Line.READS: "-.->",
    Line.DIRECT: "-->",
    Line.NO_CALLS: "x--x",
    Line.THROUGH: "==>",
    Line.ACROSS: "==>",
}
_STYLES = {
    # Okabe and Ito's colours, which colour-blind people tell apart; signs and dashes say the same.
    Mark.ADDED: "stroke:#009E73,stroke-width:4px",
    Mark.CHANGED: "stroke:#E69F00,stroke-width:4px",
    Mark.REMOVED: "stroke:#D55E00,stroke-width:4px,stroke-dasharray:6",
}


def mermaid(*plans: MeshPlan) -> str:
    """Return the picture of meshes, as `drawn`."""
    return mermaid_of(drawn(*plans))


def mermaid_of(drawing: Drawing) -> str:
    """Return a drawing as text; the same drawing is always the same text."""
    chart = _Chart(drawing)
    return "\n".join(["flowchart LR", *_indented(chart.lines()), *_indented(chart.styles())]) + "\n"


class _Chart:
    """The text as it grows: links are known by their number in it."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._links: list[Arrow] = []

    def lines(self) -> Iterator[str]:
        """Yield boxes with what is in them, then what is in none."""
        for box in self._drawing.boxes:
            if box.inside is None:
                yield from self._box(box)
        yield from self._inside(None)

    def styles(self) -> Iterator[str]:
        """Yield the marks, where there are any."""
        for mark, style in _STYLES.items():
            marked: list[Box | Node] = [*self._drawing.boxes, *self._drawing.nodes]
            if elements := [element.id for element in marked if element.mark is mark]:
                name = mark.name.lower()
                yield f"classDef {name} {style}"
                yield f"class {','.join(elements)} {name}"
            if links := [str(number) for number, arrow in enumerate(self._links) if arrow.mark is mark]:
                yield f"linkStyle {','.join(links)} {style}"

    def _box(self, box: Box) -> Iterator[str]:
        yield f'subgraph {box.id}["{_signed(box.mark, box.title)}"]'
        inner = [line for other in self._drawing.boxes if other.inside == box.id for line in self._box(other)]
        yield from _indented([*inner, *self._inside(box.id)])
        yield "end"

    def _inside(self, box: str | None) -> Iterator[str]:
        for node in self._drawing.nodes:
            if node.inside == box:
                yield _node(node)
                for arrow in self._drawing.arrows:
                    if arrow.line is Line.PART and arrow.source == node.id:
                        yield self._link(arrow)
        for arrow in self._drawing.arrows:
            if arrow.line is not Line.PART and arrow.inside == box:
                yield self._link(arrow)

    def _link(self, arrow: Arrow) -> str:
        self._links.append(arrow)
        text = _signed(arrow.mark, "<br/>".join(arrow.text)).strip()
        # Words of the chart's own language, such as slashes and brackets, need quotes.
        quoted = text if text.replace(" ", "").replace(",", "").replace(".", "").isalnum() else f'"{text}"'
        label = f"|{quoted}|" if text else ""
        return f"{arrow.source} {_ARROWS[arrow.line]}{label} {arrow.target}"


def _node(node: Node) -> str:
    begin, end = _BORDERS[node.shape]
    return f"{node.id}{begin}{_signed(node.mark, '<br/>'.join(node.lines))}{end}"


def _signed(mark: Mark, text: str) -> str:
    return f"{mark.value} {text}" if mark.value else text


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
