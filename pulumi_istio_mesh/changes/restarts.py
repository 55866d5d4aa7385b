"""What runs anew because of a change, and what must be made to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..istio.values import merged
from ..istio.versions import minor_number
from ..topology.versions import numbers
from .change import Change, Kind, Side, Sides, listed
from .differing import differing


def restarts(sides: Sides) -> Iterator[Change]:
    """Yield what `up` restarts, and which workloads take up a change only when they are restarted."""
    before, after = sides.before.topology, sides.after.topology
    for name in sides.after.clusters:
        if name not in sides.before.clusters and not sides.after.clusters[name].joins:
            yield Change(Kind.RESTARTS, f"workloads that run in {name} already join with their next restart")
    for name in sides.before.clusters:
        leaves = name not in sides.after.clusters and name not in after.evicted
        served = before.clusters[name].retain_on_delete or sides.before.clusters[name].joins
        if leaves and not served:
            told = f"workloads of {name} keep sidecars that nobody serves any more: restart them without"
            yield Change(Kind.RESTARTS, told)
    moved = [n for n in sides.stay if sides.before.clusters[n].network != sides.after.clusters[n].network]
    another = before.identity_domain != after.identity_domain
    everywhere = before.mesh_id != after.mesh_id or (another and before.identity_domain not in after.identity_domains)
    if sides.stay and another and not everywhere:
        told = f"proxies in {listed(sides.stay)} are of {after.identity_domain} with their next certificates"
        yield Change(Kind.RESTARTS, told, sides.behind("Deployment", sides.stay, "probe"))
    if sides.stay and everywhere:
        told = f"every workload with a sidecar in {listed(sides.stay)} must be restarted"
        yield Change(Kind.RESTARTS, told, sides.behind("Deployment", sides.stay, "probe"))
    elif moved:
        yield Change(Kind.RESTARTS, f"every workload with a sidecar in {listed(moved)} must be restarted")
    if sides.stay and before.dns_capture != after.dns_capture:
        told = "answer DNS" if after.dns_capture else "leave DNS alone"
        charts = sides.istiods(sides.primaries)
        yield Change(Kind.RESTARTS, f"proxies {told} once their workloads restart, in {listed(sides.stay)}", charts)
    yield from _programs(sides)
    yield from _values(sides)


def _programs(sides: Sides) -> Iterator[Change]:
    """Another version, or other places that images and charts come from."""
    before, after = sides.before.topology, sides.after.topology
    if not sides.stay:
        return
    moves: dict[tuple[str, str], list[str]] = {}
    said: dict[tuple[str, str], list[str]] = {}
    for name in sides.stay:
        versions = before.version_of(name), after.version_of(name)
        if versions[0] != versions[1] and not (before.revisioned or after.revisioned):
            (said if sides.after.clusters[name].joins else moves).setdefault(versions, []).append(name)
    for (_, new), clusters in said.items():
        behind = gateways_and_probes(sides, clusters)
        own = "the mesh's own gateways and probes restart"
        theirs = f"Istio is {new} in {listed(clusters)} by its installer: upgrade it there first"
        adopted = any(sides.after.clusters[name].adopted for name in clusters)
        first = "go back to existing before its installer upgrades it (docs/how-to/existing-istio.md#adopt-it)"
        yield Change(Kind.RESTARTS, f"{theirs}; {own}", behind, safe_way=first if adopted else None)
    for (old, new), clusters in moves.items():
        told = (
            f"Istio {old} -> {new} in {listed(clusters)}: {_running(sides, clusters)}; workloads keep their proxies of "
            f"{old} until they restart"
        )
        yield Change(Kind.RESTARTS, told, (*_images(sides, clusters), *bases(sides, clusters)))
        yield from version_dangers(old, new)
    if before.image_hub != after.image_hub:
        told = f"images come from {after.image_hub or 'Istio itself'}: {_running(sides, sides.stay)}"
        yield Change(Kind.RESTARTS, told, _images(sides, sides.stay))
    if before.image_pull_secrets != after.image_pull_secrets:
        secrets = ", ".join(after.image_pull_secrets) or "no Secret"
        told = f"images are pulled by {secrets}: all gateways restart; workloads ask for it once they restart"
        proof = (*sides.behind("Verification", sides.stay), *_images(sides, sides.stay))
        yield Change(Kind.RESTARTS, told, proof)
    if before.waves != after.waves:
        yield Change(Kind.OTHER, _order(sides), _wave_gates(sides))


LOOK_AFTER = "go back only to the version that the mesh came from, and look with istio-mesh verify after"


def version_dangers(old: str, new: str) -> Iterator[Change]:
    """Yield why an istiod should not become another version at once."""
    if numbers(new) < numbers(old):
        yield Change(
            Kind.RESTARTS,
            f"Istio goes back from {old} to {new}: its CRDs go back, too, and what newer versions wrote may not be "
            "understood",
            safe_way=LOOK_AFTER,
        )
    if (minor_number(new) or 0) - (minor_number(old) or 0) > 1:
        yield Change(
            Kind.RESTARTS,
            f"Istio skips a minor version from {old} to {new}: proxies that run would be too far behind",
            safe_way="upgrade by one minor version at a time, and restart workloads in between "
            "(docs/operations.md#upgrade-istio)",
        )


def _running(sides: Sides, clusters: Sequence[str]) -> str:
    primaries = [name for name in clusters if name in sides.primaries]
    return f"istiod of {listed(primaries)} and all gateways restart" if primaries else "all gateways restart"


def _images(sides: Sides, clusters: Sequence[str]) -> tuple[str, ...]:
    return (*sides.istiods(clusters), *gateways_and_probes(sides, clusters))


def gateways_and_probes(sides: Sides, clusters: Sequence[str]) -> tuple[str, ...]:
    """Return what has proxies of the mesh's own."""
    return (
        *sides.behind("Chart", clusters, "east-west"),
        *sides.behind("Chart", clusters, "federation"),
        *sides.behind("Deployment", clusters, "probe"),
    )


