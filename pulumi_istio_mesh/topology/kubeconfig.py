"""What a kubeconfig says of its cluster; and which API server addresses other clusters can use."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .limits import UnreadableText
from .problems import Problem
from .yaml_text import read_yaml


class KubeconfigError(ValueError):
    """The text is not a usable kubeconfig; the message says why and never quotes it."""


def server_of(kubeconfig: str) -> str:
    """Return the API server's URL of the current context.

    Raises `KubeconfigError` when the text is no kubeconfig, or names no context, cluster or server.
    """
    return str(_current_cluster(kubeconfig)["server"])


def certificate_authority_of(kubeconfig: str) -> str | None:
    """Return the base64 bundle that verifies the API server, or None where the kubeconfig embeds none."""
    found = _current_cluster(kubeconfig).get("certificate-authority-data")
    return None if found is None else str(found)


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
        what=f"{_without_credentials(server)}{origin} {finding}",
        why="the istiods of the other clusters watch this cluster through this address",
        fix=f"set {where} to the https:// URL of the API server as pods of the other clusters reach it",
        slug="api-server",
    )


def _without_credentials(server: str) -> str:
    """Return the address as it may be printed: a user's name and password stand before an @, tokens in a query."""
    return "the given URL" if holds_credential(server) else server


def holds_credential(server: str) -> bool:
    """Return whether the address may hold a name and password, or a token."""
    return "@" in server or "?" in server


def _address_finding(server: str) -> str | None:
    """Return what is wrong with the address, or None."""
    try:
        url = urlsplit(server)
        host = url.hostname
        _ = url.port
    except ValueError:
        return "is not a URL"
    if url.scheme != "https":
        return "does not start with https://"
    if not host:
        return "names no host"
    if url.username or url.query or url.fragment:
        return "holds more than a host, a port and a path"
    if host == "localhost" or host.endswith(".localhost"):
        return "is the loopback address of each machine that dials it"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.is_loopback:
        return "is the loopback address of each machine that dials it"
    if address.is_unspecified:
        return "is no address to dial"
    if address.is_link_local or address.is_multicast:
        return "is not routed between machines"
    return None


def _current_cluster(kubeconfig: str) -> dict[str, Any]:
    try:
        tree = read_yaml(kubeconfig)
    except UnreadableText as error:
        raise KubeconfigError(str(error)) from None
    if isinstance(tree, str):
        raise KubeconfigError("it is a path or a sentence, not the contents of a kubeconfig")
    if not isinstance(tree, dict):
        raise KubeconfigError("it is not a mapping")
    current = tree.get("current-context")
    if not current:
        raise KubeconfigError("it has no current-context")
    context = _part(_named(tree, "contexts", str(current)), "context")
    cluster = _part(_named(tree, "clusters", str(context.get("cluster"))), "cluster")
    if not cluster.get("server"):
        raise KubeconfigError("its current cluster has no server")
    return dict(cluster)


def _part(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    found = entry.get(kind)
    return found if isinstance(found, dict) else {}


def _named(tree: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    entries = tree.get(kind)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise KubeconfigError(f"it has no entry of that name in {kind} for its current context")
