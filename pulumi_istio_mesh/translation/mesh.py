"""One mesh of all that the input tells: what is the same everywhere is the mesh's, the rest its cluster's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..istio.values import conflicts
from ..istio.versions import NEWEST
from ..topology.load import parse_topology
from ..topology.models import Topology
from ..topology.problems import Problem, TopologyError
from .clusters import Found, clusters_of, differing, outranked, plain, settle
from .documents import Input, documents_in
from .sources import beside, source_of, told_by
from .tables import NOTHING, Assigned, Left, Path, Said

ISTIO_TRUST_DOMAIN = "cluster.local"
"""The trust domain of an istiod that was told none."""

_MEANINGS = {
    "mesh_id": "mesh ID",
    "istio_version": "Istio version",
    "trust_domain": "trust domain",
    "image_hub": "hub of images",
    "mtls": "mode of mTLS",
    "dns_capture": "capture of DNS",
}
_OPTIONS = {"mesh_id": "--mesh-id", "istio_version": "--istio-version"}
_CHART = "istiod"


@dataclass(frozen=True)
class Choices:
    """What the user says on top of the input."""

    mesh_id: str | None = None
    istio_version: str | None = None
    primaries: Mapping[str, str] = field(default_factory=dict)
    """The primary of each remote whose input doesn't say it."""


@dataclass
class Translation:
    """A mesh as the input tells it, and what of the input is not in it."""

    tree: dict[str, Any]
    left: list[Left]
    problems: list[Problem]
    sources: list[str]
    """What was read: each document with its installer."""
    origins: dict[str, str]
    """Where the input says what stands at a path of the mesh."""
    assumed: set[str]
    """Facts that no input says, which are as an istiod has them that was told nothing."""

    def completed(self) -> Translation:
        """Return the same with something in the place of what no input says and a mesh needs."""
        return replace(self, tree={"mesh_id": "mesh", "istio_version": NEWEST, **self.tree})

    def typed(self, problem: Problem) -> Problem:
        """Return a problem of the mesh where the input says it, with what the command takes instead."""
        where = problem.where
        while where and where not in self.origins:
            where = where.rpartition(".")[0]
        found = problem.at(self.origins[where]) if where else problem
        option = _OPTIONS.get(problem.where)
        if option is not None:
            found = replace(found, fix=f"{option} {NEWEST if problem.where == 'istio_version' else 'prod'}")
        if problem.slug == "cluster-name":
            found = replace(found, fix=f"{problem.fix}; name it in the command: east=FILE")
        return found


def translate(inputs: Sequence[Input], choices: Choices) -> Translation:
    """Return the mesh that the files tell, with everything that is wrong with them; rules of meshes are for others."""
    documents, problems = documents_in(inputs)
    left: list[Left] = []
    told = []
    for document in documents:
        source = source_of(document)
        if source is None:
            left.append(beside(document))
        else:
            told.append((source, told_by(document, source)))
    found, of_names, of_clusters = clusters_of(told)
    overridden, contradictions = settle(found, choices.primaries)
    left += [line for cluster in found.values() for one in cluster.told for line in one.left]
    left += [*of_names, *overridden]
    problems += [*of_clusters, *contradictions]
    tree, origins, assumed = _facts(found, choices, left, problems)
    _take_values(tree, found, left)
    origins |= {f"clusters.{name}": cluster.where for name, cluster in found.items()}
    sources = [f"{one.document.label} ({source.title})" for source, one in told]
    return Translation(tree, _once(left, [one.label for one in documents]), problems, sources, origins, assumed)


def _once(left: Sequence[Left], labels: Sequence[str]) -> list[Left]:
    """Return one report a path, document by document."""

    def place(line: Left) -> int:
        return next(
            (n for n, label in enumerate(labels) if line.path == label or line.path.startswith(f"{label}: ")), -1
        )

    first: dict[str, Left] = {}
    for line in left:
        first.setdefault(line.path, line)
    return sorted(first.values(), key=place)


def _facts(
    found: Mapping[str, Found], choices: Choices, left: list[Left], problems: list[Problem]
) -> tuple[dict[str, Any], dict[str, str], set[str]]:
    """Return the mesh without Helm values, where the input says its facts, and which of them none says."""
    origins: dict[str, str] = {}
    facts: dict[str, Any] = {}
    chosen = {"mesh_id": choices.mesh_id, "istio_version": choices.istio_version}
    for fact in _MEANINGS:
        said = [one for cluster in found.values() for one in cluster.said(fact)]
        left += [line for cluster in found.values() for told in cluster.told for line in outranked(told, fact)]
        choice = chosen.get(fact)
        if choice is not None:
            facts[fact] = choice
            left += [_chosen(one, fact, choice) for one in said if one.value != choice]
            origins[fact] = _OPTIONS[fact]
            continue
        for one in said:
            if fact not in facts:
                facts[fact], origins[fact] = one.value, one.path
            elif one.value != facts[fact]:
                first = next(other for other in said if other.value == facts[fact])
                problems.append(differing(_MEANINGS[fact], one, first, _way_out(fact)))
    problems += _silent(found, facts)
    problems += [_missing(fact, found) for fact in _OPTIONS if found and fact not in facts]
    assumed = _assume(facts)
    clusters: dict[str, dict[str, Any]] = {}
    for name, cluster in found.items():
        clusters[name] = {
            **({"network": cluster.network} if cluster.network is not None else {}),
            **({"primary": cluster.primary} if cluster.primary is not None else {}),
        }
        for one in cluster.said("network")[:1]:
            origins[f"clusters.{name}.network"] = one.path
    order = ("mesh_id", "istio_version", "trust", "trust_domain", "mtls", "dns_capture", "image_hub")
    facts["trust"] = {"kind": "external"}
    return {**{key: facts[key] for key in order if key in facts}, "clusters": clusters}, origins, assumed


