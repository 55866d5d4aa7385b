"""The words that tests are written in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology
from pulumi_istio_mesh.topology.problems import Problem, TopologyError

TODAY = dt.date(2026, 11, 23)

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: there, user: me}}]
clusters: [{name: there, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: me, user: {token: not-a-real-token}}]
"""


def mesh_tree(**changes: Any) -> dict[str, Any]:
    """A mesh of two clusters on two networks, as a user would type it, with facts changed."""
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


def problems_of(tree: dict[str, Any]) -> list[Problem]:
    """Everything that is wrong with a tree, of shape and of rules."""
    try:
        return problems_in(parse_topology(tree), TODAY)
    except TopologyError as error:
        return list(error.problems)


def program_args(**changes: Any) -> dict[str, Any]:
    """The same mesh as a program's arguments: each cluster has its kubeconfig."""
    tree = mesh_tree(**changes)
    tree["clusters"] = {
        name: {"kubeconfig": KUBECONFIG.replace("192.0.2.1", f"192.0.2.{number}"), **facts}
        for number, (name, facts) in enumerate(tree["clusters"].items(), 1)
    }
    return tree
