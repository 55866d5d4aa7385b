"""From YAML or a dict to a topology; every misshapen fact becomes a problem at its own place."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from .credentials import GIVEN, argument_meant, besides, credential_problems, readable_path, typed_text
from .declared import LATE
from .federation import Link
from .gke_load_balancers import asked_for
from .limits import TooMuch, read_text
from .links import Linked, linked
from .models import GENERATION, Topology
from .problems import Position, Problem, TopologyError, near, nearest
from .yaml_text import read_mesh_yaml, too_much

VERSION = 1
"""The version of mesh.yaml that this package reads."""


class MeshFile:
    """What a mesh.yaml holds: one or more meshes as plain trees, and where each fact stands."""

    def __init__(
        self,
        source: str,
        meshes: dict[str, dict[str, Any]],
        positions: dict[str, Position],
        links: Linked | None = None,
    ) -> None:
        self.source = source
        self.meshes = meshes
        """Each mesh's facts, with what its links add, by the path under which the file holds them; the empty path for
        the top level."""
        self.positions = positions
        self.links = links
        """What the file's links say; None where it has none."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the links."""
        return self.links.problems if self.links else ()

    def placed(self, problem: Problem, under: str) -> Problem:
        """Return a problem of the mesh under a path at the place in the file that the user typed."""
        found = problem.at(f"{under}.{problem.where}") if under else problem
        return self.links.typed(found) if self.links else found

    def topologies(self) -> tuple[dict[str, Topology], list[Problem]]:
        """Return the meshes that have their shape, by their paths, and what is wrong with the rest and the links."""
        problems = list(self.problems)
        found: dict[str, Topology] = {}
        for under, tree in self.meshes.items():
            try:
                found[under] = parse_topology(tree, self.source, under=under, positions=self.positions)
            except TopologyError as error:
                problems += [self.placed(problem, "") for problem in error.problems]
        return found, problems


def read_mesh_file(path: str | Path) -> MeshFile:
    """Return what the file holds, as `read_mesh_text`; raise `OSError` when the file can't be read."""
    try:
        text = read_text(path)
    except TooMuch as error:
        raise TopologyError([too_much(str(path), str(error))], str(path)) from None
    return read_mesh_text(text, str(path))


def read_mesh_text(text: str, source: str) -> MeshFile:
    """Return what the text of a mesh.yaml holds, its shape unchecked below the meshes; `source` is what errors call it.

    Raises `TopologyError` for what `read_mesh_yaml` doesn't take, and for a wrong version.
    """
    found = read_mesh_yaml(text, source)
    tree, positions = found.tree, found.positions
    problems = [*_file_problems(tree), *_octal_problems(found.octals)]
    if problems:
        raise TopologyError(problems, source, positions)
    meshes = _meshes(tree)
    if "links" not in tree:
        return MeshFile(source, meshes, positions)
    links = parse_links(tree["links"], source, positions=positions)
    joined = linked({path.removeprefix("meshes."): facts for path, facts in meshes.items()}, links)
    return MeshFile(source, {f"meshes.{name}": facts for name, facts in joined.meshes.items()}, positions, joined)


def load_mesh(
    path: str | Path,
    kubeconfigs: Mapping[str, Any] | Callable[[str], Any] | None = None,
    mesh: str | None = None,
    offers: Mapping[str, Any] | None = None,
) -> Any:
    """Return the arguments of a `Mesh` from a mesh.yaml, a mapping.

    With each cluster's kubeconfig added, and each peer's offer. Of any type for checkers: it is judged when it is read.

    `kubeconfigs` gives a plain or late value for a cluster's name: a mapping, or a function such as
    `config.require_secret`; `mesh` chooses one of the file's `meshes`; `offers` gives, by mesh ID, the output
    `offers` of the other mesh's program; it is taken of meshes that the file names as peers.
    Raises `TopologyError` with line and column of everything that is misshapen or wrong with the file's links, and
    `KeyError` for a mesh that the file does not hold.
    """
    file = read_mesh_file(path)
    key = f"meshes.{mesh}" if mesh is not None else next(iter(file.meshes))
    if key not in file.meshes or (mesh is None and len(file.meshes) > 1):
        held = ", ".join(under.removeprefix("meshes.") for under in file.meshes if under)
        raise KeyError(
            f"{path} holds the meshes {held}; name one of them" if held else f"{path} holds one mesh, unnamed"
        )
    tree = file.meshes[key]
    if file.problems:
        raise TopologyError(file.problems, file.source, file.positions)
    parse_topology(tree, file.source, under=key, positions=file.positions)
    return _with_late_facts(tree, kubeconfigs, offers)


