"""A cluster's DNS: Services, headless Services' Pods, Pods by address, and load balancers' names.

It knows nothing of the world outside and asks nobody: any other name doesn't exist.
"""

import socket
import struct
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from lab.kubernetes_api import Mirror, Object, key_of
from lab.loadbalancer import address_of, ready_addresses, slices_of

_DOMAIN = ".cluster.local"
_TTL_SECONDS = 5
_TYPE_A = 1
_ANSWERS_AT_MOST = 25
"""More would not fit into the 512 bytes that every resolver takes."""
_AUTHORITATIVE, _NO_SUCH_NAME = 0x8580, 0x8583

Lookup = Callable[[str], list[IPv4Address] | None]
"""The addresses of a name: an empty list for a name that has none, None for a name that doesn't exist."""


class Names:
    """Answers from what the API server says, looked up afresh for every question."""

    def __init__(self, services: Mirror, slices: Mirror) -> None:
        self._services = services
        self._slices = slices

    def lookup(self, name: str) -> list[IPv4Address] | None:
        """The addresses of a name; see `Lookup`."""
        balancer = address_of(name)
        if balancer:
            return [balancer]
        labels = name.removesuffix(_DOMAIN).split(".")
        if not name.endswith(_DOMAIN) or len(labels) < 3:
            return None
        *host, service, namespace, kind = labels
        if kind == "pod" and not host:
            return _pod_address(service)
        return self._service((namespace, service), host) if kind == "svc" else None

    def _service(self, key: tuple[str, str], host: list[str]) -> list[IPv4Address] | None:
        service = next((s for s in self._services.objects if key_of(s) == key), None)
        if service is None:
            return None
        address = service["spec"].get("clusterIP")
        if address not in (None, "", "None"):
            return None if host else [IPv4Address(address)]
        slices = slices_of(self._slices.objects, key)
        if host:
            return _host_addresses(slices, ".".join(host)) or None
        return sorted({IPv4Address(a) for endpoints in slices for a in ready_addresses(endpoints)})


def _pod_address(label: str) -> list[IPv4Address] | None:
    try:
        return [IPv4Address(label.replace("-", "."))]
    except AddressValueError:
        return None


def _host_addresses(slices: list[Object], host: str) -> list[IPv4Address]:
    return [
        IPv4Address(address)
        for endpoints in slices
        for endpoint in endpoints.get("endpoints") or []
        if endpoint.get("hostname") == host
        for address in endpoint["addresses"]
    ]


def serve(address: IPv4Address, lookup: Lookup) -> None:
    """Answers questions on UDP for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((str(address), 53))
        while True:
            question, client = server.recvfrom(4096)
            try:
                server.sendto(answer(question, lookup), client)
            except (OSError, IndexError, struct.error, UnicodeDecodeError) as error:
                print(f"question of {client[0]}: {error}", flush=True)


def answer(message: bytes, lookup: Lookup) -> bytes:
    """The response to a DNS message with one question; raises IndexError or struct.error for a broken one."""
    labels, position = [], 12
    while length := message[position]:
        labels.append(message[position + 1 : position + 1 + length].decode())
        position += 1 + length
    question = message[12 : position + 5]
    (kind,) = struct.unpack_from(">H", message, position + 1)
    found = lookup(".".join(labels).lower())
    # An existing name asked for another type gets an empty answer: "no such name" would be cached for A too.
    records = (found or [])[:_ANSWERS_AT_MOST] if kind == _TYPE_A else []
    flags = _AUTHORITATIVE if found is not None else _NO_SUCH_NAME
    header = message[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0)
    to_the_question = b"\xc0\x0c"
    fixed = struct.pack(">HHIH", _TYPE_A, 1, _TTL_SECONDS, 4)
    return header + question + b"".join(to_the_question + fixed + record.packed for record in records)
