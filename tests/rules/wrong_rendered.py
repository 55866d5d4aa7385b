"""Wrong meshes that are rendered, one a row."""

from __future__ import annotations

from typing import Any

from ..builders import mesh_tree
from .wrong_row import Wrong

EAST, WEST = ({"api_server": f"https://{name}.example:6443"} for name in ("east", "west"))
ADDRESS = {"east_west_gateway": {"address": "192.0.2.10"}}
EXPORT = {"hello.sample": {"ports": {"http": 80}, "accounts": ["hello"], "callers": {"shop": ["*"]}}}
SHARES = {"exports": EXPORT, "peers": {"shop": {}}, "federation_gateways": ["east"]}


def rendered(east: dict[str, Any] = EAST, west: dict[str, Any] = WEST, **facts: Any) -> dict[str, Any]:
    """Two clusters on two networks, written to files."""
    return mesh_tree(render_to="rendered", clusters={"east": east, "west": west}, **facts)


RENDERED = {
    "releases as files": Wrong(
        rendered(install="release"), "render-to", "install", "remove install, or render_to", rendered()
    ),
    "waves of files": Wrong(rendered(waves=[["east"]]), "render-to", "waves", "remove waves, or render_to", rendered()),
    "an evicted cluster of files": Wrong(
        rendered(evicted=["west"]), "render-to", "evicted", "remove evicted, or render_to", rendered()
    ),
    "an API server that no kubeconfig tells": Wrong(
        rendered(west={}),
        "render-to",
        "clusters.west.api_server",
        "to the URL that other clusters dial",
        rendered(),
    ),
    "a primary whose address is in no file": Wrong(
        rendered(west={**WEST, "primary": "east"}),
        "render-to",
        "clusters.east.east_west_gateway.address",
        "to the IP address that other clusters dial",
        rendered(east={**EAST, **ADDRESS}, west={**WEST, "primary": "east"}),
    ),
    "a federation gateway whose address is in no file": Wrong(
        rendered(**SHARES),
        "render-to",
        "clusters.east.federation_gateway.address",
        "to the IP address that other clusters dial",
        rendered(east={**EAST, "federation_gateway": {"address": "192.0.2.11"}}, **SHARES),
    ),
}
"""By what is wrong; a GKE cluster that is made here is among the rows of test_gke."""
