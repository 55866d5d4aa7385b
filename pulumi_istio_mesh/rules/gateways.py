"""Rules about what other clusters dial: traffic must arrive as the caller sent it, SNI and certificate untouched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..istio import names
from ..topology.declared import Late
from ..topology.dialled import DialledService, EastWestGateway, FederationGateway
from ..topology.models import Topology
from ..topology.names import is_dns_label, is_ip_address, is_out_of_reach
from ..topology.problems import Problem

_ANY: frozenset[str] = frozenset()

_GATEWAYS = (EastWestGateway, FederationGateway)

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
    for where, service in _dialled(topology):
        for key, value in service.annotations.items():
            ending = ENDS_TLS.get(key)
            if ending is None:
                continue
            if ending and (isinstance(value, Late) or value.lower() not in ending):
                continue
            yield Problem(
                where=f"{where}.annotations.{key}",
                what="the annotation makes the load balancer end TLS" if not ending else f"{value!r} is not plain TCP",
                why="SNI and certificate are those of the caller's own TLS; a load balancer that ends TLS removes both",
                fix=f"remove {key}; "
                f"port {names.MTLS_PORT if isinstance(service, _GATEWAYS) else names.XDS_PORT} "
                "must pass through as TCP",
                slug="gateway-tls-termination",
            )


def given_addresses_can_be_reached(topology: Topology) -> Iterator[Problem]:
    """Refuse a given address that is a name, or that no other cluster could dial, and a gateway without any."""
    for where, service in _dialled(topology):
        slug = "gateway-address" if isinstance(service, _GATEWAYS) else "istiod-address"
        if isinstance(service, EastWestGateway) and service.type == "ClusterIP" and service.address is None:
            yield Problem(
                where=f"{where}.address",
                what="no address is given, and a ClusterIP Service has none outside its cluster",
                why="istiods of other networks would find no gateway, and send raw pod addresses instead",
                fix=f"set {where}.address to the IP address other networks dial, or {where}.type: LoadBalancer",
                slug=slug,
            )
        if service.address is None or isinstance(service.address, Late):
            continue
        finding = _finding(service.address)
        if finding:
            yield Problem(
                where=f"{where}.address",
                what=f"{service.address} {finding}",
                why="it becomes an external IP of the Service, where those that dial it read it"
                if slug == "gateway-address"
                else "it becomes an external IP of the Service, and the endpoint of Service istiod in remote clusters",
                fix=f"set {where}.address to the IP address other clusters dial; "
                "a load balancer's host name needs no address here, Istio reads it from the Service"
                if slug == "gateway-address"
                else f"set {where}.address to the IP address other clusters dial",
                slug=slug,
            )


def remotes_can_reach_istiod(topology: Topology) -> Iterator[Problem]:
    """Refuse a primary whose remotes would have no address of its istiod."""
    for name, cluster in topology.clusters.items():
        if not topology.remotes_of(name):
            continue
        gateway = topology.has_gateway(name)
        service = cluster.east_west_gateway if gateway else cluster.istiod_service
        where = f"clusters.{name}.{'east_west_gateway' if gateway else 'istiod_service'}"
        # A gateway of type ClusterIP is refused already, with or without remotes.
        if service.address is None and service.type in (("NodePort",) if gateway else ("NodePort", "ClusterIP")):
            yield Problem(
                where=f"{where}.address",
                what=f"no address is given, and {', '.join(topology.remotes_of(name))} must reach istiod at one",
                why=f"the status of a {service.type} Service has no address to read",
                fix=f"set {where}.address to the IP address other clusters dial, or {where}.type: LoadBalancer",
                slug="istiod-address",
            )


def extra_ports_are_free(topology: Topology) -> Iterator[Problem]:
    """Refuse extra ports that repeat a name or a number, the gateway's own included, and names that are no labels."""
    for where, gateway in _gateways(topology):
        own = {**names.GATEWAY_PORTS, **names.ISTIOD_PORTS}
        numbers, labels = dict.fromkeys(own.values(), "the mesh's own"), dict.fromkeys(own, "the mesh's own")
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


def _dialled(topology: Topology) -> Iterator[tuple[str, DialledService]]:
    yield from _gateways(topology)
    for name, cluster in topology.clusters.items():
        yield f"clusters.{name}.istiod_service", cluster.istiod_service
        yield f"clusters.{name}.federation_gateway", cluster.federation_gateway


def _finding(address: str) -> str | None:
    if not is_ip_address(address):
        return "is not an IP address"
    return "is no address that another network can dial" if is_out_of_reach(address) else None


RULES = (
    no_load_balancer_ends_tls,
    given_addresses_can_be_reached,
    remotes_can_reach_istiod,
    extra_ports_are_free,
)
