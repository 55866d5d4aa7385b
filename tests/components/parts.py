"""One use of every part that can be declared alone."""

from __future__ import annotations

from typing import Any

import pulumi

from pulumi_istio_mesh.components.mesh import Mesh
from pulumi_istio_mesh.components.meshes import Meshes
from pulumi_istio_mesh.host import COMPONENTS

from ..builders import a_kubeconfig

OF_MESH = {"mesh_id": "prod", "istio_version": "1.31.1"}
IN_EAST = {"cluster": "east", "kubeconfig": a_kubeconfig()}
GKE = {"region": "europe-west1", "block": 0}
RANGES = {"nodes": "10.0.0.0/24", "pods": "10.1.0.0/16", "services": "10.2.0.0/20", "control_plane": "10.3.0.0/28"}

PARTS: dict[str, dict[str, Any]] = {
    "IstioTrust": {"clusters": ["east", "west"], "roots": [{"issued": "2026-11-23"}]},
    "IstioControlPlane": {**OF_MESH, **IN_EAST},
    "IstioRemote": {**OF_MESH, **IN_EAST, "primary": "west", "istiod_address": "198.51.100.9"},
    "IstioEastWestGateway": {**OF_MESH, **IN_EAST, "annotations": {"a": "b"}},
    "IstioExposure": {**IN_EAST, "gateway_address": "198.51.100.9"},
    "IstioReader": IN_EAST,
    "IstioRemoteSecret": {**IN_EAST, "reads": "west", "reader_kubeconfig": a_kubeconfig("https://192.0.2.2:6443")},
    "IstioFederation": {
        **OF_MESH,
        **IN_EAST,
        "root_certs": "PEM",
        "peers": {"other": {"imports": {"api.shop": {"ports": {"http-api": 80}, "namespaces": ["web"]}}}},
        "exports": {"hello.sample": {"ports": {"http-api": 80}, "accounts": ["hello"], "callers": {"other": ["*"]}}},
    },
    "GkeFlatNetwork": {
        "project": "acme-prod",
        "supernet": "10.0.0.0/8",
        "nat": True,
        "clusters": {"east": GKE, "west": {**GKE, "block": 1, "primary": "east"}},
    },
    "GkeFlatCluster": {"project": "acme-prod", "vpc": "prod", "region": "europe-west1", "ranges": RANGES},
}

IN_CLUSTER = [name for name, args in PARTS.items() if "kubeconfig" in args]
"""Parts that are made in a Kubernetes cluster that is there."""

TYPES: dict[str, Any] = {kind.__name__: kind for kind in COMPONENTS if kind not in (Mesh, Meshes)}


def a_part(kind: str, opts: pulumi.ResourceOptions | None = None, **changes: Any) -> Any:
    """Declare a part called `one`, with arguments changed; `...` leaves one out."""
    args = {key: value for key, value in {**PARTS[kind], **changes}.items() if value is not ...}
    return TYPES[kind]("one", args, opts)
