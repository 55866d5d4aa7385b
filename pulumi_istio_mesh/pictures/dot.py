"""Drawings in Graphviz's language, with a legend of the shapes and lines that occur."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .drawing import Arrow, Box, Drawing, Line, Mark, Node, Shape

_SHAPES = {
    Shape.CLUSTER: "box",
    Shape.GATEWAY: "ellipse",
    Shape.ROOT: "note",
    Shape.FIREWALL: "tab",
    Shape.MESH: "hexagon",
    Shape.HUB: "octagon",
}
_LINES = {
    Line.PART: "dir=none",
    Line.CONFIG: "style=dashed",
    Line.READS: "style=dotted arrowhead=vee",
    Line.DIRECT: "arrowhead=normal",
    Line.NO_CALLS: "dir=both arrowhead=tee arrowtail=tee",
    Line.THROUGH: "penwidth=2.5",
    Line.ACROSS: "penwidth=2.5 arrowhead=diamond",
}
_MARKS = {
    # Okabe and Ito's colours, which colour-blind people tell apart; the sign in the text says the same.
    Mark.SAME: "",
    Mark.ADDED: ' color="#009E73" penwidth=3',
    Mark.CHANGED: ' color="#E69F00" penwidth=3',
    Mark.REMOVED: ' color="#D55E00" penwidth=3 style=dashed',
}
_SIGNS = {
    Mark.ADDED: "+ added; arrows have two heads",
    Mark.CHANGED: "~ changed",
    Mark.REMOVED: "- removed; dashed",
}
_LINE_INCHES = 0.21
"""Height of a line of text."""
_FONT = 'fontname="Helvetica,Arial,sans-serif"'


def dot(drawing: Drawing) -> str:
    """Return a drawing as text; the same drawing is always the same text."""
    anchors = dict(reversed(list(_anchors(drawing))))
    right = set(_right_of_hub(drawing))
    lines = [
        "digraph mesh {",
        f"  graph [compound=true rankdir=LR nodesep=0.3 ranksep=0.9 pad=0.3 {_FONT} fontsize=13]",
        f'  node [{_FONT} fontsize=12 margin="0.2,0.1"]',
        f"  edge [{_FONT} fontsize=11]",
    ]
    for box in drawing.boxes:
        if box.inside is None:
            lines += _indented(_box(drawing, box, right))
    lines += _indented(_node(node) for node in drawing.nodes if node.inside is None)
    lines += _indented(line for arrow in drawing.arrows for line in _arrow(arrow, anchors, right))
    return "\n".join([*lines, *_indented(_legend(drawing)), "}"]) + "\n"


def _anchors(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """Yield each box with the nodes inside: arrows of a box begin or end at the first, and are cut at its border."""
    outside = {box.id: box.inside for box in drawing.boxes}
    for node in drawing.nodes:
        box = node.inside
        while box is not None:
            yield box, node.id
            box = outside[box]


def _right_of_hub(drawing: Drawing) -> Iterator[str]:
    """Yield the nodes of every second network, where a hub is in the middle: half of them stand on either side."""
    hubs = {node.inside for node in drawing.nodes if node.shape is Shape.HUB}
    networks = [box.id for box in drawing.boxes if any(box.inside == hub for hub in hubs)]
    for node in drawing.nodes:
        if node.inside in networks[1::2]:
            yield node.id


def _box(drawing: Drawing, box: Box, right: set[str]) -> Iterator[str]:
    yield f"subgraph cluster_{box.id} {{"
    # Where no arrow of a hub crosses it.
    side = "r" if any(node.id in right for node in drawing.nodes if node.inside == box.id) else "l"
    title, tags = _text(box.mark, [box.title]), _tagged("border", box.id, box.mark)
    yield f'  label={title} labeljust={side} style="rounded" {tags}'
    for other in drawing.boxes:
        if other.inside == box.id:
            yield from _indented(_box(drawing, other, right))
    yield from _indented(_node(node) for node in drawing.nodes if node.inside == box.id)
    yield "}"


def _node(node: Node) -> str:
    shape, text = _SHAPES[node.shape], _text(node.mark, node.lines)
    height = f"height={0.25 + _LINE_INCHES * len(node.lines):g}"
    return f"{node.id} [shape={shape} label={text} {height} {_tagged(node.shape.name.lower(), node.id, node.mark)}]"


def _arrow(arrow: Arrow, anchors: dict[str, str], right: set[str]) -> Iterator[str]:
    ends = [anchors.get(end, end) for end in (arrow.source, arrow.target)]
    facts = [_LINES[arrow.line]]
    tail = [f"ltail=cluster_{arrow.source}"] if arrow.source in anchors else []
    facts += [f"lhead=cluster_{arrow.target}"] if arrow.target in anchors else []
    if arrow.line is Line.PART and arrow.source not in right:
        # A cluster stands left of its gateway, on the other side of a hub right of it.
        ends.reverse()
    elif arrow.target.startswith("hub_"):
        facts.append("dir=none")
        if arrow.source in right:
            ends.reverse()
    elif arrow.line in (Line.THROUGH, Line.CONFIG, Line.READS):
        # Networks stand below each other, in the order of the list, whoever calls whom.
        facts.append("constraint=false")
    # What the legend says of a line is not said again beside each.
    if arrow.mark is Mark.ADDED and arrow.line is not Line.PART:
        facts.append("arrowhead=normalnormal")
    kind = arrow.line.name.lower()
    if arrow.line is Line.ACROSS:
        # A node in the middle: the label of an arrow that is cut at a border would stand where it isn't drawn.
        middle, text = f"text_{arrow.source}_{arrow.target}", _text(arrow.mark, arrow.text)
        height = f"height={_LINE_INCHES * len(arrow.text):g}"
        tags = f'id="{arrow.id}.text" class="text {arrow.mark.name.lower()}"'
        yield f"{middle} [shape=plaintext fontsize=11 margin=0 label={text} {height} {tags}]"
        facts_of_tail = " ".join([_LINES[arrow.line], *tail, "dir=none"])
        yield f"{ends[0]} -> {middle} [{facts_of_tail} {_tagged(kind, f'{arrow.id}.tail', arrow.mark)}]"
        ends, tail = [middle, ends[1]], []
    yield f"{ends[0]} -> {ends[1]} [{' '.join([*facts, *tail])} {_tagged(kind, arrow.id, arrow.mark)}]"


def _tagged(kind: str, identifier: str, mark: Mark) -> str:
    """What a style sheet and a script know the element by, and its mark."""
    return f'id="{identifier}" class="{kind} {mark.name.lower()}"{_MARKS[mark]}'


def _text(mark: Mark, lines: Iterable[str]) -> str:
    text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'"{mark.value} {text}"' if mark.value and text else f'"{mark.value}{text}"'


def _legend(drawing: Drawing) -> Iterator[str]:
    """What each shape and line that occurs stands for: an example on the left, its meaning on the right."""
    rows: list[tuple[str, str, str]] = [
        (shape.value, f'shape={_SHAPES[shape]} label="" width=0.4 height=0.22', "style=invis")
        for shape in Shape
        if any(node.shape is shape for node in drawing.nodes)
    ]
    point = "shape=point width=0.05 height=0.05"
    rows += [(line.value, point, _LINES[line]) for line in Line if any(arrow.line is line for arrow in drawing.arrows)]
    marked: list[Box | Node | Arrow] = [*drawing.boxes, *drawing.nodes, *drawing.arrows]
    rows += [
        (_SIGNS[mark], _example(mark), "style=invis")
        for mark in Mark
        if mark.value and any(element.mark is mark for element in marked)
    ]
    yield "subgraph cluster_legend {"
    yield '  label="legend" labeljust=l style=dotted id="legend" class="legend"'
    for number, (meaning, example, line) in enumerate(rows):
        own = 'class="legend"' if "class=" not in example else ""
        yield f"  legend_{number} [{example} fixedsize=true {own}]"
        yield f'  legend_text_{number} [{_MEANING} label="  {meaning}\\l" class="legend"]'
        yield f'  legend_{number} -> legend_text_{number} [{line} weight=9 class="legend"]'
    yield "}"


def _example(mark: Mark) -> str:
    return f'shape=box label="" width=0.4 height=0.22 class="legend {mark.name.lower()}"{_MARKS[mark]}'


_MEANING = "shape=plaintext width=4.8 height=0.22 margin=0 fontsize=11"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