def load_meshes(path: str | Path, kubeconfigs: Mapping[str, Any] | Callable[[str], Any] | None = None) -> Any:
    """Return the arguments of `Meshes` from a mesh.yaml with `meshes` and `links`, a mapping.

    With each cluster's kubeconfig added. Of any type for checkers: it is judged when it is read.

    `kubeconfigs` is as in `load_mesh`; clusters need names that are unique in the file.
    Raises `TopologyError` with line and column of everything that is misshapen, and of what is wrong with the links.
    """
    file = read_mesh_file(path)
    _, problems = file.topologies()
    if problems:
        raise TopologyError(problems, file.source, file.positions)
    meshes = {
        under.removeprefix("meshes.") or str(tree["mesh_id"]): _with_late_facts(tree, kubeconfigs, None)
        for under, tree in file.meshes.items()
    }
    return {"meshes": meshes}


def _with_late_facts(
    tree: Mapping[str, Any],
    kubeconfigs: Mapping[str, Any] | Callable[[str], Any] | None,
    offers: Mapping[str, Any] | None,
) -> dict[str, Any]:
    clusters = {name: dict(facts or {}) for name, facts in tree["clusters"].items()}
    for name, facts in clusters.items():
        if facts.get("gke") is not None or name in (tree.get("evicted") or ()) or tree.get("render_to") is not None:
            # Made by the program, which then knows the way into it; out of reach, so that there is none to give; or
            # written to files.
            continue
        if callable(kubeconfigs):
            facts["kubeconfig"] = kubeconfigs(name)
        elif kubeconfigs is not None and name in kubeconfigs:
            facts["kubeconfig"] = kubeconfigs[name]
    peers = {name: dict(facts or {}) for name, facts in (tree.get("peers") or {}).items()}
    for name in peers.keys() & (offers or {}).keys():
        # Of a mesh that the file doesn't name as a peer nothing is taken: the file says whom to trust.
        peers[name]["offer"] = (offers or {})[name]
    return {**tree, "clusters": clusters, **({"peers": peers} if peers else {})}


def parse_topology(
    tree: Mapping[str, Any],
    source: str = "topology",
    *,
    under: str = "",
    positions: Mapping[str, Position] | None = None,
) -> Topology:
    """Return the topology that a tree of plain facts declares; raise `TopologyError` with all that is misshapen.

    `under` is the path of the tree within its file. Rules between facts are `rules.problems_in`.
    """
    topology, problems = None, list(credential_problems(tree, under))
    try:
        topology = Topology.model_validate(tree)
    except ValidationError as error:
        problems += besides(problems, [_shape_problem(details, under) for details in error.errors(include_url=False)])
    if topology is None or problems:
        raise TopologyError(problems, source, positions)
    return _with_gke_facts(topology)


def _with_gke_facts(topology: Topology) -> Topology:
    """Return the topology with what follows for GKE clusters, where the user leaves it out: ranges, load balancers."""
    if not topology.gke_networks:
        return topology
    clusters = dict(topology.clusters)
    for name, gke, network in topology.gke_clusters():
        if (ranges := topology.gke_ranges(name)) is not None:
            planned = {"pod_cidr": (ranges.pods,), "service_cidr": (ranges.services,)}
            missing = {key: value for key, value in planned.items() if not getattr(clusters[name], key)}
            wanted = asked_for(topology, name, gke, network)
            clusters[name] = clusters[name].model_copy(update={**missing, **wanted})
    return topology.model_copy(update={"clusters": clusters})


def parse_links(
    links: Any, source: str = "links", *, positions: Mapping[str, Position] | None = None
) -> tuple[Link, ...]:
    """Return the links that a list of plain facts declares; raise `TopologyError` with all that is misshapen."""
    found, problems = None, list(credential_problems(links, "links"))
    try:
        found = TypeAdapter(tuple[Link, ...]).validate_python(links)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += besides(problems, [_shape_problem(one, "links", Link) for one in details])
    if found is None or problems:
        raise TopologyError(problems, source, positions)
    return found


