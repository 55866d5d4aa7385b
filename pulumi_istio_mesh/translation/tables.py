"""How the facts of a document are read: by a table from paths to what becomes of them.

What is below a path is the path's, unless the table names it. What it names nowhere is reported as unknown, so no fact
is ever lost: each leaf is said, assigned to a Helm value, or left with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..topology.yaml_text import MERGE_KEY
from .credentials import holds_credential, is_credential, key_below
from .documents import Document

Path = tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """A fact of the mesh or of a cluster, as one place of the input says it."""

    fact: str
    value: Any
    path: str
    rank: int
    """Of two in one document the higher one holds."""


@dataclass(frozen=True)
class Assigned:
    """A Helm value of chart istiod that one place of the input sets."""

    target: Path
    value: Any
    path: str
    rank: int


@dataclass(frozen=True)
class Left:
    """A fact of the input that is not in the mesh.yaml."""

    path: str
    why: str
    todo: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}; {self.todo}"


@dataclass
class Told:
    """All that one document tells."""

    document: Document
    said: list[Said] = field(default_factory=list)
    assigned: list[Assigned] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def path(self, path: Path) -> str:
        """Return a path as reports call it."""
        return f"{self.document.label}: {'.'.join(path)}" if path else self.document.label

    def say(self, name: str, found: Any, path: Path, rank: int = 0) -> None:
        """Say a fact of the mesh or of its cluster."""
        self.said.append(Said(name, found, self.path(path), rank))

    def leave(self, path: Path, why: str, todo: str) -> None:
        """Report that the fact is not taken over."""
        self.left.append(Left(self.path(path), why, todo))

    def withhold(self, path: Path) -> None:
        """Report a credential, without it."""
        self.leave(path, "it looks like a credential, which belongs into no file", "keep it in a Secret")


Handler = Callable[[Told, Path, Path, Any], None]
"""Takes what stands at a path; the second path is the part of it below the table's own."""

Table = Mapping[str, Handler]
"""Handlers by dotted path."""

NOTHING = "nothing to do"


def read(document: Document, table: Table, unknown: Handler | None = None) -> Told:
    """Return all that a document tells, by the table of its kind; `unknown` takes what that names nowhere."""
    told = Told(document)
    rules = {tuple(key.split(".")): handler for key, handler in table.items()}
    inner = {key[:length] for key in rules for length in range(1, len(key))}
    for key, node in document.tree.items():
        if holds_credential(key):
            told.withhold(())
        elif key not in ("apiVersion", "kind"):
            _walk(told, (key,), node, rules, inner, unknown or _unknown, 0)
        elif not document.group:
            # One of the two alone tells no kind.
            _unknown(told, (key,), (), node)
    return told


def _walk(
    told: Told, path: Path, node: Any, rules: Mapping[Path, Handler], inner: set[Path], above: Handler, base: int
) -> None:
    handler, start = (rules[path], len(path)) if path in rules else (above, base)
    if path in inner and isinstance(node, Mapping) and node:
        for key, item in node.items():
            if holds_credential(key):
                # The path of what stands under it would repeat it.
                told.withhold(path)
            else:
                _walk(told, (*path, key), item, rules, inner, handler, start)
    else:
        handler(told, path, path[start:], node)


def _unknown(told: Told, path: Path, below: Path, node: Any) -> None:
    told.leave(path, "this command does not know it", "see docs/topology.md whether a mesh has it")


def left(why: str, todo: str = NOTHING) -> Handler:
    """Report it."""

    def handle(told: Told, path: Path, below: Path, node: Any) -> None:
        told.leave(path, why, todo)

    return handle


def fact(name: str, convert: Callable[[Any], Any] = str, rank: int = 0) -> Handler:
    """Say a fact; `convert` raises `ValueError` with the reason why it can't be taken over."""

    def handle(told: Told, path: Path, below: Path, node: Any) -> None:
        if below or isinstance(node, (Mapping, list)):
            told.leave(path, "the installer's documentation has another form here", "write the fact by hand")
        elif node is None or node == "":
            told.leave(path, "it is empty", NOTHING)
        elif is_credential(path[-1], node):
            told.withhold(path)
        else:
            try:
                told.say(name, convert(node), path, rank)
            except ValueError as error:
                told.leave(path, str(error), "write the fact by hand")

    return handle


