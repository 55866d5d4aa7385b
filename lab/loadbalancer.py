"""Stands in for a cloud's load balancer: an address of its own for every Service of type LoadBalancer.

The annotation `lab.istio-mesh/load-balancer` makes it act like other clouds: `hostname` gives the name of
an address instead of the address, as AWS does; `pending` gives nothing, as a cloud that is out of quota.
"""

import ipaddress
import subprocess
import threading
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

from lab import addresses
from lab.kubernetes_api import ApiError, KubernetesApi, Mirror, Object, key_of

ANNOTATION = "lab.istio-mesh/load-balancer"
HOSTNAME_ZONE = "lb.lab"
_TABLE = "lab-load-balancer"


def hostname_of(address: IPv4Address) -> str:
    """A name that says its address, so that every cluster's DNS can answer without asking another."""
    return f"{str(address).replace('.', '-')}.{HOSTNAME_ZONE}"


def address_of(hostname: str) -> IPv4Address | None:
    """The address in a name of `hostname_of`, or None for any other name."""
    label = hostname.removesuffix("." + HOSTNAME_ZONE)
    if label == hostname:
        return None
    try:
        address = IPv4Address(label.replace("-", "."))
    except ipaddress.AddressValueError:
        return None
    return address if address in addresses.WIDE_AREA else None


class Pool:
    """Which Service has which address of a cluster's pool."""

    def __init__(self, number: int) -> None:
        self._free = list(addresses.load_balancer_pool(number))
        self._given: dict[tuple[str, str], IPv4Address] = {}

    def keep(self, service: tuple[str, str], address: IPv4Address) -> None:
        """Takes over an address that a Service was given by an earlier run."""
        if address in self._free:
            self._free.remove(address)
            self._given[service] = address

    def give(self, service: tuple[str, str]) -> IPv4Address:
        """The Service's address: the one it has, else the first free one."""
        if service not in self._given:
            self._given[service] = self._free.pop(0)
        return self._given[service]

    def release_all_but(self, services: Iterable[tuple[str, str]]) -> list[IPv4Address]:
        """Takes back the addresses of every other Service; they are given again in the pool's order."""
        released = [self._given.pop(gone) for gone in set(self._given) - set(services)]
        self._free = sorted([*self._free, *released], key=lambda a: (a not in _FIRST, a))
        return released


_FIRST = ipaddress.IPv4Network("172.31.0.0/24")