def facts_of(topology: Topology) -> dict[str, Any]:
    """Return the plain facts of a topology, as `parse_topology` reads them; without those that are known late."""
    facts: dict[str, Any] = plain(topology.model_dump(exclude_defaults=True, warnings=False))
    return facts


def plain(value: Any) -> Any:
    """Return declared facts as JSON has them, ranges as they are typed; without those that are known late."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not LATE}
    if isinstance(value, tuple) and value and isinstance(value[0], (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return ",".join(str(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _meshes(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if "meshes" not in tree:
        return {"": {key: value for key, value in tree.items() if key != "version"}}
    return {f"meshes.{name}": {"mesh_id": name, **(facts or {})} for name, facts in tree["meshes"].items()}


def _file_problems(tree: object) -> Iterator[Problem]:
    if not isinstance(tree, dict):
        yield Problem(
            where="mesh.yaml",
            what="the file is not a mapping",
            why="a mesh file names the facts of one mesh, or holds meshes",
            fix="mesh_id: prod",
            slug="topology-shape",
        )
        return
    version = tree.get("version", VERSION)
    if version != VERSION:
        # Nothing else is repeated: anything may have been put there.
        which = f"version {version}" if isinstance(version, (int, float)) else "what is given"
        yield Problem(
            where="version",
            what=f"{which} is not known",
            why=f"this package reads version {VERSION} of mesh.yaml",
            fix=f"version: {VERSION}",
            slug="file-version",
        )
    meshes = tree.get("meshes")
    named = isinstance(meshes, dict) and meshes and all(isinstance(facts, dict) for facts in meshes.values())
    if "meshes" in tree and not named:
        yield Problem(
            where="meshes",
            what="it is not a mapping of names to meshes",
            why="each mesh is named by its key",
            fix="meshes: {prod: {istio_version: ..., clusters: ...}}",
            slug="topology-shape",
        )
    for key in tree if "meshes" in tree else ():
        if key not in ("version", "meshes", "links"):
            yield Problem(
                where=readable_path(key) or "mesh.yaml",
                what=f"{typed_text(key)} stands beside meshes",
                why="a file holds one mesh at the top level, or several under meshes",
                fix=f"move {typed_text(key, quoted=False)} into one of the meshes",
                slug="unknown-key",
            )


_FREE = re.compile(r"(^|\.)values\.")
"""Below it stands what Helm reads, and Helm reads octal numbers as YAML 1.1 does: files have modes such as 0644."""


def _octal_problems(octals: Mapping[str, tuple[str, int]]) -> Iterator[Problem]:
    """Refuse numbers that are not what is typed."""
    for path, (typed, read) in octals.items():
        if not _FREE.search(path):
            yield Problem(
                where=readable_path(path) or "mesh.yaml",
                what=f"{typed} is {read} to YAML, which takes a number that begins with 0 for an octal one",
                why="who reads the file takes it for a decimal one, or for text",
                fix=f'{typed.replace("_", "").lstrip("0")}, or "{typed}" where it is text',
                slug="yaml-syntax",
            )


def _shape_problem(details: ErrorDetails, under: str, root: type[BaseModel] = Topology) -> Problem:
    """Turn one of pydantic's findings into a problem at the path the user typed; values are never repeated, but a day.

    `root` is what stands under `under`, or in the list there.
    """
    kind, location = details["type"], tuple(map(str, details["loc"]))
    if kind != "extra_forbidden" and location[-1:] == ("[key]",):
        # Pydantic's own, of a key of another type; a key that nobody knows may be called that.
        location = location[:-1]
    where = ".".join((under, *location) if under else location) or "topology"
    key = location[-1] if location else ""
    if kind == "extra_forbidden":
        return _unknown_key(where, location, root)
    if kind == "missing":
        return Problem(
            where=where,
            what="it is missing",
            why=_field_doc(location, root) or "the mesh cannot be planned without it",
            fix=_EXAMPLES.get(key, f"add {key}"),
            slug="trust-roots" if location[:2] == ("trust", "roots") else "missing-key",
        )
    if key.isdigit():
        location = location[:-1]
        key = location[-1] if location else ""
    return Problem(
        where=where,
        what=_finding(details),
        why=_field_doc(location, root) or "the topology has another shape here",
        fix=_typed_right(details, key) or _EXAMPLES.get(key, "see docs/topology.md for the shape"),
        slug="topology-shape",
    )


def _typed_right(details: ErrorDetails, key: str) -> str:
    """Return what was meant, where that is plain."""
    typed = details["input"]
    if _reads_a_day(details):
        return f'{key}: "{typed.isoformat()}"'
    if typed is None and _SHAPES.get(details["type"]) == _MAPPING:
        return f"{key}: {{}}"
    meant = nearest(*_words(details))
    return f"{key}: {meant}" if meant else ""


def _reads_a_day(details: ErrorDetails) -> bool:
    return details["type"] == "string_type" and isinstance(details["input"], dt.date)


def _words(details: ErrorDetails) -> tuple[str, list[str]]:
    """Return the word that was typed, and those of which one must stand there; none where it is no such word."""
    if details["type"] != "literal_error" or not isinstance(details["input"], str):
        return "", []
    return details["input"], re.findall(r"'([^']+)'", details["msg"])


def _finding(details: ErrorDetails) -> str:
    kind, message = details["type"], details["msg"]
    if _reads_a_day(details):
        return "it should be text, and without quotes YAML reads a day"
    if kind in _SHAPES:
        # Pydantic goes on with the name of a class of ours, or of Python's, which nobody typed.
        return _SHAPES[kind]
    if kind == "string_pattern_mismatch" and details["ctx"]["pattern"] == GENERATION:
        return "it should be lower-case letters, digits and inner hyphens, at most 16"
    message = message.removeprefix("Value error, ").replace("Input should be", "it should be")
    return message[:1].lower() + message[1:] + near(*_words(details))


_MAPPING, _LIST = "it should be a mapping", "it should be a list"
_SHAPES = {
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
}


def _unknown_key(where: str, location: tuple[str, ...], root: type[BaseModel]) -> Problem:
    key = location[-1]
    model = _model_at(location[:-1], root)
    known = sorted(model.model_fields) if model else []
    if meant := argument_meant(key, known):
        return Problem(
            where=where,
            what=f"{key} does not belong into the file"
            if key == meant
            else f"{typed_text(key)} is not known here; did you mean {meant!r}, which does not belong into the file?",
            why="it holds credentials, or belongs to them, and the file is read by reviewers and by tools that have "
            "none",
            fix=f"remove it, and give it to the program: {GIVEN[meant]}",
            slug="unknown-key",
        )
    return Problem(
        where=where,
        what=f"{typed_text(key)} is not known here{near(key, known)}",
        why="a key nobody reads would be a setting that silently does nothing",
        fix=f"use one of {', '.join(known)}" if known else "remove it",
        slug="unknown-key",
    )


_EXAMPLES = {
    "waves": "waves: [[canary], [east, west]]",
    "evicted": "evicted: [plant]",
    "discovers": "discovers: [west]",
    "roots": 'roots: [{issued: "2026-11-23"}]',
    "reader_token": "reader_token: b",
    "generation": "generation: b",
    "revisions": 'revisions: {default: {}, v1-31-1: {istio_version: "1.31.1"}}',
    "revision_tags": "revision_tags: {default: v1-31-1}",
    "istio_version": 'istio_version: "1.31.1"',
    "mesh_id": "mesh_id: prod",
    "clusters": "clusters: {east: {network: vpc}}",
    "issued": f'issued: "{dt.datetime.now(dt.timezone.utc).date().isoformat()}"',
    "pod_cidr": "pod_cidr: 10.8.0.0/14",
    "service_cidr": "service_cidr: 10.96.0.0/16",
}


def _model_at(location: tuple[str, ...], root: type[BaseModel]) -> type[BaseModel] | None:
    """Return the model that stands at a path below another one, or below a list of it; None where there is none."""
    model: type[BaseModel] | None = root
    annotation: Any = root
    for part in location[1:] if location and location[0].isdigit() else location:
        if model is not None and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = annotation if _is_model(annotation) else None
            continue
        inner = [argument for argument in get_args(annotation) if _is_model(argument)]
        model = inner[0] if inner else None
        annotation = model
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _field_doc(location: tuple[str, ...], root: type[BaseModel]) -> str | None:
    """Return the first sentence of a field's own documentation."""
    model = _model_at(location[:-1], root) if location else None
    field = model.model_fields.get(location[-1]) if model else None
    if field is None or not field.description:
        return None
    return " ".join(field.description.split()).split(". ")[0].rstrip(".")
