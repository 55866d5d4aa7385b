"""What runs anew because of a change, and what must be made to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..istio.values import merged
from .change import Change, Kind, Side, Sides, listed
from .differing import differing


def restarts(sides: Sides) -> Iterator[Change]:
    """Yield what `up` restarts, and which workloads take up a change only when they are restarted."""
    before, after = sides.before.topology, sides.after.topology
    for name in sides.after.clusters:
        if name not in sides.before.clusters:
            yield Change(Kind.RESTARTS, f"workloads that run in {name} already join with their next restart")
    for name in sides.before.clusters:
        if name not in sides.after.clusters and not sides.before.topology.clusters[name].retain_on_delete:
            told = f"workloads of {name} keep sidecars that nobody serves any more: restart them without"
            yield Change(Kind.RESTARTS, told)
    moved = [n for n in sides.stay if sides.before.clusters[n].network != sides.after.clusters[n].network]
    everywhere = before.identity_domain != after.identity_domain or before.mesh_id != after.mesh_id
    if sides.stay and everywhere:
        yield Change(Kind.RESTARTS, f"every workload with a sidecar in {listed(sides.stay)} must be restarted")
    elif moved:
        yield Change(Kind.RESTARTS, f"every workload with a sidecar in {listed(moved)} must be restarted")
    if sides.stay and before.dns_capture != after.dns_capture:
        told = "answer DNS" if after.dns_capture else "leave DNS alone"
        charts = sides.behind("Chart", sides.primaries, "istiod")
        yield Change(Kind.RESTARTS, f"proxies {told} once their workloads restart, in {listed(sides.stay)}", charts)
    yield from _programs(sides)
    yield from _values(sides)


def _programs(sides: Sides) -> Iterator[Change]:
    """Another version, or other places that images and charts come from."""
    before, after = sides.before.topology, sides.after.topology
    if not sides.stay:
        return
    charts = (
        *sides.behind("Chart", sides.stay, "istiod"),
        *sides.behind("Chart", sides.stay, "east-west"),
        *sides.behind("Chart", sides.stay, "federation"),
        *sides.behind("Deployment", sides.stay, "probe"),
    )
    runs = (
        f"istiod of {listed(sides.primaries)} and all gateways restart" if sides.primaries else "all gateways restart"
    )
    if before.istio_version != after.istio_version:
        bases = sides.behind("Release", sides.stay, "base")
        told = (
            f"Istio {before.istio_version} -> {after.istio_version}: {runs}; workloads keep their proxies of "
            f"{before.istio_version} until they restart"
        )
        yield Change(Kind.RESTARTS, told, (*charts, *bases))
        if _numbers(after.istio_version) < _numbers(before.istio_version):
            yield Change(
                Kind.RESTARTS,
                f"Istio goes back from {before.istio_version} to {after.istio_version}: its CRDs stay as they are, and "
                "what newer versions wrote may not be understood",
                safe_way="go back only to the version that the mesh came from, and look with istio-mesh verify after",
            )
    if before.image_hub != after.image_hub:
        told = f"images come from {after.image_hub or 'Istio itself'}: {runs}"
        yield Change(Kind.RESTARTS, told, charts)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


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
        return sides.behind("Release", clusters, "base")
    if chart == "istiod":
        return sides.behind("Chart", clusters, "istiod")
    return (*sides.behind("Chart", clusters, "east-west"), *sides.behind("Chart", clusters, "federation"))
