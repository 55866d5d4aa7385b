"""The charts and container images that a mesh asks for, by its facts and its Helm values alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..topology.models import Topology
from ..topology.shown import shown
from . import names
from .charts import chart_reference
from .values import istiod_values, with_cni
from .versions import IMAGE_HUB


@dataclass(frozen=True)
class Needed:
    """A chart or an image."""

    reference: str
    """As Helm or a node asks for it."""
    what: str
    """What it is for."""
    clusters: tuple[str, ...]
    """Where it is asked for, in the order of the list."""


def charts_of(topology: Topology) -> list[Needed]:
    """Return each chart of the mesh with its version, and where it comes from."""
    charts: dict[tuple[str, str], list[str]] = {}
    for cluster in topology.clusters:
        there = topology.clusters[cluster].east_west_gateway.existing
        gateways = (topology.has_gateway(cluster) and not there) or topology.has_federation_gateway(cluster)
        istiods = dict.fromkeys(topology.versions_of(cluster).values())
        installed = cluster not in topology.joining
        versions = {
            "base": [topology.newest_version_of(cluster)] if installed else [],
            "istiod": list(istiods) if installed else [],
            "gateway": [topology.version_of(cluster)] if gateways else [],
        }
        for chart, version in ((chart, version) for chart, found in versions.items() for version in found):
            reference = chart_reference(topology.chart_source, chart, version)
            place = f"{reference.repository}/{reference.chart}" if reference.repository else reference.chart
            said = f" {reference.version}" if reference.version else ""
            charts.setdefault((f"{place}{said}", f"chart {chart}"), []).append(cluster)
    return _needed(charts)


def images_of(topology: Topology) -> list[Needed]:
    """Return each image of the mesh: of istiod, of proxies and gateways, of gates, and of istio-cni where it is on.

    Not of workloads' own annotations, nor what other charts of the user's ask for.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for cluster in topology.clusters:
        every = [*chain.from_iterable(_of_revision(topology, cluster, own) for own in topology.revision_names)]
        for what, reference in [*every, *_of_gates(topology, cluster)]:
            if cluster not in (clusters := found.setdefault((reference, what), [])):
                clusters.append(cluster)
    return _needed(found)


def _of_revision(topology: Topology, cluster: str, revision: str) -> Iterator[tuple[str, str]]:
    values = istiod_values(topology, cluster, revision)
    shared = values["global"]
    if not topology.is_remote(cluster) and cluster not in topology.joining:
        yield "istiod", _istiod(values)
    if with_cni(topology, cluster):
        yield "istio-cni, whose chart is yours to install", _image(shared, "install-cni")
    for part, what in (("proxy", "proxies and gateways"), ("proxy_init", "what redirects traffic of pods")):
        if part == "proxy_init" and with_cni(topology, cluster):
            continue
        yield what, _image(shared, str((shared.get(part) or {}).get("image") or "proxyv2"))


def _of_gates(topology: Topology, cluster: str) -> Iterator[tuple[str, str]]:
    if topology.has_gate(cluster) or topology.has_probe(cluster):
        # As gates/manifests has it: no value of the user's changes it.
        own = f"{topology.image_hub or IMAGE_HUB}/proxyv2:{topology.version_of(cluster)}"
        yield f"gates and probes in namespace {names.VERIFY_NAMESPACE}", topology.verify.image or own


def _istiod(values: Mapping[str, Any]) -> str:
    """Source: istiod chart, templates/deployment.yaml."""
    image = str(values.get("image") or "pilot")
    shared = {**values["global"], **{key: values[key] for key in ("hub", "variant") if values.get(key)}}
    return _image(shared, image)


def _image(shared: Mapping[str, Any], image: str) -> str:
    """Return an image as istiod writes it into pods: what has a path stands for itself.

    Source: istio/istio pkg/kube/inject/inject.go, ProxyImage and imageURL.
    """
    if "/" in image:
        return image
    variant = f"-{shared['variant']}" if shared.get("variant") else ""
    return f"{shared['hub']}/{image}:{shared['tag']}{variant}"


def _needed(found: Mapping[tuple[str, str], list[str]]) -> list[Needed]:
    return [Needed(shown(reference), what, tuple(clusters)) for (reference, what), clusters in sorted(found.items())]
