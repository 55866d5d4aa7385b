"""Whether services can be called across clusters: the same everywhere, with proxies, and with mTLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..istio import names
from .findings import Finding
from .seen import Object, Seen, View, labels_of, named

_OWN = {names.NAMESPACE, "kube-system", "kube-public", "kube-node-lease"}
"""Namespaces whose Services nobody calls from another cluster."""


def mtls(view: View) -> Iterator[Finding]:
    """No PeerAuthentication switches mTLS off."""
    for planned, seen in view.clusters():
        for item in seen.peer_authentications:
            spec = item.get("spec") or {}
            modes = [(spec.get("mtls") or {}).get("mode")]
            modes += [(port or {}).get("mode") for port in (spec.get("portLevelMtls") or {}).values()]
            if "DISABLE" in modes:
                where = "/".join(named(item))
                yield Finding("mtls-disabled", planned.name, f"PeerAuthentication {where} says DISABLE", name=where)


def destination_rules(view: View) -> Iterator[Finding]:
    """No destination rule calls a service of the mesh without Istio's own mTLS; failover detects what fails."""
    for planned, seen in view.clusters():
        for item in seen.destination_rules:
            where, spec = "/".join(named(item)), item.get("spec") or {}
            host = str(spec.get("host", ""))
            inside = host.endswith((".cluster.local", ".local", ".svc")) or "." not in host or host.count(".") == 1
            policies = list(_policies(spec))
            modes = {str((policy.get("tls") or {}).get("mode", "ISTIO_MUTUAL")) for policy in policies} - {
                "ISTIO_MUTUAL"
            }
            if inside and modes:
                what = f"DestinationRule {where} calls {host} with tls {', '.join(sorted(modes))}"
                yield Finding("destination-rule-tls", planned.name, what, name=where)
            local = any((policy.get("loadBalancer") or {}).get("localityLbSetting") for policy in policies)
            if local and not any(policy.get("outlierDetection") for policy in policies):
                what = f"DestinationRule {where} prefers near endpoints of {host} without outlierDetection"
                yield Finding("failover-blind", planned.name, what, name=where)


def _policies(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    holders = [spec, *(spec.get("subsets") or [])]
    for holder in holders:
        policy = holder.get("trafficPolicy") or {}
        yield policy
        yield from policy.get("portLevelSettings") or []


def sidecars(view: View) -> Iterator[Finding]:
    """Pods behind a Service of the mesh have a proxy, where another network or another mesh may call them."""
    exported = {tuple(reversed(service.split("."))) for service in view.topology.exports}
    for planned, seen in view.clusters():
        for service in _shared(view, seen):
            if not planned.gateway and named(service) not in exported:
                continue
            pods = selected(seen, service)
            bare = [pod for pod in pods if not _has_tls_label(pod)]
            if bare and _in_mesh(seen, service, pods):
                where = "/".join(named(service))
                what = f"{len(bare)} of {len(pods)} pods behind {where} have no proxy"
                yield Finding("sidecar-missing", planned.name, what, name=where)


def sameness(view: View) -> Iterator[Finding]:
    """A Service of one name and namespace has the same ports in every cluster."""
    known: dict[tuple[str, str], dict[str, frozenset[tuple[Any, ...]]]] = {}
    for planned, seen in view.clusters():
        for service in _shared(view, seen):
            ports = frozenset(
                (port.get("name", ""), port["port"], port.get("protocol", "TCP"))
                for port in service["spec"].get("ports") or []
            )
            known.setdefault(named(service), {})[planned.name] = ports
    for key, by_cluster in sorted(known.items()):
        first = next(iter(by_cluster))
        for cluster, ports in by_cluster.items():
            if ports != by_cluster[first]:
                where = "/".join(key)
                what = f"Service {where} has ports {_told(ports)}, in {first} {_told(by_cluster[first])}"
                yield Finding("service-differs", cluster, what, name=where)


def headless(view: View) -> Iterator[Finding]:
    """No headless Service has pods in one network and is called from another."""
    if len({planned.network for planned in view.plan.clusters}) < 2:
        return
    for planned, seen in view.clusters():
        if not planned.gateway:
            continue
        for service in _shared(view, seen):
            pods = selected(seen, service)
            if service["spec"].get("clusterIP") == "None" and pods and _in_mesh(seen, service, pods):
                where = "/".join(named(service))
                what = f"Service {where} is headless, and other networks can't dial its pods"
                yield Finding("service-headless", planned.name, what, name=where)


def _shared(view: View, seen: Seen) -> Iterator[Object]:
    """Yield the Services that other clusters may call."""
    local = view.topology.cluster_local
    for service in seen.services:
        namespace, name = named(service)
        host = f"{name}.{namespace}.svc.cluster.local"
        if namespace in _OWN or (namespace, name) == ("default", "kubernetes"):
            continue
        if host in local or f"*.{namespace}.svc.cluster.local" in local:
            continue
        if service["spec"].get("selector") and service["spec"].get("type") != "ExternalName":
            yield service


def selected(seen: Seen, service: Object) -> list[Object]:
    """Return the running pods behind a Service that has a selector."""
    selector, namespace = service["spec"]["selector"], service["metadata"]["namespace"]
    return [
        pod
        for pod in seen.pods
        if pod["metadata"]["namespace"] == namespace
        and (pod.get("status") or {}).get("phase") == "Running"
        and selector.items() <= labels_of(pod).items()
    ]


def _has_tls_label(pod: Object) -> bool:
    return labels_of(pod).get("security.istio.io/tlsMode") == "istio"


def _in_mesh(seen: Seen, service: Object, pods: list[Object]) -> bool:
    """Return whether the namespace is injected, or any of the pods is; the rest of a cluster is none of the mesh."""
    if service["metadata"]["namespace"] == names.VERIFY_NAMESPACE or any(_has_tls_label(pod) for pod in pods):
        return True
    namespace = next(
        (found for found in seen.namespaces if found["metadata"]["name"] == service["metadata"]["namespace"]), None
    )
    labels = labels_of(namespace) if namespace else {}
    return labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels


def _told(ports: frozenset[tuple[Any, ...]]) -> str:
    return ", ".join(f"{name or 'unnamed'} {port}/{protocol}" for name, port, protocol in sorted(ports)) or "none"


JUDGES = (mtls, destination_rules, sidecars, sameness, headless)
