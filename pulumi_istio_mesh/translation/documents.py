"""The documents of the input: YAML files, taken apart and told apart by what their installer calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..topology.problems import Problem, TopologyError, position_of
from ..topology.yaml_text import read_documents
from .credentials import holds_credential

HELM = "Helm values"
"""The kind of a document without one."""


@dataclass(frozen=True)
class Input:
    """One file, as it is given to the command."""

    name: str
    text: str
    cluster: str | None = None
    """The cluster that it is of, where the user says so."""


@dataclass(frozen=True)
class Document:
    """One document of a file."""

    label: str
    """How it is called in a report: the file, and what it is where the file holds several."""
    group: str
    """Group of its API; empty for plain Helm values."""
    kind: str
    name: str
    tree: Mapping[str, Any]
    cluster: str | None
    """The cluster that the user says it is of."""


def documents_in(inputs: Sequence[Input]) -> tuple[list[Document], list[Problem]]:
    """Return the documents of all files in their order, and what can't be read."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for given in inputs:
        try:
            trees = read_documents(given.text, given.name)
        except TopologyError as error:
            for problem in error.problems:
                position = position_of(problem.where, error.positions)
                at = f"{given.name}:{position.line}:{position.column}" if position else given.name
                problems.append(problem.at(at if problem.where == given.name else f"{at}: {problem.where}"))
            continue
        # A cluster's own empty values are a document, too; `---` before the first one is none.
        found = [item for tree in trees if tree is not None for item in _items(tree)]
        for number, tree in enumerate(found, 1):
            if isinstance(tree, Mapping):
                documents.append(_document(given, tree, number if len(found) > 1 else None))
                continue
            problems.append(
                Problem(
                    where=given.name if len(found) == 1 else f"{given.name}: document {number}",
                    what="it is not a mapping",
                    why="installers of Istio read custom resources and Helm values",
                    fix="give the file that the installer reads, or kubectl get istio --output yaml",
                    slug="topology-shape",
                )
            )
    return documents, problems


def _items(tree: Any) -> Iterator[Any]:
    """Yield what a document holds: kubectl puts several objects into one list."""
    if isinstance(tree, Mapping) and tree.get("kind") == "List" and isinstance(tree.get("items"), list):
        yield from tree["items"]
    else:
        yield tree


def _document(given: Input, tree: Mapping[str, Any], number: int | None) -> Document:
    kind, version = tree.get("kind"), tree.get("apiVersion")
    metadata = tree.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    # Reports call a document by its name and kind, so neither may be a credential.
    name = name if isinstance(name, str) and not holds_credential(name) else ""
    known = isinstance(kind, str) and isinstance(version, str) and not holds_credential(kind)
    if not known:
        label = given.name if number is None else f"{given.name}: document {number}"
        return Document(label, "", HELM, "", tree, given.cluster)
    label = given.name if number is None else f"{given.name}: {kind} {name or number}"
    return Document(label, str(version).partition("/")[0], str(kind), name, tree, given.cluster)
