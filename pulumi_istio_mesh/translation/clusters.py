"""What the documents tell, put together by cluster: its name, network and role, and its Helm values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..topology.problems import Problem, near
from .documents import HELM
from .sources import Source
from .tables import NOTHING, Assigned, Left, Path, Said, Told

UNNAMED = "flat"
"""What the network is called that clusters share which name none: to Istio they are on one."""

_NAMED = 3


@dataclass
class Found:
    """One cluster, as all of its documents tell of it."""

    name: str
    where: str
    """Where the input gives its name."""
    told: list[Told] = field(default_factory=list)
    remote: bool = False
    primary: str | None = None
    network: str | None = None
    values: dict[Path, Assigned] = field(default_factory=dict)
    """Helm values of chart istiod by their paths."""

    def said(self, fact: str) -> list[Said]:
        """Return what its documents say of a fact, one a document: what holds in each."""
        return [said for told in self.told if (said := holding(told, fact)) is not None]


def holding(told: Told, fact: str) -> Said | None:
    """Return what holds of all that a document says of a fact; None where it says nothing."""
    return max((said for said in told.said if said.fact == fact), key=lambda said: said.rank, default=None)


def outranked(told: Told, fact: str) -> Iterable[Left]:
    """Yield what a document says of a fact besides, and otherwise."""
    held = holding(told, fact)
    for said in told.said:
        if held is not None and said.fact == fact and said is not held and said.value != held.value:
            yield Left(said.path, f"{held.path} says it for this one, too", NOTHING)


def clusters_of(told: Sequence[tuple[Source, Told]]) -> tuple[dict[str, Found], list[Left], list[Problem]]:
    """Return the clusters by their names, what is left of documents without one, and what is wrong with names."""
    found: dict[str, Found] = {}
    lefts: list[Left] = []
    problems: list[Problem] = []
    apart: list[Told] = []
    several = _files_of_several(told)
    for source, one in told:
        said = _name(one, several)
        if not source.installs and (said is None or said.rank < _NAMED):
            apart.append(one)
        elif said is None:
            problems.append(_unnamed(one))
        elif said.value not in found or said.rank > 0:
            found.setdefault(said.value, Found(said.value, said.path)).told.append(one)
        else:
            problems.append(_twice(said, found[said.value]))
        if said is not None:
            names = [other for other in one.said if other.fact == "cluster" and other.value != said.value]
            lefts += [Left(o.path, f"the cluster is called {said.value} by {said.path}", NOTHING) for o in names]
    for one in apart:
        # Of no cluster that could be told, so that nothing of it has a place.
        lefts += one.left
        rest = dict.fromkeys([*(s.path for s in one.said), *(a.path for a in one.assigned)])
        lefts += [Left(path, "it does not say of which cluster it is", f"NAME={one.document.label}") for path in rest]
    return found, lefts, problems


def _files_of_several(told: Sequence[tuple[Source, Told]]) -> set[int]:
    """Return the documents that a name given for their file can't be meant for: remotes beside their primary."""
    primaries = [one.document for source, one in told if source.installs and one.document.kind != "RemoteIstio"]
    return {
        id(one)
        for _, one in told
        if one.document.kind == "RemoteIstio" and any(_file(one.document.label) == _file(p.label) for p in primaries)
    }


def _file(label: str) -> str:
    return label.partition(": ")[0]


def _name(told: Told, several: set[int]) -> Said | None:
    document = told.document
    if document.cluster is not None and id(told) not in several:
        return Said("cluster", document.cluster, f"{document.cluster}={_file(document.label)}", _NAMED + 1)
    return holding(told, "cluster")


def _unnamed(told: Told) -> Problem:
    return Problem(
        where=told.document.label,
        what="it does not say of which cluster it is",
        why="a mesh is a list of clusters by the names that Istio knows them by; "
        + (
            "values name theirs as global.multiCluster.clusterName" if told.document.kind == HELM else "this names none"
        ),
        fix=f"east={_file(told.document.label)}",
        slug="cluster-name",
    )


def _twice(said: Said, other: Found) -> Problem:
    return Problem(
        where=said.path,
        what=f"{said.value} is the name of this object and of {other.where}",
        why="where nothing else names the cluster its object does, and two clusters can't have one name",
        fix=f"name the cluster of each file: east={_file(other.where)} west={_file(said.path)}",
        slug="inputs-differ",
    )


