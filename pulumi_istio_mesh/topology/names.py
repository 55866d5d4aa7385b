"""The names Kubernetes and Istio accept."""

from __future__ import annotations

import ipaddress
import re

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label: what Kubernetes accepts as a label value, a namespace and most names."""

DEFAULT_REVISION = "default"
"""What Istio calls the istiod without a revision, and the tag of what names none.
Source: istio/istio istiod chart, templates/revision-tags-mwc.yaml; pkg/revisions/default_watcher.go."""


def is_dns_label(name: str) -> bool:
    """Return whether the name is a DNS label of at most 63 characters."""
    return DNS_LABEL.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """Return whether Kubernetes takes it as the name of most objects: a DNS subdomain, such as `registry.v2`."""
    return len(name) <= 253 and all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", part) for part in name.split("."))


def is_label_key(key: str) -> bool:
    """Return whether Kubernetes takes it as the key of a label or an annotation."""
    domain, slash, name = key.rpartition("/")
    return _QUALIFIED.fullmatch(name) is not None and (not slash or is_object_name(domain))


def is_label_value(value: str) -> bool:
    """Return whether Kubernetes takes it as the value of a label."""
    return value == "" or _QUALIFIED.fullmatch(value) is not None


_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def is_image_repository(text: str) -> bool:
    """Return whether images can lie under it: a registry, perhaps with a port, and a path in lower case.

    Source: distribution/reference, the grammar of what container runtimes pull.
    """
    return _REPOSITORY.fullmatch(text) is not None


_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:\d{{1,5}})?(/{_PATH})*")


def is_mesh_id(name: str) -> bool:
    """Return whether the name is a DNS label of at most 40 characters: a root's common name ends at 64."""
    return is_dns_label(name) and len(name) <= 40


def default_trust_domain(mesh_id: str) -> str:
    """Return the trust domain of a mesh that names none (docs/adr/0004)."""
    return f"{mesh_id}.internal"


def is_host_name(name: str) -> bool:
    """Return whether the name is a lower-case host name of at most 253 characters, and not an IP address."""
    return len(name) <= 253 and not is_ip_address(name) and all(is_dns_label(part) for part in name.split("."))


def is_service_name(text: str) -> bool:
    """Return whether the text is `<service>.<namespace>`."""
    name, _, namespace = text.partition(".")
    return is_dns_label(name) and is_dns_label(namespace)


def is_account(name: str) -> bool:
    """Return whether the name can be a service account's."""
    return is_host_name(name)


def is_caller(text: str) -> bool:
    """Return whether the text says who of a mesh may call: `<namespace>/<service account>`, `<namespace>/*` or `*`."""
    namespace, slash, account = text.partition("/")
    return text == "*" or (slash == "/" and is_dns_label(namespace) and (account == "*" or is_account(account)))


def is_ip_address(text: str) -> bool:
    """Return whether the text is an IPv4 or IPv6 address, without a zone: those mean something on one machine only."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # After a % the library takes anything, a line break too.
    return "%" not in text


def is_dialled_name(name: str) -> bool:
    """Return whether another network may know the machine by this host name: it has a domain, that of no one cluster.

    A last part that is a number makes an IPv4 address of it for whoever dials it (WHATWG URL, 3.5: `127.1`, `0x7f.1`).
    """
    last = name.rpartition(".")[2]
    number = last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return is_host_name(name) and "." in name and not number and last not in ("local", "localhost", "svc")


def is_out_of_reach(address: str) -> bool:
    """Return whether no other network can dial this IP address, nor one inside of it; False for host names."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(
        one.is_loopback or one.is_unspecified or one.is_link_local or one.is_multicast or one == _BROADCAST
        for one in (ip, *_within(ip))
    )


_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _within(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for: as mapped, by NAT64, 6to4 and Teredo."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    # The first 96 bits of the oldest form, IPv4-compatible, are zero; ::1 is none.
    plain = last if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 0xFFFF) else None
    return [found for found in (ip.ipv4_mapped, ip.sixtofour, plain, *(ip.teredo or ())) if found is not None]
