"""The words that tests are written in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology
from pulumi_istio_mesh.topology.problems import Problem, TopologyError

TODAY = dt.date(2026, 11, 23)
"""The day on which every test is run, whatever the machine's clock says."""

TOKEN = "not-a-real-token"
"""The credential in every kubeconfig here; it may appear in no message and no repr."""


CA = (
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBrzCCAVWgAwIBAgIUCkyXDUu9I7mUqob+UxoSHtvLOrwwCgYIKoZIzj0EAwIw\n"
    "JTENMAsGA1UECgwEcHJvZDEUMBIGA1UEAwwLcHJvZCByb290IDEwHhcNMjYxMTIz\n"
    "MDAwMDAwWhcNMjYxMjIzMDAwMDAwWjAlMQ0wCwYDVQQKDARwcm9kMRQwEgYDVQQD\n"
    "DAtwcm9kIHJvb3QgMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDkEb4NP3w+E\n"
    "uIeROjV33gu02zxvGD0USsGMC6mWQO/EnT6hna0f30jFOUFMfqe6Uv84mDLujhjb\n"
    "2VQHBnr+v0ejYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0G\n"
    "A1UdDgQWBBRK/j4dtqAM02nmKlHDy/GjixHxCjAfBgNVHR4BAf8EFTAToBEwD4YN\n"
    "cHJvZC5pbnRlcm5hbDAKBggqhkjOPQQDAgNIADBFAiAGVOeBkHrphQPM2YEeUAOS\n"
    "b50GU47sl9O055NMxoWBAgIhAJ2gZX0Zll1upAkrcXfXFIc95FdY2ZAt4bwLfDA2\n"
    "LN1i\n"
    "-----END CERTIFICATE-----\n"
)
"""A certificate, as it verifies an API server. Its key is nowhere."""


def a_kubeconfig(server: str = "https://192.0.2.1:6443") -> str:
    """A kubeconfig of the usual shape, with a token."""
    return (
        "apiVersion: v1\n"
        "kind: Config\n"
        "current-context: here\n"
        "contexts: [{name: here, context: {cluster: there, user: me}}]\n"
        f'clusters: [{{name: there, cluster: {{server: "{server}"}}}}]\n'
        f"users: [{{name: me, user: {{token: {TOKEN}}}}}]\n"
    )


def mesh_tree(**changes: Any) -> dict[str, Any]:
    """A mesh of two clusters on two networks, as a user would type it, with facts changed; `...` leaves one out."""
    tree: dict[str, Any] = {
        "mesh_id": "prod",
        "istio_version": "1.31.1",
        "trust": {"roots": [{"issued": "2026-11-23"}]},
        "clusters": {"east": {}, "west": {}},
    }
    return {key: value for key, value in {**tree, **changes}.items() if value is not ...}


def a_mesh(**clusters: dict[str, Any]) -> Topology:
    """A valid mesh of these clusters."""
    return parse_topology(mesh_tree(clusters=clusters))


def problems_of(tree: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with a tree, of shape and of rules."""
    try:
        return problems_in(parse_topology(tree), TODAY)
    except TopologyError as error:
        return list(error.problems)


def program_args(**changes: Any) -> Any:
    """The same mesh as a program's arguments: each cluster has its kubeconfig."""
    return as_program(mesh_tree(**changes))


def as_program(tree: Mapping[str, Any]) -> Any:
    """A tree as a program's arguments: clusters that it does not make have their kubeconfigs, rendered ones tokens.

    What is no mapping where clusters should be stays as it is.
    """
    clusters = tree.get("clusters")
    if not isinstance(clusters, Mapping):
        return dict(tree)
    if tree.get("render_to") is not None:
        read = {"reader_credential": TOKEN, "api_server_ca": CA}
        return {**tree, "clusters": {name: {**read, **facts} for name, facts in clusters.items()}}
    with_kubeconfigs = {
        name: {"kubeconfig": a_kubeconfig(f"https://192.0.2.{number}:6443"), **facts}
        if isinstance(facts, Mapping) and "gke" not in facts
        else facts
        for number, (name, facts) in enumerate(clusters.items(), 1)
    }
    return {**tree, "clusters": with_kubeconfigs}
