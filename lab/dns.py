"""A cluster's DNS: Services of every type, headless Services' Pods, Pods by address, and load balancers' names.

It knows nothing of the world outside and asks nobody: any other name doesn't exist.
"""

import socket
import struct
from collections.abc import Callable, Sequence
from ipaddress import AddressValueError, IPv4Address

from lab.kubernetes_api import Mirror, Object, key_of
from lab.loadbalancer import address_of, ready_addresses, slices_of

_DOMAIN = ".cluster.local"
_TTL_SECONDS = 5
_TYPE_A, _TYPE_CNAME = 1, 5
_ANSWERS_AT_MOST = 25
"""More would not fit into the 512 bytes that every resolver takes."""
_TO_THE_QUESTION = b"\xc0\x0c"
"""Instead of a name: the one that was asked for."""
_AUTHORITATIVE, _NO_SUCH_NAME = 0x8580, 0x8583

_ALIASES_AT_MOST = 8
"""Two Services that name each other would be followed for ever."""

Meaning = IPv4Address | str
"""An address, or the name that a name is an alias of: what follows in a list is that one's."""
Lookup = Callable[[str], Sequence[Meaning] | None]
"""What a name means: an empty list for a name that has no address, None for a name that doesn't exist."""


class Names:
    """Answers from what the API server says, looked up afresh for every question."""

    def __init__(self, services: Mirror, slices: Mirror) -> None:
        self._services = services
        self._slices = slices

    def lookup(self, name: str, aliases: int = 0) -> Sequence[Meaning] | None:
        """What a name means that was reached over so many aliases; see `Lookup`."""
        balancer = address_of(name)
        if balancer:
            return [balancer]
        labels = name.removesuffix(_DOMAIN).split(".")
        if not name.endswith(_DOMAIN) or len(labels) < 3:
            return None
        *host, service, namespace, kind = labels
        if kind == "pod" and not host:
            return _pod_address(service)
        return self._service((namespace, service), host, aliases) if kind == "svc" else None

    def _service(self, key: tuple[str, str], host: list[str], aliases: int) -> Sequence[Meaning] | None:
        service = next((s for s in self._services.objects if key_of(s) == key), None)
        if service is None:
            return None
        if service["spec"].get("type") == "ExternalName":
            return None if host else self._alias(service["spec"]["externalName"].rstrip("."), aliases + 1)
        address = service["spec"].get("clusterIP")
        if address not in (None, "", "None"):
            return None if host else [IPv4Address(address)]
        slices = slices_of(self._slices.objects, key)
        if host:
            return _host_addresses(slices, ".".join(host)) or None
        return sorted({IPv4Address(a) for endpoints in slices for a in ready_addresses(endpoints)})

    def _alias(self, name: str, aliases: int) -> list[Meaning]:
        """An alias, with the addresses of the name where it is one of the cluster's."""
        return [name, *((self.lookup(name.lower(), aliases) if aliases < _ALIASES_AT_MOST else None) or [])]


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
    # An existing name asked for another type gets an empty answer: "no such name" would be cached for A too. Its
    # aliases are told whatever the type is.
    meant = [meaning for meaning in found or [] if kind == _TYPE_A or isinstance(meaning, str)]
    records = _records(meant[:_ANSWERS_AT_MOST])
    flags = _AUTHORITATIVE if found is not None else _NO_SUCH_NAME
    header = message[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0)
    return header + question + b"".join(records)


def _records(meant: Sequence[Meaning]) -> list[bytes]:
    owner, records = _TO_THE_QUESTION, []
    for meaning in meant:
        kind, data = (_TYPE_CNAME, _encoded(meaning)) if isinstance(meaning, str) else (_TYPE_A, meaning.packed)
        records.append(owner + struct.pack(">HHIH", kind, 1, _TTL_SECONDS, len(data)) + data)
        owner = data if isinstance(meaning, str) else owner
    return records


def _encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
