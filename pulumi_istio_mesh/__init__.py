"""One Istio mesh over several Kubernetes clusters, from one list, as one Pulumi dependency graph.

Importing the package loads neither pulumi nor pulumi_gcp; each public name loads what it needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .components.arguments import (
        CaCertsArgs as CaCertsArgs,
    )
    from .components.arguments import (
        ClusterArgs as ClusterArgs,
    )
    from .components.arguments import (
        DialledServiceArgs as DialledServiceArgs,
    )
    from .components.arguments import (
        EastWestGatewayArgs as EastWestGatewayArgs,
    )
    from .components.arguments import (
        ExportArgs as ExportArgs,
    )
    from .components.arguments import (
        FallbackArgs as FallbackArgs,
    )
    from .components.arguments import (
        FederationGatewayArgs as FederationGatewayArgs,
    )
    from .components.arguments import (
        GatewayPortArgs as GatewayPortArgs,
    )
    from .components.arguments import (
        GkeClusterArgs as GkeClusterArgs,
    )
    from .components.arguments import (
        GkeControlPlaneArgs as GkeControlPlaneArgs,
    )
    from .components.arguments import (
        GkeMaintenanceArgs as GkeMaintenanceArgs,
    )
    from .components.arguments import (
        GkeNetworkArgs as GkeNetworkArgs,
    )
    from .components.arguments import (
        GkeNodePoolArgs as GkeNodePoolArgs,
    )
    from .components.arguments import (
        GkeRangesArgs as GkeRangesArgs,
    )
    from .components.arguments import (
        GkeTaintArgs as GkeTaintArgs,
    )
    from .components.arguments import (
        ImportArgs as ImportArgs,
    )
    from .components.arguments import (
        IntermediatesArgs as IntermediatesArgs,
    )
    from .components.arguments import (
        LinkArgs as LinkArgs,
    )
    from .components.arguments import (
        MeshArgs as MeshArgs,
    )
    from .components.arguments import (
        MeshesArgs as MeshesArgs,
    )
    from .components.arguments import (
        PeerArgs as PeerArgs,
    )
    from .components.arguments import (
        RootArgs as RootArgs,
    )
    from .components.arguments import (
        TrustArgs as TrustArgs,
    )
    from .components.mesh import Mesh as Mesh
    from .components.meshes import Meshes as Meshes
    from .plan.mesh_plan import MeshPlan as MeshPlan
    from .plan.mesh_plan import plan_mesh as plan_mesh
    from .topology.load import load_mesh as load_mesh
    from .topology.load import load_meshes as load_meshes
    from .topology.models import Topology as Topology
    from .topology.problems import Problem as Problem
    from .topology.problems import TopologyError as TopologyError

__version__ = "0.1.0"

_HOME = {
    "Mesh": "components.mesh",
    "MeshArgs": "components.arguments",
    "ClusterArgs": "components.arguments",
    "DialledServiceArgs": "components.arguments",
    "EastWestGatewayArgs": "components.arguments",
    "GatewayPortArgs": "components.arguments",
    "CaCertsArgs": "components.arguments",
    "TrustArgs": "components.arguments",
    "RootArgs": "components.arguments",
    "IntermediatesArgs": "components.arguments",
    "Meshes": "components.meshes",
    "MeshesArgs": "components.arguments",
    "ExportArgs": "components.arguments",
    "FallbackArgs": "components.arguments",
    "FederationGatewayArgs": "components.arguments",
    "GkeClusterArgs": "components.arguments",
    "GkeControlPlaneArgs": "components.arguments",
    "GkeMaintenanceArgs": "components.arguments",
    "GkeNetworkArgs": "components.arguments",
    "GkeNodePoolArgs": "components.arguments",
    "GkeRangesArgs": "components.arguments",
    "GkeTaintArgs": "components.arguments",
    "ImportArgs": "components.arguments",
    "LinkArgs": "components.arguments",
    "PeerArgs": "components.arguments",
    "MeshPlan": "plan.mesh_plan",
    "plan_mesh": "plan.mesh_plan",
    "load_mesh": "topology.load",
    "load_meshes": "topology.load",
    "Topology": "topology.models",
    "Problem": "topology.problems",
    "TopologyError": "topology.problems",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the public names beside the loaded ones."""
    return sorted({*globals(), *__all__})
