"""Everything of a mesh that lives in one cluster.

A component of its own from the first version: an option set on it reaches exactly this cluster's resources,
and changing parents later would change every URN.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from ..istio import names
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from .access import Access
from .control_plane import ControlPlane
from .east_west_gateway import EastWestGateway, Exposure
from .given_trust import checked_cacerts
from .remote_secret import Reader, RemoteSecrets
from .trust import IntermediateAuthority, Trust


class MeshCluster(pulumi.ComponentResource):
    """One cluster as part of its mesh: control plane, gateway, and its credential for the clusters that read it."""

    gateway_address: Optional[pulumi.Output[str]]
    """What other networks dial; None where no other network is in the mesh."""
    reader_kubeconfig: Optional[pulumi.Output[str]]
    """Credential for the clusters that discover this one; secret; None where none does."""

    def __init__(
        self,
        name: str,
        plan: ClusterPlan,
        topology: Topology,
        args: Mapping[str, Any],
        trust: Optional[Trust],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        declared = topology.clusters[plan.name]
        options = pulumi.ResourceOptions(
            protect=declared.protect or None, retain_on_delete=declared.retain_on_delete or None
        )
        super().__init__(names.token("MeshCluster"), name, None, pulumi.ResourceOptions.merge(opts, options))
        access = Access(name, plan.name, args, for_peers=bool(plan.discovered_by), parent=self)
        self._within = pulumi.ResourceOptions(parent=self, providers=[access.provider])
        self._name = name

        cacerts = self._cacerts(name, plan.name, topology, args, trust)
        control_plane = ControlPlane(name, plan.name, topology, cacerts, opts=self._within)
        self._namespace = control_plane.namespace

        self.gateway_address = None
        if plan.gateway:
            gateway = EastWestGateway(
                name,
                plan.name,
                topology,
                args.get("east_west_gateway") or {},
                namespace=control_plane.namespace,
                injector=control_plane.injector,
                opts=self._within,
            )
            self.gateway_address = gateway.address
            Exposure(name, injector=control_plane.injector, opts=self._within)

        self.reader_kubeconfig = None
        if plan.discovered_by:
            self.reader_kubeconfig = Reader(
                name,
                plan.name,
                account=control_plane.reader_account,
                server=access.api_server,
                certificate_authority=args.get("api_server_ca"),
                tls_name=declared.api_server_tls_name,
                opts=self._within,
            ).kubeconfig
        self.register_outputs({})

    def discover(self, peers: Mapping[str, pulumi.Input[str]]) -> RemoteSecrets:
        """Give this cluster's istiod the credentials of its peers, by cluster name."""
        return RemoteSecrets(self._name, peers, namespace=self._namespace, opts=self._within)

    def _cacerts(
        self, name: str, cluster: str, topology: Topology, args: Mapping[str, Any], trust: Optional[Trust]
    ) -> Optional[pulumi.Input[Mapping[str, Any]]]:
        """Return the data of Secret `cacerts`: generated, given, or None where somebody else makes it."""
        if trust is not None:
            authority = IntermediateAuthority(name, cluster, topology, trust, opts=pulumi.ResourceOptions(parent=self))
            return authority.cacerts
        if topology.trust.kind == "given":
            return checked_cacerts(cluster, args["cacerts"], topology.identity_domain)
        return None
