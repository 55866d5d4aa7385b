"""One Istio mesh over several Kubernetes clusters, from one list, as one Pulumi dependency graph.

Importing the package loads neither pulumi nor pulumi_gcp; each public name loads what it needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .components.arguments import (
        CaCertsArgs as CaCertsArgs,
        ClusterArgs as ClusterArgs,
        DialledServiceArgs as DialledServiceArgs,
        EastWestGatewayArgs as EastWestGatewayArgs,
        ExportArgs as ExportArgs,
        FallbackArgs as FallbackArgs,
        FederationGatewayArgs as FederationGatewayArgs,
        GatewayPortArgs as GatewayPortArgs,
        GkeClusterArgs as GkeClusterArgs,
        GkeControlPlaneArgs as GkeControlPlaneArgs,
        GkeMaintenanceArgs as GkeMaintenanceArgs,
        GkeNetworkArgs as GkeNetworkArgs,
        GkeNodePoolArgs as GkeNodePoolArgs,
        GkeRangesArgs as GkeRangesArgs,
        GkeTaintArgs as GkeTaintArgs,
        ImportArgs as ImportArgs,
        IntermediatesArgs as IntermediatesArgs,
        LinkArgs as LinkArgs,
        MeshArgs as MeshArgs,
        MeshesArgs as MeshesArgs,
        PeerArgs as PeerArgs,
        RevisionArgs as RevisionArgs,
        RootArgs as RootArgs,
        TrustArgs as TrustArgs,
        VerifyArgs as VerifyArgs,
    )
    from .components.mesh import Mesh as Mesh
    from .components.meshes import Meshes as Meshes
    from .mesh_file import load_mesh as load_mesh, load_meshes as load_meshes
    from .parts.arguments import (
        GkeFlatClusterArgs as GkeFlatClusterArgs,
        GkeFlatNetworkArgs as GkeFlatNetworkArgs,
        GkeMemberArgs as GkeMemberArgs,
        IstioControlPlaneArgs as IstioControlPlaneArgs,
        IstioEastWestGatewayArgs as IstioEastWestGatewayArgs,
        IstioExposureArgs as IstioExposureArgs,
        IstioFederationArgs as IstioFederationArgs,
        IstioReaderArgs as IstioReaderArgs,
        IstioRemoteArgs as IstioRemoteArgs,
        IstioRemoteSecretArgs as IstioRemoteSecretArgs,
        IstioTrustArgs as IstioTrustArgs,
    )
    from .parts.control_plane import (
        IstioControlPlane as IstioControlPlane,
        IstioRemote as IstioRemote,
    )
    from .parts.federation import (
        IstioFederation as IstioFederation,
    )
    from .parts.gateways import (
        IstioEastWestGateway as IstioEastWestGateway,
        IstioExposure as IstioExposure,
    )
    from .parts.gke import (
        GkeFlatCluster as GkeFlatCluster,
        GkeFlatNetwork as GkeFlatNetwork,
    )
    from .parts.remote_secret import (
        IstioReader as IstioReader,
        IstioRemoteSecret as IstioRemoteSecret,
    )
    from .parts.trust import (
        IstioTrust as IstioTrust,
    )
    from .plan.mesh_plan import MeshPlan as MeshPlan, plan_mesh as plan_mesh
    from .topology.models import Topology as Topology
    from .topology.problems import Problem as Problem, TopologyError as TopologyError

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
    "IstioTrust": "parts.trust",
    "IstioControlPlane": "parts.control_plane",
    "IstioRemote": "parts.control_plane",
    "IstioEastWestGateway": "parts.gateways",
    "IstioExposure": "parts.gateways",
    "IstioReader": "parts.remote_secret",
    "IstioRemoteSecret": "parts.remote_secret",
    "IstioFederation": "parts.federation",
    "GkeFlatNetwork": "parts.gke",
    "GkeFlatCluster": "parts.gke",
    "IstioTrustArgs": "parts.arguments",
    "IstioControlPlaneArgs": "parts.arguments",
    "IstioRemoteArgs": "parts.arguments",
    "IstioEastWestGatewayArgs": "parts.arguments",
    "IstioExposureArgs": "parts.arguments",
    "IstioReaderArgs": "parts.arguments",
    "IstioRemoteSecretArgs": "parts.arguments",
    "IstioFederationArgs": "parts.arguments",
    "GkeFlatNetworkArgs": "parts.arguments",
    "GkeFlatClusterArgs": "parts.arguments",
    "GkeMemberArgs": "parts.arguments",
    "RevisionArgs": "components.arguments",
    "VerifyArgs": "components.arguments",
    "MeshPlan": "plan.mesh_plan",
    "plan_mesh": "plan.mesh_plan",
    "load_mesh": "mesh_file",
    "load_meshes": "mesh_file",
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
