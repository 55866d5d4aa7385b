"""Rules about east-west gateways: traffic must arrive as the caller's proxy sent it, SNI and certificate untouched."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from ..istio import names
from ..topology.models import EastWestGateway, Late, Topology
from ..topology.names import is_dns_label
from ..topology.problems import Problem

_ANY: frozenset[str] = frozenset()

ENDS_TLS: Mapping[str, frozenset[str]] = {
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": _ANY,
    "service.beta.kubernetes.io/aws-load-balancer-ssl-ports": _ANY,
    "service.beta.kubernetes.io/aws-load-balancer-backend-protocol": frozenset({"http", "https", "ssl"}),
    "service.beta.kubernetes.io/do-loadbalancer-certificate-id": _ANY,
    "service.beta.kubernetes.io/do-loadbalancer-tls-ports": _ANY,
    "service.beta.kubernetes.io/do-loadbalancer-protocol": frozenset({"http", "https", "http2", "http3"}),
    "service.beta.kubernetes.io/oci-load-balancer-ssl-ports": _ANY,
    "service.beta.kubernetes.io/oci-load-balancer-tls-secret": _ANY,
    "service.beta.kubernetes.io/scw-loadbalancer-certificate-ids": _ANY,
    "service.beta.kubernetes.io/linode-loadbalancer-default-protocol": frozenset({"http", "https"}),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-cert-id": _ANY,
    "load-balancer.hetzner.cloud/protocol": frozenset({"http", "https"}),
    "load-balancer.hetzner.cloud/http-certificates": _ANY,
    "loadbalancer.openstack.org/default-tls-container-ref": _ANY,
}
"""Annotations by which clouds end TLS in the load balancer, with the values that do it; no values: any does.

Source: each cloud controller's documentation; the failure is istio/istio#53903.
"""


def no_load_balancer_ends_tls(topology: Topology) -> Iterator[Problem]:
    """Refuse annotations that make a load balancer end TLS; values known late are let through."""
    for where, gateway in _gateways(topology):
        for key, value in gateway.annotations.items():
            ending = ENDS_TLS.get(key)
            if ending is None:
                continue
            if ending and (isinstance(value, Late) or value.lower() not in ending):
                continue
            yield Problem(
                where=f"{where}.annotations.{key}",
                what="the annotation makes the load balancer end TLS" if not ending else f"{value!r} is not plain TCP",
                why="the gateway routes by the SNI in the caller's own mTLS; a load balancer that ends TLS removes it",
                fix=f"remove {key}; port {names.MTLS_PORT} must pass through as TCP",
                slug="gateway-tls-termination",
            )


def given_addresses_can_be_reached(topology: Topology) -> Iterator[Problem]:
    """Refuse a given gateway address that is a name, or that no other network could dial."""
    for where, gateway in _gateways(topology):
        if gateway.type == "ClusterIP" and gateway.address is None:
            yield Problem(
                where=f"{where}.address",
                what="no address is given, and a ClusterIP Service has none outside its cluster",
                why="istiods of other networks would find no gateway, and send raw pod addresses instead",
                fix=f"set {where}.address to the IP address other networks dial, or {where}.type: LoadBalancer",
                slug="gateway-address",
            )
        if gateway.address is None or isinstance(gateway.address, Late):
            continue
        finding = _finding(gateway.address)
        if finding:
            yield Problem(
                where=f"{where}.address",
                what=f"{gateway.address} {finding}",
                why="it becomes an external IP of the Service, where the istiods of other networks read it",
                fix=f"set {where}.address to the IP address other networks dial; "
                "a load balancer's host name needs no address here, Istio reads it from the Service",
                slug="gateway-address",
            )


def extra_ports_are_free(topology: Topology) -> Iterator[Problem]:
    """Refuse extra ports that repeat a name or a number, the gateway's own included, and names that are no labels."""
    for where, gateway in _gateways(topology):
        numbers = dict.fromkeys(names.GATEWAY_OWN_PORTS, "the gateway's own")
        labels = {"status-port": "the gateway's own", "tls": "the gateway's own"}
        for index, port in enumerate(gateway.ports):
            here = f"{where}.ports.{index}"
            if not is_dns_label(port.name):
                yield Problem(
                    where=here,
                    what=f"{port.name!r} cannot be a port's name",
                    why="Kubernetes would refuse the Service, with half of the mesh made",
                    fix="use lower-case letters, digits and inner hyphens, such as tls-more",
                    slug="gateway-ports",
                )
            for value, taken in ((port.port, numbers.get(port.port)), (port.name, labels.get(port.name))):
                if taken:
                    yield Problem(
                        where=here,
                        what=f"{value!r} is {taken}",
                        why="a Service's ports have distinct names and numbers",
                        fix="choose another name and number, or remove the port",
                        slug="gateway-ports",
                    )
            numbers.setdefault(port.port, f"taken by {where}.ports.{index}")
            labels.setdefault(port.name, f"taken by {where}.ports.{index}")


def _gateways(topology: Topology) -> Iterator[tuple[str, EastWestGateway]]:
    for name, cluster in topology.clusters.items():
        yield f"clusters.{name}.east_west_gateway", cluster.east_west_gateway


def _finding(address: str) -> str | None:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "is not an IP address"
    if ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_multicast:
        return "is no address that another network can dial"
    return None


RULES = (no_load_balancer_ends_tls, given_addresses_can_be_reached, extra_ports_are_free)