def _chosen(said: Said, fact: str, choice: str) -> Left:
    return Left(said.path, f"the {_MEANINGS[fact]} is to be {choice}, by {_OPTIONS[fact]}", NOTHING)


def _way_out(fact: str) -> str:
    if fact in _OPTIONS:
        return f"choose one for the mesh: {_OPTIONS[fact]} {NEWEST if fact == 'istio_version' else 'prod'}"
    return f"give all clusters one {_MEANINGS[fact]}, or translate them as meshes of their own"


def _silent(found: Mapping[str, Found], facts: Mapping[str, Any]) -> list[Problem]:
    """Return primaries that run with Istio's own trust domain because they were told none, beside others."""
    if "trust_domain" not in facts or facts["trust_domain"] == ISTIO_TRUST_DOMAIN:
        return []
    primaries = [cluster for cluster in found.values() if not cluster.remote]
    return [
        Problem(
            where=cluster.told[0].document.label,
            what=f"{cluster.name} names no trust domain, so it is {ISTIO_TRUST_DOMAIN}; another cluster's is "
            f"{facts['trust_domain']}",
            why="there is one trust domain, whichever of the inputs is asked",
            fix=_way_out("trust_domain"),
            slug="inputs-differ",
        )
        for cluster in primaries
        if not cluster.said("trust_domain")
    ]


def _missing(fact: str, found: Mapping[str, Found]) -> Problem:
    whys: dict[str, str] = {
        "mesh_id": "Istio takes clusters for one mesh by it, and a mesh is named by it",
        "istio_version": "charts and images are pinned to one version; the installer's own is not in the input",
    }
    return Problem(
        where=next(iter(found.values())).told[0].document.label,
        what=f"no input says the {_MEANINGS[fact]}",
        why=whys[fact],
        fix=_way_out(fact).rpartition(": ")[2],
        slug="missing-key",
    )


def _assume(facts: dict[str, Any]) -> set[str]:
    """Add what an istiod does that was told nothing, where this package would do otherwise."""
    defaults: dict[str, Callable[[], Any]] = {
        "trust_domain": lambda: ISTIO_TRUST_DOMAIN,
        "mtls": lambda: "permissive",
        "dns_capture": lambda: False,
    }
    assumed = {fact for fact in defaults if fact not in facts}
    facts |= {fact: defaults[fact]() for fact in assumed}
    return assumed


def _take_values(tree: dict[str, Any], found: Mapping[str, Found], left: list[Left]) -> None:
    """Put Helm values into the mesh and its clusters, without those that the wiring refuses."""
    topology = _topology({"mesh_id": "mesh", "istio_version": NEWEST, **tree})
    for name, cluster in found.items():
        if topology is not None:
            _refuse(cluster, topology, left)
        values = {path: one.value for path, one in cluster.values.items()}
        tree["clusters"][name]["values"] = values
    layers = [facts["values"] for facts in tree["clusters"].values()]
    common = _common(layers)
    for facts in tree["clusters"].values():
        own = {path: value for path, value in facts.pop("values").items() if path not in common}
        if own:
            facts["values"] = {_CHART: plain(own)}
    if common:
        tree["values"] = {_CHART: plain(common)}
        tree["clusters"] = tree.pop("clusters")


def _topology(tree: Mapping[str, Any]) -> Topology | None:
    """Return the mesh without values, as far as it has its shape; what is wrong with it is said by others."""
    try:
        return parse_topology(tree)
    except TopologyError:
        return None


def _refuse(cluster: Found, topology: Topology, left: list[Left]) -> None:
    given = plain({path: one.value for path, one in cluster.values.items()})
    for refused, reason in conflicts(given, topology, cluster.name, _CHART):
        target: Path = tuple(refused.split("."))
        for path in [p for p in cluster.values if p[: len(target)] == target or target[: len(p)] == p]:
            one: Assigned = cluster.values.pop(path)
            left.append(Left(one.path, reason, NOTHING))


def _common(layers: Sequence[Mapping[Path, Any]]) -> dict[Path, Any]:
    """Return the values that all clusters have; `true` and 1 are two values."""
    first, *others = layers or [{}]
    return {
        path: value for path, value in first.items() if all(path in o and repr(o[path]) == repr(value) for o in others)
    }