def settle(found: Mapping[str, Found], primaries: Mapping[str, str]) -> tuple[list[Left], list[Problem]]:
    """Give each cluster its role, primary, network and values; return what is overridden, and what contradicts."""
    lefts: list[Left] = []
    problems: list[Problem] = []
    for cluster in found.values():
        # What leads to another istiod outweighs what every chart says by itself.
        cluster.remote = any(s.value == "remote" for told in cluster.told for s in told.said if s.fact == "role")
        lefts += [line for told in cluster.told for line in outranked(told, "network")]
        networks = cluster.said("network")
        if networks:
            cluster.network = str(networks[0].value)
        for said in networks[1:]:
            if said.value != networks[0].value:
                problems.append(differing("network", said, networks[0], f"give {cluster.name} one network"))
        cluster.values = _values(cluster, lefts)
    for name in primaries:
        if name not in found or not found[name].remote:
            known = [other for other, cluster in found.items() if cluster.remote]
            problems.append(_no_remote(name, known))
    serving = [name for name, cluster in found.items() if not cluster.remote]
    for cluster in found.values():
        if cluster.remote:
            problems += _give_primary(cluster, found, serving, primaries)
    _name_networks(found)
    return lefts, problems


def _values(cluster: Found, lefts: list[Left]) -> dict[Path, Assigned]:
    """Return a cluster's Helm values; of two at one place the later layer holds, as with helm and istioctl."""
    values: dict[Path, Assigned] = {}
    for told in cluster.told:
        for one in sorted(told.assigned, key=lambda assigned: assigned.rank):
            shorter = [one.target[:length] for length in range(1, len(one.target))]
            under = [target for target in values if target[: len(one.target)] == one.target]
            for target in [*(target for target in shorter if target in values), *under]:
                old = values.pop(target)
                if repr(old.value) != repr(one.value):
                    lefts.append(Left(old.path, f"{one.path} says it for this one, too", NOTHING))
            values[one.target] = one
    return values


def _give_primary(
    cluster: Found, found: Mapping[str, Found], serving: Sequence[str], primaries: Mapping[str, str]
) -> list[Problem]:
    """Let a remote be served by whom the user or its object says, or else by the only one there is."""
    named = cluster.said("serves")
    objects = {told.document.name: name for name in serving for told in found[name].told}
    if cluster.name in primaries:
        cluster.primary = primaries[cluster.name]
    elif named and named[0].value in objects:
        cluster.primary = objects[named[0].value]
    elif len(serving) == 1 and not named:
        cluster.primary = serving[0]
    if cluster.primary in serving:
        return []
    if cluster.primary is not None:
        what = f"{cluster.primary!r} is no cluster with an istiod of its own{near(cluster.primary, serving)}"
    elif named:
        what = f"it is served by the control plane {named[0].value}, which no input is about"
    elif serving:
        what = f"{cluster.name} is a remote, and nothing says of which primary: {', '.join(serving)}"
    else:
        what = f"{cluster.name} is a remote, and no input is about a cluster with an istiod of its own"
    fix = f"--primary {cluster.name}={serving[0]}" if serving else "give what its primary's installer is told, too"
    why = "a remote is served by the istiod of its primary, in the same mesh"
    return [Problem(where=_role(cluster), what=what, why=why, fix=fix, slug="primary-unknown")]


def _role(cluster: Found) -> str:
    roles = [said for told in cluster.told for said in told.said if said.fact == "role" and said.value == "remote"]
    return roles[0].path if roles else cluster.where


def _no_remote(name: str, known: Sequence[str]) -> Problem:
    return Problem(
        where=f"--primary {name}",
        what=f"{name} is no remote of the input{near(name, known)}",
        why="only a cluster without an istiod of its own has a primary",
        fix=f"name one of {', '.join(known)}" if known else "leave it out",
        slug="primary-unknown",
    )


def _name_networks(found: Mapping[str, Found]) -> None:
    """Let clusters that name no network share one, as they do to Istio, unless their installer holds them apart."""
    apart = any(cluster.said("apart") for cluster in found.values())
    taken = {cluster.network for cluster in found.values()}
    shared = next(
        name for name in (UNNAMED, *(f"{UNNAMED}-{n}" for n in range(2, len(found) + 3))) if name not in taken
    )
    unnamed = [cluster for cluster in found.values() if cluster.network is None]
    for cluster in unnamed if len(unnamed) > 1 and not apart else ():
        cluster.network = shared


def differing(what: str, one: Said, other: Said, fix: str) -> Problem:
    """Return the problem of two places that say one fact differently."""
    return Problem(
        where=one.path,
        what=f"the {what} is {one.value!r} here, and {other.value!r} at {other.path}",
        why=f"there is one {what}, whichever of the inputs is asked",
        fix=fix,
        slug="inputs-differ",
    )


def plain(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return a tree of its leaves."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        here = tree
        for key in path[:-1]:
            here = here.setdefault(key, {})
        here[path[-1]] = value
    return tree