def value(target: str, convert: Callable[[Any], Any] | None = None, rank: int = 0) -> Handler:
    """Assign what stands here, and everything below it, to Helm values of chart istiod."""

    def handle(told: Told, path: Path, below: Path, node: Any) -> None:
        for rest, key, leaf in leaves(path[-1], node):
            here = (*path, *rest)
            if is_credential(key, leaf):
                told.withhold(here)
            elif MERGE_KEY in (*below, *rest) or _has_merge_key(leaf):
                _leave_merge_key(told, here)
            else:
                found = leaf if convert is None else convert(leaf)
                told.assigned.append(Assigned((*target.split("."), *below, *rest), found, told.path(here), rank))

    return handle


def _leave_merge_key(told: Told, path: Path) -> None:
    told.leave(path, f"a mesh.yaml has no key {MERGE_KEY}", "write out what it stands for")


def _has_merge_key(node: Any) -> bool:
    """Return whether a list holds the key that a document may have between quotes."""
    if isinstance(node, Mapping):
        return MERGE_KEY in node or any(map(_has_merge_key, node.values()))
    return isinstance(node, list) and any(map(_has_merge_key, node))


def both(*handlers: Handler) -> Handler:
    """Let each of them take it."""

    def handle(told: Told, path: Path, below: Path, node: Any) -> None:
        for one in handlers:
            one(told, path, below, node)

    return handle


def leaves(above: str, node: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """Yield what a tree holds with its path, and with the key by which it may be a credential; a list is one leaf.

    For Helm replaces a list whole. A mapping of which a key is a credential is one, too, and so told without its keys.
    """
    if isinstance(node, Mapping) and node and not any(map(holds_credential, node)):
        for key, item in node.items():
            yield from leaves(key_below(above, key), item, (*path, key))
    else:
        yield path, above, node


def metadata(told: Told, path: Path, below: Path, node: Any) -> None:
    """Say a cluster's name by the object's, which is all that is known of it where nothing else is."""
    if told.document.name:
        told.say("cluster", told.document.name, ("metadata", "name"))
    if not isinstance(node, Mapping) or set(node) != {"name"}:
        told.leave(path, "it is about the installer's own object", NOTHING)


def environment(told: Told, path: Path, below: Path, node: Any) -> None:
    """Assign environment variables of a container to those of chart istiod, which are a mapping and a list."""
    if not isinstance(node, list):
        told.leave(path, "it is no list of environment variables", "write it to values.istiod.env by hand")
        return
    others: list[Any] = []
    for index, item in enumerate(node):
        here = (*path, str(index))
        if is_credential("", item):
            told.withhold(here)
        elif _has_merge_key(item) or (isinstance(item, Mapping) and item.get("name") == MERGE_KEY):
            _leave_merge_key(told, here)
        elif isinstance(item, Mapping) and isinstance(item.get("name"), str) and set(item) == {"name", "value"}:
            told.assigned.append(Assigned(("env", item["name"]), item["value"], told.path(here), 1))
        else:
            others.append(item)
    if others:
        told.assigned.append(Assigned(("envVarFrom",), others, told.path(path), 1))


def pull_secrets(told: Told, path: Path, below: Path, node: Any) -> None:
    """Assign references to Secrets; the charts take their names."""
    items = node if isinstance(node, list) else [node]
    names = [item.get("name") if isinstance(item, Mapping) and set(item) == {"name"} else item for item in items]
    if not isinstance(node, list) or not all(isinstance(name, str) for name in names):
        told.leave(path, "it is no list of names of Secrets", "write them to values.istiod.global.imagePullSecrets")
        return
    if is_credential(path[-1], names):
        told.withhold(path)
        return
    told.assigned.append(Assigned(("global", "imagePullSecrets"), names, told.path(path), 0))
