"""What a change of revisions and of tags moves, and what it leaves where it is."""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from ..topology.names import DEFAULT_REVISION
from .change import Change, Kind, Sides, listed
from .restarts import bases, gateways_and_probes, version_dangers


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
    where = listed([name for name in sides.stay if not sides.after.clusters[name].remote])
    for revision in dict.fromkeys([*was, *will]):
        old, new = was.get(revision), will.get(revision)
        charts = _of(sides, revision)
        if old is None:
            told = f"an istiod of revision {revision} ({new}) runs beside the others in {where}"
            yield Change(Kind.RESTARTS, told, (*charts, *bases(sides, sides.stay)))
        elif new is None:
            refused = "pulumi up refuses that while pods have their proxies of it"
            told = f"the istiod of revision {revision} ({old}) goes in {where}; {refused}"
            yield Change(Kind.RESTARTS, told, (*charts, *bases(sides, sides.stay)))
        elif old != new:
            restart = "its istiod restarts, and gateways that are of it"
            told = f"Istio {old} -> {new} of revision {revision} in {where}: {restart}"
            behind = (*charts, *bases(sides, sides.stay), *gateways_and_probes(sides, sides.stay))
            yield Change(Kind.RESTARTS, told, behind)
            yield from version_dangers(old, new)


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
        # Which name the revisions of the cluster that they read.
        *(
            one
            for reader, read in sides.after.plan.remote_secrets
            for one in sides.behind("Secret", [reader], "remote", read)
        ),
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