class LoadBalancer:
    """Brings Services, addresses of the network card and redirections in line, once per `reconcile`."""

    def __init__(self, api: KubernetesApi, number: int, services: Mirror, slices: Mirror) -> None:
        self._api = api
        self._services = services
        self._slices = slices
        self._pool = Pool(number)
        self._rules = ""
        self._seeded = False
        self._lock = threading.Lock()

    def reconcile(self) -> None:
        """Compares what is with what should be, and changes the difference; safe to repeat."""
        if not (self._services.filled.is_set() and self._slices.filled.is_set()):
            return
        with self._lock:
            wanted = {key_of(s): s for s in self._services.objects if _wants_address(s)}
            if not self._seeded:
                self._take_over(wanted)
            for address in self._pool.release_all_but(wanted):
                _ip("del", address, may_fail=True)
            for key, service in sorted(wanted.items()):
                self._serve(key, service)
            self._redirect({k: s for k, s in wanted.items() if _kind(s) == "hostname"})

    def _take_over(self, wanted: dict[tuple[str, str], Object]) -> None:
        for key, service in wanted.items():
            for ingress in _ingress(service):
                address = IPv4Address(ingress["ip"]) if "ip" in ingress else address_of(ingress["hostname"])
                if address:
                    self._pool.keep(key, address)
        self._seeded = True

    def _serve(self, key: tuple[str, str], service: Object) -> None:
        address = self._pool.give(key)
        ingress = {"hostname": hostname_of(address)} if _kind(service) == "hostname" else {"ip": str(address)}
        if [{k: v for k, v in i.items() if k in ("ip", "hostname")} for i in _ingress(service)] == [ingress]:
            return
        _ip("replace", address)
        path = f"/api/v1/namespaces/{key[0]}/services/{key[1]}/status"
        try:
            self._api.patch(path, {"status": {"loadBalancer": {"ingress": [ingress]}}})
        except ApiError as error:
            # Deleted in between, most often; if not, its next event brings us back here.
            print(f"{key[0]}/{key[1]}: {error}", flush=True)

    def _redirect(self, by_hostname: dict[tuple[str, str], Object]) -> None:
        """kube-proxy answers for addresses in a Service's status, but not for names: these are ours to send on."""
        rules = [rule for key, service in sorted(by_hostname.items()) for rule in self._rules_for(key, service)]
        addresses_served = ", ".join(str(self._pool.give(key)) for key in sorted(by_hostname))
        text = _table(rules, addresses_served) if rules else _table([], "")
        if text != self._rules and (rules or self._rules):
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
            self._rules = text

    def _rules_for(self, key: tuple[str, str], service: Object) -> list[str]:
        address, rules = self._pool.give(key), []
        for port in service["spec"]["ports"]:
            targets = sorted(set(self._targets(key, port.get("name", ""))))
            if targets and port.get("protocol", "TCP") == "TCP":
                choice = ", ".join(f"{i} : {ip} . {number}" for i, (ip, number) in enumerate(targets))
                rules.append(
                    f"ip daddr {address} tcp dport {port['port']} "
                    f"dnat to numgen random mod {len(targets)} map {{ {choice} }}"
                )
        return rules

    def _targets(self, service: tuple[str, str], port_name: str) -> list[tuple[str, int]]:
        return [
            (address, port["port"])
            for endpoints in slices_of(self._slices.objects, service)
            for port in endpoints.get("ports") or []
            if (port.get("name") or "") == port_name
            for address in ready_addresses(endpoints)
        ]


def slices_of(slices: Iterable[Object], service: tuple[str, str]) -> list[Object]:
    """The EndpointSlices that belong to a Service."""
    return [
        s
        for s in slices
        if s["metadata"]["namespace"] == service[0]
        and s["metadata"].get("labels", {}).get("kubernetes.io/service-name") == service[1]
    ]


def ready_addresses(endpoints: Object) -> list[str]:
    """The IPv4 addresses in a slice that take traffic; an unknown state counts as ready, as the API says."""
    if endpoints.get("addressType") != "IPv4":
        return []
    return [
        address
        for endpoint in endpoints.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready") is not False
        for address in endpoint["addresses"]
    ]


def _table(rules: Sequence[str], addresses_served: str) -> str:
    # Just before kube-proxy's chains, which stand at -100. Sources are translated as kube-proxy does it for
    # addresses, so that a Pod reaches itself this way too.
    chains = [
        "chain arriving { type nat hook prerouting priority -101; policy accept;",
        *rules,
        "}",
        "chain local { type nat hook output priority -101; policy accept;",
        *rules,
        "}",
        "chain leaving { type nat hook postrouting priority srcnat - 1; policy accept;",
        f"ct status dnat ct original ip daddr {{ {addresses_served} }} masquerade",
        "}",
    ]
    # Naming the table first makes the deletion succeed when there is none yet; all of it is one transaction.
    replace = [f"table ip {_TABLE}", f"delete table ip {_TABLE}"]
    return "\n".join([*replace, *([f"table ip {_TABLE} {{", *chains, "}"] if rules else [])]) + "\n"


def _wants_address(service: Object) -> bool:
    return service["spec"].get("type") == "LoadBalancer" and _kind(service) != "pending"


def _kind(service: Object) -> str:
    kind: str = service["metadata"].get("annotations", {}).get(ANNOTATION, "ip")
    return kind


def _ingress(service: Object) -> list[dict[str, str]]:
    found: list[dict[str, str]] = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return found


def _ip(verb: str, address: IPv4Address, *, may_fail: bool = False) -> None:
    subprocess.run(["ip", "address", verb, f"{address}/32", "dev", "eth0"], check=not may_fail)
