"""Whether everything in a cluster names the network that the mesh gives it, and gateways lead into it."""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from .findings import Finding
from .seen import Seen, View, labels_of, named, waits_for_address


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
    """Every east-west and every federation gateway has an address, pods behind it, and listens."""
    for planned, seen in view.clusters():
        if "services" in seen.unread:
            continue
        declared = view.topology.clusters[planned.name].east_west_gateway
        if planned.gateway:
            by_nodes = declared.type == "NodePort" and declared.address is None
            yield from _gateway(planned.name, seen, names.EAST_WEST_GATEWAY, dialled=not by_nodes)
        if planned.federation_gateway:
            yield from _gateway(planned.name, seen, names.FEDERATION_GATEWAY, dialled=True)


def _gateway(cluster: str, seen: Seen, gateway: str, *, dialled: bool) -> Iterator[Finding]:
    if dialled and not seen.gateway_addresses(gateway):
        there = seen.service(names.NAMESPACE, gateway) is not None
        what = f"Service {gateway} {'has no address' if there else 'is not there'}"
        yield Finding("gateway-no-address", cluster, what, name=gateway)
    ready = sum(
        1
        for part in seen.gateway_slices
        if labels_of(part).get("kubernetes.io/service-name") == gateway
        for endpoint in part.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready", True)
    )
    if not ready and "gateway_slices" not in seen.unread:
        yield Finding("gateway-no-pods", cluster, f"no ready pod is behind Service {gateway}", name=gateway)
    for pod, ports in sorted(seen.gateway_ports.items()):
        if pod.startswith(f"{gateway}-") and names.MTLS_PORT not in ports:
            what = f"{pod} does not listen on {names.MTLS_PORT}"
            yield Finding("gateway-not-listening", cluster, what, name=gateway)


def calls(view: View) -> Iterator[Finding]:
    """What the gate's script found from the probes."""
    for _, seen in view.clusters():
        yield from seen.gate


def load_balancers(view: View) -> Iterator[Finding]:
    """Services of type LoadBalancer get addresses."""
    for planned, seen in view.clusters():
        for service in seen.services:
            where = "/".join(named(service))
            ours = named(service) in [(names.NAMESPACE, gateway) for gateway in names.GATEWAYS]
            if waits_for_address(service) and not ours:
                yield Finding("load-balancer-pending", planned.name, f"{where} waits for an address", name=where)


JUDGES = (agreement, gateways, calls, load_balancers)
