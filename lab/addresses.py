"""The address plan: one arithmetic rule per kind of address, without collisions up to 50 clusters."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

MAX_CLUSTERS = 50
WIDE_AREA = IPv4Network("172.31.0.0/16")
"""What stands in for the internet between the clusters: nodes and load balancers."""
HOST = IPv4Address("172.31.0.254")
"""This machine's own address there."""
API_SERVER_PORT = 6443
NODE_PREFIX = 24


def node(number: int) -> IPv4Address:
    """The address of cluster `number`'s node, from which its Pods are seen outside."""
    return WIDE_AREA[number]


def load_balancer_pool(number: int) -> Iterator[IPv4Address]:
    """The addresses cluster `number` may give to LoadBalancer Services, in the order it gives them."""
    yield WIDE_AREA[100 + number]
    yield from list(IPv4Network(f"172.31.{number}.0/24").hosts())


def pod_range(number: int) -> IPv4Network:
    """The range of Pods, unless the shape names another."""
    return IPv4Network(f"10.{10 + number}.0.0/16")


def service_range(number: int) -> IPv4Network:
    """The range of Services."""
    return IPv4Network(f"10.{95 + number}.0.0/16")


def kubernetes_service(number: int) -> IPv4Address:
    """The Service `kubernetes`, which is always the first address."""
    return service_range(number)[1]


def dns_service(number: int) -> IPv4Address:
    """The Service `kube-dns`, by custom the tenth address."""
    return service_range(number)[10]


def api_server(number: int) -> str:
    """The address that works from this machine and from pods of every cluster."""
    return f"https://{node(number)}:{API_SERVER_PORT}"


def reserved_ranges(clusters: int) -> list[tuple[str, IPv4Network]]:
    """Ranges no pod may have, each with what it is for."""
    services = [(f"the Service range of c{n}", service_range(n)) for n in range(1, clusters + 1)]
    return [("where nodes and load balancers are", WIDE_AREA), *services]
