"""The names Kubernetes and Istio accept."""

from __future__ import annotations

import ipaddress
import re

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label: what Kubernetes accepts as a label value, a namespace and most names."""


def is_dns_label(name: str) -> bool:
    """Return whether the name is a DNS label of at most 63 characters."""
    return DNS_LABEL.fullmatch(name) is not None


def is_mesh_id(name: str) -> bool:
    """Return whether the name is a DNS label of at most 40 characters: a root's common name ends at 64."""
    return is_dns_label(name) and len(name) <= 40


def default_trust_domain(mesh_id: str) -> str:
    """Return the trust domain of a mesh that names none (docs/adr/0004)."""
    return f"{mesh_id}.internal"


def is_host_name(name: str) -> bool:
    """Return whether the name is a lower-case host name of at most 253 characters, and not an IP address."""
    return len(name) <= 253 and not is_ip_address(name) and all(is_dns_label(part) for part in name.split("."))


def is_ip_address(text: str) -> bool:
    """Return whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_out_of_reach(address: str) -> bool:
    """Return whether no other network can dial this IP address; False for host names."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_multicast