def _order(sides: Sides) -> str:
    waves = sides.after.plan.waves
    if len(waves) < 2:
        return "all clusters are changed at once, and proved when all are"
    return f"clusters are changed in {len(waves)} waves: {', then '.join(listed(wave) for wave in waves)}"


def _wave_gates(sides: Sides) -> tuple[str, ...]:
    """The gates of waves that come and go, and what they are held to."""
    most = max(len(side.plan.waves) for side in (sides.before, sides.after))
    gates = (one for wave in range(1, most) for one in sides.behind("WaveGate", sides.stay, f"wave-{wave}"))
    return (*gates, *sides.turned("ConfigMap", sides.stay, "proved"))


def _values(sides: Sides) -> Iterator[Change]:
    """The user's own Helm values: what they change is named, and never said, for some are credentials."""
    changed: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name in sides.stay:
        was, will = (_given(side, name) for side in (sides.before, sides.after))
        for chart in sorted(was.keys() | will.keys()):
            paths = tuple(path for path, _, _ in differing(was.get(chart, {}), will.get(chart, {})))
            if paths and not (chart == "gateway" and not _has_gateways(sides.after, name)):
                changed.setdefault((chart, paths), []).append(name)
    for (chart, paths), clusters in changed.items():
        hot = chart == "istiod" and all(path.partition(".")[0] == "meshConfig" for path in paths)
        yield Change(Kind.RESTARTS, _told(chart, ", ".join(paths), clusters, hot), _charts(sides, chart, clusters))


def _given(side: Side, name: str) -> dict[str, dict[str, Any]]:
    return merged(side.topology.values, side.topology.clusters[name].values)


def _has_gateways(side: Side, name: str) -> bool:
    return side.clusters[name].gateway or side.clusters[name].federation_gateway


def _told(chart: str, paths: str, clusters: list[str], hot: bool) -> str:
    where = f"values of chart {chart} in {listed(clusters)}: {paths}"
    if chart == "base":
        return f"{where}; nothing restarts"
    if hot:
        return f"{where}; istiod takes them while it runs, proxies what concerns them when they restart"
    return f"{where}; {'istiod' if chart == 'istiod' else 'gateways'} may restart, one pod after the other"


def _charts(sides: Sides, chart: str, clusters: list[str]) -> tuple[str, ...]:
    if chart == "base":
        return bases(sides, clusters)
    if chart == "istiod":
        return sides.istiods(clusters)
    return (*sides.behind("Chart", clusters, "east-west"), *sides.behind("Chart", clusters, "federation"))


def bases(sides: Sides, clusters: Sequence[str]) -> tuple[str, ...]:
    """Return what chart base is in a program."""
    return (*sides.behind("Release", clusters, "crds"), *sides.behind("Chart", clusters, "base"))
