"""What a kubeconfig says of its cluster; and which API server addresses other clusters can use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .credentials import credential_in
from .limits import UnreadableText
from .names import is_ip_address
from .problems import Problem
from .yaml_text import read_yaml


class KubeconfigError(ValueError):
    """The text is not a usable kubeconfig; the message says why and never quotes it."""


def server_of(kubeconfig: str) -> str:
    """Return the API server's URL of the current context.

    Raises `KubeconfigError` when the text is no kubeconfig, or names no context, cluster or server.
    """
    return str(_current_cluster(kubeconfig)["server"])


def kubeconfig_problems(where: str, kubeconfig: str) -> Iterator[Problem]:
    """Refuse a kubeconfig that is empty or from which no API server can be read."""
    if not kubeconfig.strip():
        yield Problem(
            where=where,
            what="the kubeconfig is empty",
            why="without one the Kubernetes provider would use whatever cluster the shell's KUBECONFIG names",
            fix=f"set {where} to the contents of a kubeconfig for this cluster",
            slug="kubeconfig-missing",
        )
        return
    try:
        server_of(kubeconfig)
    except KubeconfigError as error:
        yield Problem(
            where=where,
            what=f"the kubeconfig cannot be used: {error}",
            why="the cluster's API server and its address for the other clusters are read from it",
            fix="give the output of: kubectl config view --raw --minify --flatten --context <context>",
            slug="kubeconfig-invalid",
        )


def api_server_problems(where: str, server: str, *, from_kubeconfig: bool = False) -> Iterator[Problem]:
    """Refuse an API server address that istiod in another cluster can't dial."""
    finding = _address_finding(server)
    if finding is None:
        return
    origin = " (from its kubeconfig)" if from_kubeconfig else ""
    yield Problem(
        where=where,
        what=f"{server if may_be_shown(server) else 'the given URL'}{origin} {finding}",
        why="the istiods of the other clusters watch this cluster through this address",
        fix=f"set {where} to the https:// URL of the API server as pods of the other clusters reach it",
        slug="api-server",
    )


def tls_name_problems(where: str, name: str) -> Iterator[Problem]:
    """Refuse a name that no certificate has."""
    if is_ip_address(name) or _NAME.fullmatch(name):
        return
    yield Problem(
        where=where,
        what="it is no host name and no IP address",
        why="whoever dials the API server asks for this name in its certificate",
        fix=f"set {where} to one of the names that the certificate has, such as api.east.example",
        slug="api-server",
    )


def may_be_shown(server: str) -> bool:
    """Return whether an address is of plain characters, and without a place for a user, a query or a token."""
    return _SHOWN.fullmatch(server) is not None and not credential_in("api_server", server)


_NAME = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?)*\.?")
_SEGMENT = r"(?!\.{1,2}(/|$))[A-Za-z0-9._~:+-]+"
_IPV6 = r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]"
_ADDRESS = re.compile(
    rf"https://({_IPV6}|{_NAME.pattern})(:0*[1-9][0-9]{{0,4}})?(/{_SEGMENT})*/?", re.ASCII | re.IGNORECASE
)
"""What an address may be, as it was typed: `urlsplit` drops line breaks and tabs before it judges. The pieces are put
together with `|` by what dials them (gates/expectations.py)."""
_SHOWN = re.compile(r"[A-Za-z0-9._~:/+\[\]-]{1,300}")
_ITS_OWN = {f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local")}


def _address_finding(server: str) -> str | None:
    """Return what is wrong with the address, or None."""
    if not server.lower().startswith("https://"):
        return "does not start with https://"
    if any(sign in server for sign in "@?#"):
        return "holds more than a host, a port and a path"
    try:
        url = urlsplit(server)
        host = (url.hostname or "").rstrip(".")
        _ = url.port
    except ValueError:
        return "is not a URL"
    if not host:
        return "names no host"
    if not _ADDRESS.fullmatch(server):
        return "is not the URL of a host, a port and a path, in letters, digits and -._~:+ of ASCII"
    if credential := credential_in("api_server", server):
        return f"holds {credential}"
    return _host_finding(host)


def _host_finding(host: str) -> str | None:
    if host == "localhost" or host.endswith(".localhost"):
        return "is the loopback address of each machine that dials it"
    if host in _ITS_OWN:
        return "is the API server of whatever cluster dials it"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # What ends in a number is an IPv4 address to most resolvers, in another notation.
        return "is no IP address" if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) else None
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return "is the loopback address of each machine that dials it"
    if address.is_unspecified:
        return "is no address to dial"
    if address.is_link_local or address.is_multicast:
        return "is not routed between machines"
    return None


_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def _current_cluster(kubeconfig: str) -> dict[str, Any]:
    try:
        tree = read_yaml(kubeconfig)
    except UnreadableText as error:
        raise KubeconfigError(str(error)) from None
    return entries_in(tree)[0]


def entries_in(tree: Any, context: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a kubeconfig says of the cluster and of the user of a context, the current one when left out.

    Nobody where it names no user. Raises `KubeconfigError`.
    """
    if isinstance(tree, str):
        raise KubeconfigError("it is a path or a sentence, not the contents of a kubeconfig")
    if not isinstance(tree, dict):
        raise KubeconfigError("it is not a mapping")
    chosen = context or tree.get("current-context")
    if not chosen:
        raise KubeconfigError("it has no current-context")
    found = _part(_named(tree, "contexts", str(chosen)), "context")
    cluster = _part(_named(tree, "clusters", str(found.get("cluster"))), "cluster")
    if not cluster.get("server"):
        raise KubeconfigError("its current cluster has no server")
    user = _part(_named(tree, "users", str(found["user"])), "user") if found.get("user") else {}
    return dict(cluster), dict(user)


def _part(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    found = entry.get(kind)
    return found if isinstance(found, dict) else {}


def _named(tree: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    entries = tree.get(kind)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise KubeconfigError(f"it has no entry of that name in {kind} for its current context")
