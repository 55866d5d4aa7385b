"""YAML, read within limits: plain values only, and the place of each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from .credentials import readable_path, typed_text
from .limits import TooMuch, UnreadableText, check_levels, check_size, check_values
from .problems import Position, Problem, TopologyError, position_of

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
MERGE_KEY = "<<"
_TEXT = (f"{_TAG}str", f"{_TAG}value", _MERGE)
"""Also what YAML 1.1 takes a bare = and << for: as values they are text."""
_SAFE = yaml.constructor.SafeConstructor()
_READ = {
    f"{_TAG}{kind}": yaml.constructor.SafeConstructor.yaml_constructors[f"{_TAG}{kind}"]
    for kind in ("bool", "int", "float", "timestamp")
}
_NULLS = ("", "~", "null", "Null", "NULL")
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_MOST_BITS = 64
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_LONGEST_NUMBER = 100
_LONGEST_PATH = 500
"""From here on paths grow no longer: those of a deep tree with long keys would take more than the tree."""


@dataclass
class YamlText:
    """A document of a mesh.yaml: plain values, and where each stands."""

    tree: Any = None
    positions: dict[str, Position] = field(default_factory=dict)
    octals: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By path the numbers that begin with a 0, as they are typed and as YAML 1.1 reads them."""


def read_mesh_yaml(text: str, source: str) -> YamlText:
    """Return the one document of a mesh.yaml, in which nothing is merged; `source` is what errors call it.

    Raises `TopologyError` for what is no YAML or takes too much, for keys given twice, for merge keys, and for numbers
    that nobody takes for what YAML reads.
    """
    reading = _Reading(source, newer=False)
    for node in _nodes(text, source, single=True):
        reading.read(node)
    return reading.found


def read_documents(text: str, source: str) -> list[Any]:
    """Return the documents of a YAML text that is no mesh.yaml, as plain trees with merged keys in place.

    Numbers are what Helm and kubectl take for numbers. Raises `TopologyError` for what is no YAML or takes too much,
    and for keys given twice.
    """
    return [_Reading(source, newer=True).read(_unfolded(node)) for node in _nodes(text, source)]


def read_yaml(text: str) -> Any:
    """Return the one document of a text that may be a credential, as `read_documents`; None where it is empty.

    Raises `UnreadableText`, which never quotes it.
    """
    source = "text"
    try:
        found = [_Reading(source, newer=True).read(_unfolded(node)) for node in _nodes(text, source, single=True)]
    except TopologyError as error:
        first = error.problems[0]
        position = position_of(first.where, error.positions)
        # Other findings quote what is there: a tag, a key.
        what = first.what if first.slug == "file-limits" else "it is not YAML"
        raise UnreadableText(what + (f" (line {position.line})" if position else "")) from None
    return found[0] if found else None


