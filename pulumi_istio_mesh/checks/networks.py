"""Whether everything in a cluster names the network that the mesh gives it, and gateways lead into it."""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from .findings import Finding
from .seen import View, labels_of, named, waits_for_address


def agreement(view: View) -> Iterator[Finding]:
    """Namespace, gateway, injection and a running proxy all name the same network."""
    for planned, seen in view.clusters():
        claims: dict[str, str] = {}
        for namespace in seen.namespaces:
            if namespace["metadata"]["name"] == names.NAMESPACE:
                claims["namespace istio-system"] = labels_of(namespace).get(names.NETWORK_LABEL, "")
        gateway = seen.service(names.NAMESPACE, names.EAST_WEST_GATEWAY)
        if gateway is not None and planned.gateway:
            claims[f"Service {names.EAST_WEST_GATEWAY}"] = labels_of(gateway).get(names.NETWORK_LABEL, "")
        if seen.injected_network is not None:
            claims["what istiod injects"] = seen.injected_network
        if seen.proxy is not None:
            claims[f"the proxy of {seen.proxy.pod}"] = seen.proxy.network
        others = [
            f"{who} names network {network or '(none)'}"
            for who, network in claims.items()
            if network != planned.network
        ]
        if others:
            yield Finding("network-differs", planned.name, f"{', '.join(others)}; the mesh {planned.network}")


def gateways(view: View) -> Iterator[Finding]:
    """Every east-west gateway has an address, pods behind it, and listens."""
    for planned, seen in view.clusters():
        if not planned.gateway or "services" in seen.unread:
            continue
        declared = view.topology.clusters[planned.name].east_west_gateway
        if not seen.gateway_addresses() and not (declared.type == "NodePort" and declared.address is None):
            there = seen.service(names.NAMESPACE, names.EAST_WEST_GATEWAY) is not None
            what = f"Service {names.EAST_WEST_GATEWAY} {'has no address' if there else 'is not there'}"
            yield Finding("gateway-no-address", planned.name, what)
        ready = sum(
            1
            for part in seen.gateway_slices
            for endpoint in part.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready", True)
        )
        if not ready and "gateway_slices" not in seen.unread:
            what = f"no ready pod is behind Service {names.EAST_WEST_GATEWAY}"
            yield Finding("gateway-no-pods", planned.name, what)
        for pod, ports in sorted(seen.gateway_ports.items()):
            if names.MTLS_PORT not in ports:
                yield Finding("gateway-not-listening", planned.name, f"{pod} does not listen on {names.MTLS_PORT}")


def calls(view: View) -> Iterator[Finding]:
    """What the gate's script found from the probes."""
    for _, seen in view.clusters():
        yield from seen.gate


def load_balancers(view: View) -> Iterator[Finding]:
    """Services of type LoadBalancer get addresses."""
    for planned, seen in view.clusters():
        for service in seen.services:
            where = "/".join(named(service))
            ours = named(service) == (names.NAMESPACE, names.EAST_WEST_GATEWAY)
            if waits_for_address(service) and not ours:
                yield Finding("load-balancer-pending", planned.name, f"{where} waits for an address", name=where)


JUDGES = (agreement, gateways, calls, load_balancers)
