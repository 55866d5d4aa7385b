"""What a change of revisions and of tags moves, and what it leaves where it is."""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from ..topology.names import DEFAULT_REVISION
from ..topology.versions import numbers
from .change import Change, Kind, Sides, listed
from .restarts import LOOK_AFTER, bases, gateways_and_probes, version_dangers


def revisions(sides: Sides) -> Iterator[Change]:
    """Yield istiods that come, go or change beside others, and who is served by another one."""
    if sides.stay and (sides.before.topology.revisioned or sides.after.topology.revisioned):
        yield from _kept_apart(sides)
        yield from _istiods(sides)
        yield from _tags(sides)


def _kept_apart(sides: Sides) -> Iterator[Change]:
    """Which webhooks inject what names no revision."""
    if sides.before.topology.revisioned == sides.after.topology.revisioned:
        return
    whose = "tags decide which istiod serves" if sides.after.topology.revisioned else "the one istiod serves"
    webhooks = (
        *sides.behind("MutatingWebhookConfigurationPatch", sides.stay, "injector"),
        *sides.behind("MutatingWebhookConfiguration", sides.stay, f"tag-{DEFAULT_REVISION}"),
    )
    told = f"{whose} what names no revision in {listed(sides.stay)}; nothing restarts by it"
    yield Change(Kind.RESTARTS, told, (*webhooks, *sides.behind("Chart", sides.stay, names.ISTIOD)))


def _istiods(sides: Sides) -> Iterator[Change]:
    before, after = sides.before.topology, sides.after.topology
    was, will = (side.versions_of(sides.stay[0]) for side in (before, after))
    primaries = [name for name in sides.stay if not sides.after.clusters[name].remote]
    # Without any, all of them became remotes of clusters that join, which is told of each.
    where = listed(primaries) if primaries else ""
    for revision in dict.fromkeys([*was, *will]) if primaries else ():
        old, new = was.get(revision), will.get(revision)
        charts = _of(sides, revision)
        if old is None:
            told = f"an istiod of revision {revision} ({new}) runs beside the others in {where}"
            yield Change(Kind.RESTARTS, told, (*charts, *bases(sides, sides.stay)))
        elif new is None:
            refused = "pulumi up refuses that while pods have their proxies of it"
            if after.render_to is not None:
                refused = "nobody looks whether pods have their proxies of it"
            told = f"the istiod of revision {revision} ({old}) goes in {where}; {refused}"
            served = [name for name in sides.stay if before.revision_of(name) == revision]
            safe_way = _elsewhere_first(served) if served else None
            yield Change(Kind.RESTARTS, told, (*charts, *bases(sides, sides.stay)), safe_way=safe_way)
        elif old != new:
            restart = "its istiod restarts, and gateways that are of it"
            told = f"Istio {old} -> {new} of revision {revision} in {where}: {restart}"
            behind = (*charts, *bases(sides, sides.stay), *gateways_and_probes(sides, sides.stay))
            yield Change(Kind.RESTARTS, told, behind)
            yield from version_dangers(old, new)
    yield from _read_anew(sides, was.keys() != will.keys())
    yield from _crds(sides)


def _elsewhere_first(served: list[str]) -> str:
    """Return how an istiod is taken away that still serves gateways, for what names no revision is of it."""
    elsewhere = f"first let the tag default lead elsewhere in {listed(served)}"
    return f"{elsewhere}, and restart what has its proxies of it (docs/operations.md#upgrade-by-revision)"


def _read_anew(sides: Sides, others: bool) -> Iterator[Change]:
    """Remote secrets, which name the revisions of the cluster that they read."""
    secrets = [
        one
        for reader, read in sides.after.plan.remote_secrets
        for one in sides.behind("Secret", [reader], "remote", read)
        if one.startswith("~")
    ]
    if others and secrets:
        number = "1 remote secret is" if len(secrets) == 1 else f"{len(secrets)} remote secrets are"
        yield Change(
            Kind.SECRETS, f"{number} written anew: istiods attach those clusters anew while they run", tuple(secrets)
        )


def _crds(sides: Sides) -> Iterator[Change]:
    """Istio's CRDs, which are of the newest istiod."""
    moves: dict[tuple[str, str], list[str]] = {}
    for name in sides.stay:
        versions = (sides.before.topology.newest_version_of(name), sides.after.topology.newest_version_of(name))
        if versions[0] != versions[1]:
            moves.setdefault(versions, []).append(name)
    for (old, new), clusters in moves.items():
        behind = bases(sides, clusters)
        if numbers(new) < numbers(old):
            where = f"from {old} to {new} in {listed(clusters)}"
            told = f"Istio's CRDs go back {where}: what newer versions wrote may not be understood"
            yield Change(Kind.RESTARTS, told, behind, safe_way=LOOK_AFTER)
        else:
            yield Change(
                Kind.RESTARTS,
                f"Istio's CRDs are of {new} instead of {old} in {listed(clusters)}, and come first",
                behind,
            )


def _of(sides: Sides, revision: str) -> tuple[str, ...]:
    """What stands for the istiod of a revision, in clusters with it and in their remotes."""
    istiod = names.of_revision(names.ISTIOD, revision)
    dialled = sides.behind("Service", sides.stay, names.of_revision("istiod-remotes", revision))
    exposed = sides.behind("IstiodExposure", sides.stay)
    return (
        *sides.behind("Chart", sides.stay, istiod),
        *sides.behind("Service", sides.stay, istiod),
        *sides.behind("EndpointSlice", sides.stay, istiod),
        *(dialled or exposed),
        *sides.turned("MeshGate", sides.stay, f"mesh-{revision}"),
    )


def _tags(sides: Sides) -> Iterator[Change]:
    moves: dict[tuple[str, str | None, str | None], list[str]] = {}
    for name in sides.stay:
        was, will = (side.topology.tags_of(name) for side in (sides.before, sides.after))
        for tag in dict.fromkeys([*was, *will]):
            if was.get(tag) != will.get(tag):
                moves.setdefault((tag, was.get(tag), will.get(tag)), []).append(name)
    for (tag, old, new), clusters in moves.items():
        behind = sides.behind("MutatingWebhookConfiguration", clusters, f"tag-{tag}")
        where = listed(clusters)
        if tag == DEFAULT_REVISION:
            told = (
                f"what names no revision is served by {new} instead of {old} in {where}: gateways and probes restart, "
                "workloads take its proxies when they restart"
            )
            gates = [one for r in (old, new) for one in sides.turned("MeshGate", clusters, f"mesh-{r}")]
            behind = (*behind, *bases(sides, clusters), *gateways_and_probes(sides, clusters), *gates)
            runs = new in sides.before.topology.revision_names
            first = "add the revision in a run of its own: pulumi up refuses one that does not run yet"
            safe_way = None if runs else f"{first} (docs/operations.md#upgrade-by-revision)"
            yield Change(Kind.RESTARTS, told, behind, safe_way=safe_way)
        elif new is None:
            told = f"tag {tag} goes in {where}: pods of namespaces that name it get no proxy any more"
            yield Change(Kind.RESTARTS, told, behind, safe_way="label those namespaces otherwise first")
        else:
            instead = f" instead of {old}" if old else ""
            taken = "workloads that name it take its proxies when they restart"
            told = f"tag {tag} leads to {new}{instead} in {where}; {taken}"
            yield Change(Kind.RESTARTS, told, behind)