def _nodes(text: str, source: str, *, single: bool = False) -> Iterator[yaml.Node | None]:
    """Yield the documents, once they are known to take no more than they may."""
    try:
        _measure(text, source)
        if single:
            yield yaml.compose(text, Loader=yaml.CSafeLoader)
        else:
            yield from yaml.compose_all(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        what = getattr(error, "problem", None) or "the text cannot be read"
        raise TopologyError([_not_yaml(source, what)], source, _at(getattr(error, "problem_mark", None))) from None
    except UnicodeEncodeError:
        raise TopologyError([_not_yaml(source, "it holds what is no character")], source) from None


@dataclass(eq=False)
class _Measured:
    """A node with all that is in it, aliases unfolded."""

    before: int
    """Values of the text before it."""
    values: int = 1
    levels: int = 0
    """Lists and mappings within each other, itself included."""


def _measure(text: str, source: str) -> None:
    """Refuse what takes too much with its aliases unfolded, before any of them is; merge keys unfold to no more."""
    mark: Any = None
    values = 0
    within: list[_Measured] = []
    anchors: dict[str, _Measured] = {}
    try:
        check_size(len(text))
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            mark = event.start_mark
            levels = len(within)
            if isinstance(event, yaml.DocumentStartEvent):
                anchors.clear()
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = within.pop()
                closed.values = values - closed.before
                _put_into(within, closed)
            elif isinstance(event, yaml.AliasEvent):
                # One that leads nowhere is told by who composes.
                if (found := anchors.get(str(event.anchor))) is not None:
                    if found in within:
                        raise TopologyError([_not_yaml(source, "it contains itself")], source, _at(mark))
                    values += found.values
                    levels += found.levels
                    _put_into(within, found)
            elif isinstance(event, yaml.NodeEvent):
                opened = _Measured(values)
                values += 1
                if event.anchor is not None:
                    anchors[str(event.anchor)] = opened
                if isinstance(event, yaml.CollectionStartEvent):
                    opened.levels = 1
                    within.append(opened)
                    levels += 1
            check_values(values)
            check_levels(levels)
    except TooMuch as error:
        raise TopologyError([too_much(source, str(error))], source, _at(mark)) from None


def _put_into(within: list[_Measured], found: _Measured) -> None:
    if within:
        within[-1].levels = max(within[-1].levels, 1 + found.levels)


def _unfolded(node: yaml.Node | None) -> yaml.Node | None:
    """Return the node with each `<<` replaced by what it merges, below the keys that stand beside it."""
    if isinstance(node, yaml.SequenceNode):
        return yaml.SequenceNode(node.tag, [_unfolded(item) for item in node.value], node.start_mark, node.end_mark)
    if not isinstance(node, yaml.MappingNode):
        return node
    own = [(key, _unfolded(item)) for key, item in node.value if key.tag != _MERGE]
    seen = {_name(key) for key, _ in own}
    merged = []
    for key, item in node.value:
        sources = item.value if isinstance(item, yaml.SequenceNode) else [item]
        for source in sources if key.tag == _MERGE else ():
            unfolded = _unfolded(source)
            for name, found in unfolded.value if isinstance(unfolded, yaml.MappingNode) else ():
                if _name(name) not in seen:
                    seen.add(_name(name))
                    merged.append((name, found))
    return yaml.MappingNode(node.tag, [*merged, *own], node.start_mark, node.end_mark)


class _Reading:
    """Makes plain values of a document, notes where each stands, and what of it can't be taken."""

    def __init__(self, source: str, *, newer: bool) -> None:
        self.found = YamlText()
        self._source = source
        self._newer = newer
        """Whether the text is for programs whose YAML is newer than 1.1: what only that takes for a number is text."""
        self._problems: list[Problem] = []

    def read(self, node: yaml.Node | None) -> Any:
        """Return the document's values; raise `TopologyError` with all that can't be taken."""
        self.found.tree = None if node is None else self._value(node, "")
        if self._problems:
            raise TopologyError(self._problems, self._source, self.found.positions)
        return self.found.tree

    def _value(self, node: yaml.Node, path: str) -> Any:
        self.found.positions.setdefault(path, _position(node.start_mark))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag != f"{_TAG}{'seq' if isinstance(node, yaml.SequenceNode) else 'map'}":
            self._refuse(path, f"the tag {typed_text(node.tag, quoted=False)} is not known")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, _below(path, str(index))) for index, item in enumerate(node.value)]
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = _name(key_node)
            here = _below(path, key)
            position = _position(key_node.start_mark)
            if key in first:
                self._problems.append(
                    Problem(
                        where=readable_path(here) or self._source,
                        what=f"{typed_text(key)} is given twice, first in line {first[key]}",
                        why="YAML keeps only the last one, so the first would be lost in silence",
                        fix="remove one of them",
                        slug="duplicate-key",
                    )
                )
            if key == MERGE_KEY and not self._newer:
                self._problems.append(_no_merge(here))
            first[key] = position.line
            self.found.positions[here] = position
            result[key] = self._value(value_node, here)
        return result

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        text = node.value
        if node.tag in _TEXT:
            return text
        if node.tag == f"{_TAG}null" and text in _NULLS:
            return None
        read = _READ.get(node.tag)
        if read is None:
            fits = "does not fit what it stands before" if node.tag == f"{_TAG}null" else "is not known"
            self._refuse(path, f"the tag {typed_text(node.tag, quoted=False)} {fits}")
            return None
        if node.tag in _NUMBERS and (":" in text or len(text) > _LONGEST_NUMBER):
            # Before anything is made of it: of a long one that takes for ever.
            return self._no_number(text, path)
        try:
            # Only plain values can come of it: it is a function of the safe loader's.
            found = read(_SAFE, node)
        except (ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            if isinstance(error, ValueError) and node.tag == f"{_TAG}timestamp":
                # Text that YAML takes for a date, and no such day is: left to whoever knows what should stand here.
                return text
            self._refuse(path, f"the tag {typed_text(node.tag, quoted=False)} does not fit what it stands before")
            return None
        number = isinstance(found, (int, float)) and not isinstance(found, bool)
        return self._number(text, found, path) if number else found

    def _number(self, text: str, found: float, path: str) -> Any:
        """Return the number that is typed; what else YAML 1.1 takes for one is never told, for it may be a password."""
        if isinstance(found, float) and not math.isfinite(found):
            self._refuse(path, "it is no finite number, and JSON, of which Helm values are, has no other")
        elif isinstance(found, int) and found.bit_length() > _MOST_BITS:
            return self._no_number(text, path)
        elif isinstance(found, int) and _OCTAL.fullmatch(text) and found != int(text.replace("_", "")):
            self.found.octals[path] = (text, found)
        return found

    def _no_number(self, text: str, path: str) -> str:
        """Return the text of what is a number to YAML 1.1 only, or to nobody; refuse it in a mesh.yaml."""
        if not self._newer:
            self._refuse(
                path,
                "YAML reads a number to the base of 60 here, as it does from 1:30, which is 90 to it"
                if ":" in text
                else f"it is a number of more than {_MOST_BITS} bits, which loses digits on its way",
            )
        return text

    def _refuse(self, path: str, what: str) -> None:
        self._problems.append(_not_yaml(readable_path(path) or self._source, what))


def _name(key: yaml.Node) -> str:
    """Return a key as it is typed: YAML 1.1 would read the names no, on and 1 as something else than names."""
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "?"


def _below(path: str, key: str) -> str:
    if len(path) > _LONGEST_PATH:
        return path
    return f"{path}.{key}" if path else key


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _at(mark: Any) -> dict[str, Position]:
    return {"": _position(mark)} if mark else {}


def _no_merge(where: str) -> Problem:
    return Problem(
        where=where,
        what="a mesh.yaml has no merge keys",
        why="YAML 1.2 has none, and taken for a name it would be a key that nobody reads, or a Helm value of that name",
        fix="remove << and write the facts out; an alias may stand for a whole value, such as west: *east, and values "
        "of all clusters belong into values of the mesh",
        slug="unknown-key",
    )


def too_much(where: str, what: str) -> Problem:
    """Return the problem of a text that takes more than is taken."""
    return Problem(
        where=where,
        what=what,
        why="a mesh needs far less, and what a file takes of the machine is limited",
        fix="take out what is not of the mesh; several meshes may be several files",
        slug="file-limits",
    )


def _not_yaml(where: str, what: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="the file cannot be read as YAML",
        fix="correct the line; a value that holds ': ' or starts with a special character needs quotes",
        slug="yaml-syntax",
    )
