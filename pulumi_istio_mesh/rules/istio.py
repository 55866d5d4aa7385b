"""Rules about Istio itself: its version, its charts, and the Helm values a user lays over ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..istio import charts, values, versions
from ..topology.models import Topology
from ..topology.names import is_dns_label, is_host_name
from ..topology.problems import Problem, near


def the_version_is_supported(topology: Topology) -> Iterator[Problem]:
    """Refuse a version that is no full version, or of a minor this package was not built for."""
    version = topology.istio_version
    known = ", ".join(f"{name} (Kubernetes {minor.kubernetes})" for name, minor in versions.SUPPORTED.items())
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", version):
        what = f"{version!r} is not a full version"
    elif versions.minor_of(version) not in versions.SUPPORTED:
        what = f"{version} is not supported; supported are {known}"
    else:
        return
    yield Problem(
        where="istio_version",
        what=what,
        why="charts and images are pinned to one version, and the values this package writes were read "
        "from the charts of the supported ones",
        fix=f'istio_version: "{versions.NEWEST}"',
        slug="istio-version",
    )


def the_charts_are_there(topology: Topology) -> Iterator[Problem]:
    """Refuse a chart folder that lacks one of the charts; repositories are looked at by the provider."""
    if topology.chart_source is not None:
        yield from charts.chart_source_problems(topology.chart_source, topology.istio_version)


def the_trust_domain_is_a_host_name(topology: Topology) -> Iterator[Problem]:
    """Refuse a trust domain that is no lower-case host name."""
    if not is_host_name(topology.identity_domain):
        yield Problem(
            where="trust_domain",
            what=f"{topology.identity_domain!r} is not a lower-case host name",
            why="it is the host of every SPIFFE identity, and certificate name constraints match host names only",
            fix=f"trust_domain: {topology.mesh_id}.internal",
            slug="trust-domain",
        )


def cluster_local_hosts_are_services(topology: Topology) -> Iterator[Problem]:
    """Refuse hosts that match no Service, or all of them."""
    for index, host in enumerate(topology.cluster_local):
        service, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        if (service == "*" or is_dns_label(service)) and is_dns_label(namespace) and domain == "svc.cluster.local":
            continue
        yield Problem(
            where=f"cluster_local.{index}",
            what=f"{host!r} is no Service, and not all Services of a namespace",
            why="istiod compares it with full host names; one that matches nothing would keep nothing in its cluster, "
            "and a bare * would take calls to hosts outside the mesh with it (istio/istio#55798)",
            fix='cluster_local: ["metrics.monitoring.svc.cluster.local", "*.kube-public.svc.cluster.local"]',
            slug="cluster-local",
        )


def values_leave_the_wiring_alone(topology: Topology) -> Iterator[Problem]:
    """Refuse Helm values for charts that aren't installed, and values that would change the mesh's own wiring."""
    seen: set[tuple[str, str]] = set()
    for cluster, declared in topology.clusters.items():
        layers = (("values", topology.values), (f"clusters.{cluster}.values", declared.values))
        for where, layer in layers:
            for problem in _layer_problems(where, layer, topology, cluster):
                if (problem.where, problem.what) not in seen:
                    seen.add((problem.where, problem.what))
                    yield problem


def _layer_problems(
    where: str, layer: Mapping[str, Mapping[str, Any]], topology: Topology, cluster: str
) -> Iterator[Problem]:
    for chart, given in layer.items():
        if chart not in charts.CHARTS:
            yield Problem(
                where=f"{where}.{chart}",
                what=f"{chart!r} is not a chart of the mesh{near(chart, charts.CHARTS)}",
                why="values are given per chart",
                fix=f"use one of {', '.join(charts.CHARTS)}",
                slug="values-conflict",
            )
            continue
        for path, reason in values.conflicts(given, topology, cluster, chart):
            yield Problem(
                where=f"{where}.{chart}.{path}",
                what="this value would change the mesh's own wiring",
                why=reason,
                fix=f"remove {where}.{chart}.{path}; the mesh's own arguments decide it",
                slug="values-conflict",
            )


RULES = (
    the_version_is_supported,
    the_charts_are_there,
    the_trust_domain_is_a_host_name,
    cluster_local_hosts_are_services,
    values_leave_the_wiring_alone,
)
