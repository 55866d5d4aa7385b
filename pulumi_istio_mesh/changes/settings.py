"""Every other declared fact: told as it is written, so that no change of a file goes unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from ..topology.declared import LATE
from ..topology.load import plain
from ..topology.shown import quoted
from .change import Change, Kind, Sides, listed
from .differing import MISSING, differing

_TOLD_ELSEWHERE = re.compile(
    r"mesh_id|install|render_to|evicted|waves|istio_version|revisions\b.*|revision_tags\b.*|trust_domain|trust_domain_aliases|trust\b.*|mtls|dns_capture|failover|cluster_local|image_hub|image_pull_secrets\b.*|peers\b.*|exports\b.*"
    r"|federation_gateways|values\b.*|verify\.level|verify\.preflight"
    r"|clusters\.[^.]+(\.(istio_version|control_plane|revision_tags\b.*|primary|network|discovers|pod_cidr|api_server|api_server_tls_name|reader_token|verify|protect"
    r"|retain_on_delete|values\b.*))?"
    r"|clusters\.[^.]+\.(east_west_gateway|federation_gateway|istiod_service)"
    r"\.(type|address|annotations\b.*|load_balancer_class|source_ranges|locality)"
    r"|clusters\.[^.]+\.gke(\.(region|zone|autopilot|block|ranges\b.*|max_pods_per_node))?"
    r"|gke_networks\.[^.]+(\.(project|supernet|block_prefix|vpc|ports|gateway_sources))?"
)
"""Facts of which the other modules say what follows from them. What follows may be nothing: no sentence then."""


def settings(sides: Sides) -> Iterator[Change]:
    """Yield what is proved, protected, and everything that nothing else says."""
    yield from _proof(sides)
    yield from _kept(sides)
    before, after = (plain(side.topology.model_dump(warnings=False)) for side in (sides.before, sides.after))
    for path, was, will in differing(before, after):
        if _TOLD_ELSEWHERE.fullmatch(path) or _of_turned(sides, path):
            continue
        yield Change(Kind.OTHER, f"{path}: {_said(was)} -> {_said(will)}", tuple(_behind(sides, path)))


def _of_turned(sides: Sides, path: str) -> bool:
    """Whether the path is about a cluster that comes or goes."""
    top, _, rest = path.partition(".")
    return top == "clusters" and rest.partition(".")[0] not in sides.stay


def _said(value: Any) -> str:
    if value is MISSING or value is None or value in ([], {}, ""):
        return "not given"
    if isinstance(value, (dict, list)):
        return quoted(yaml.safe_dump(_short(value), default_flow_style=True, sort_keys=False, width=10_000).strip())
    if isinstance(value, bool):
        return str(value).lower()
    return "known late" if value is LATE else quoted(str(value))


def _short(value: Any) -> Any:
    """Return a tree without what is not given."""
    if isinstance(value, dict):
        return {key: _short(found) for key, found in value.items() if found is not None}
    return [_short(found) for found in value] if isinstance(value, list) else value


def _behind(sides: Sides, path: str) -> Iterator[str]:
    """Yield what the fact stands in."""
    top, *rest = path.split(".")
    if top == "verify":
        yield from sides.behind("Verification", sides.stay)
    if top == "chart_source":
        yield from sides.istiods(sides.stay)
        yield from sides.behind("Release", sides.stay, "crds")
        yield from sides.behind("Chart", sides.stay, "base")
        yield from sides.behind("Chart", sides.stay, "east-west")
        yield from sides.behind("Chart", sides.stay, "federation")
    if top == "gke_networks":
        yield f"~ GkeNetwork {sides.of(rest[0])}"
    if top == "clusters":
        name, fact = rest[0], rest[1]
        part, role = {
            "crds": ("Release", "crds"),
            "gke": ("GkeCluster", ""),
            "east_west_gateway": ("Service", "east-west"),
            "federation_gateway": ("Service", "federation"),
            "istiod_service": ("Service", "istiod-remotes"),
        }.get(fact, ("", ""))
        if part:
            yield from sides.behind(part, [name], role)


def _proof(sides: Sides) -> Iterator[Change]:
    """What `up` proves of clusters that stay, where that changes."""
    levels = sides.before.topology.verify.level, sides.after.topology.verify.level
    told = {
        "traffic": "calls between clusters, and what every istiod sees",
        "discovery": "what every istiod sees, and no calls",
        "off": "nothing of the mesh",
    }
    stay = sides.stay
    if stay and levels[0] != levels[1]:
        yield Change(Kind.OTHER, f"pulumi up proves {told[levels[1]]}", _proving(sides, stay))
    for name in stay:
        was, will = (side.topology.clusters[name].verify for side in (sides.before, sides.after))
        if was != will:
            whose = "from and to" if will else "neither from nor to"
            yield Change(Kind.OTHER, f"pulumi up proves calls {whose} {name}", _proving(sides, [name]))
    looks = sides.before.topology.verify.preflight, sides.after.topology.verify.preflight
    if stay and looks[0] != looks[1]:
        yield Change(
            Kind.OTHER, f"clusters are {'looked at' if looks[1] else 'not looked at'} before anything in them changes"
        )


def _proving(sides: Sides, clusters: Iterable[str]) -> tuple[str, ...]:
    """The resources by which `pulumi up` proves what it proves."""
    gates = (one for part in ("MeshGate", "ApiServerGate") for one in sides.turned(part, clusters))
    replicas = sides.turned("Service", clusters, "istiod-replicas")
    return (*sides.behind("Verification", clusters), *gates, *replicas)


def _kept(sides: Sides) -> Iterator[Change]:
    """Options that decide what a later run may delete."""
    for fact, on, off in (
        ("protect", "can't be deleted from now on", "can be deleted from now on"),
        (
            "retain_on_delete",
            "stay in the cluster when they leave the program",
            "are deleted when they leave the program",
        ),
    ):
        for wanted, told in ((True, on), (False, off)):
            found = [
                name
                for name in sides.stay
                if getattr(sides.after.topology.clusters[name], fact) is wanted
                and getattr(sides.before.topology.clusters[name], fact) is not wanted
            ]
            if found:
                yield Change(Kind.OTHER, f"objects of {listed(found)} {told}", sides.behind("MeshCluster", found))
