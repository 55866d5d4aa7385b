"""No change of a file goes unsaid: every key's own example, laid over a mesh where it matters, is in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pulumi_istio_mesh.changes.comparison import compare
from pulumi_istio_mesh.topology.load import parse_topology

from ..test_docs import TABLES, rows
from .table import SHARING, Tree, google, overlaid, revisions, tree

POOL = {"node_pools": {"small": {}}}
PLACES: dict[str, tuple[Tree, tuple[str, ...]]] = {
    "Mesh": (tree(), ()),
    "Cluster": (tree(), ("clusters", "plant")),
    "Revision": (tree(**revisions({"a": {}})), ("revisions", "a")),
    "East-west gateway": (tree(), ("clusters", "plant", "east_west_gateway")),
    "Federation gateway": (tree(**SHARING), ("clusters", "plant", "federation_gateway")),
    "Export": (tree(**SHARING), ("exports", "hello.sample")),
    "Peer": (tree(**SHARING), ("peers", "shop")),
    "Import": (tree(**SHARING), ("peers", "shop", "imports", "pay.bank")),
    "Verify": (tree(), ("verify",)),
    "Trust": (tree(), ("trust",)),
    "Intermediates": (tree(), ("trust", "intermediates")),
    "GKE network": (google(), ("gke_networks", "vpc")),
    "GKE cluster": (google(), ("clusters", "east", "gke")),
    "GKE node pool": (google(**POOL), ("clusters", "east", "gke", "node_pools", "small")),
    "GKE control plane": (google(), ("clusters", "east", "gke", "control_plane")),
}
"""For each table of docs/topology.md a mesh, and where in it the table's keys stand."""

SAYS_NOTHING = {
    ("Mesh", "federation_gateways"): "nothing is exported",
    ("Mesh", "gke_networks"): "no cluster is on that VPC",
    ("Cluster", "federation_gateway"): "nothing is exported",
    ("Cluster", "istiod_service"): "no remote reaches istiod by it",
    ("Trust", "signer"): "there is one root, which signs anyway",
    ("GKE network", "supernet"): "a larger one, in which the cluster has the same block",
    ("GKE network", "ports"): "no other cluster is on the VPC",
}
"""Facts that mean nothing in their mesh, with the reason: no sentence is right."""

KEYS = [(heading, key) for heading in PLACES for key in TABLES[heading]]


def under(path: tuple[str, ...], value: Any) -> Any:
    """A tree with a value at a path."""
    for key in reversed(path):
        value = {key: value}
    return value


@pytest.mark.parametrize(("heading", "key"), KEYS, ids=[f"{heading} {key}" for heading, key in KEYS])
def test_a_changed_fact_is_in_a_sentence(heading: str, key: str) -> None:
    base, place = PLACES[heading]
    example = yaml.safe_load(rows(heading)[key][3].strip("`"))
    before, after = (parse_topology(found) for found in (base, overlaid(base, under((*place, key), example))))
    says_nothing = before == after or (heading, key) in SAYS_NOTHING
    assert bool(compare("prod", before, after).changes) is not says_nothing
