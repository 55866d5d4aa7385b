"""Everything of a mesh that lives in one cluster.

A component of its own from the first version: an option set on it reaches exactly this cluster's resources,
and changing parents later would change every URN.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from ..istio import names
from ..plan.mesh_plan import ClusterPlan, IstiodRoute
from ..topology.models import Topology
from .access import Access
from .control_plane import ControlPlane
from .east_west_gateway import EastWestGateway, Exposure
from .given_trust import checked_cacerts
from .istiod_exposure import IstiodExposure
from .remote_secret import Reader, RemoteSecrets
from .trust import IntermediateAuthority, Trust


class MeshCluster(pulumi.ComponentResource):
    """One cluster as part of its mesh: control plane, gateway, and its credential for the clusters that read it."""

    gateway_address: Optional[pulumi.Output[str]]
    """What other networks dial; None where none does."""
    istiod_address: Optional[pulumi.Output[str]]
    """What this cluster's remotes dial, known once calls to it arrive; None without any."""
    reader_kubeconfig: Optional[pulumi.Output[str]]
    """Credential for the clusters that discover this one; secret; None where none does."""

    def __init__(
        self,
        name: str,
        plan: ClusterPlan,
        topology: Topology,
        args: Mapping[str, Any],
        *,
        trust: Optional[Trust] = None,
        istiod_address: Optional[pulumi.Input[str]] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        declared = topology.clusters[plan.name]
        options = pulumi.ResourceOptions(
            protect=declared.protect or None, retain_on_delete=declared.retain_on_delete or None
        )
        super().__init__(names.token("MeshCluster"), name, None, pulumi.ResourceOptions.merge(opts, options))
        access = Access(name, plan.name, args, for_peers=bool(plan.discovered_by), parent=self)
        self._within = pulumi.ResourceOptions(parent=self, providers=[access.provider])
        self._name, self._plan, self._topology, self._args = name, plan, topology, args

        cacerts = None if plan.remote else self._cacerts(trust)
        self._control_plane = ControlPlane(
            name, plan, topology, cacerts=cacerts, istiod_address=istiod_address, opts=self._within
        )
        self.reader_kubeconfig = None
        if plan.discovered_by:
            self.reader_kubeconfig = Reader(
                name,
                plan.name,
                served_by=plan.primary,
                account=self._control_plane.reader_account,
                server=access.api_server,
                certificate_authority=args.get("api_server_ca"),
                tls_name=declared.api_server_tls_name,
                opts=self._within,
            ).kubeconfig
        self.gateway_address = self.istiod_address = None
        if not plan.remote:
            self._connect(self._control_plane.injector())
        self.register_outputs({})

    def discover(self, peers: Mapping[str, pulumi.Input[str]]) -> RemoteSecrets:
        """Give this cluster's istiod the credentials of its peers, by cluster name."""
        return RemoteSecrets(self._name, peers, namespace=self._control_plane.namespace, opts=self._within)

    def attach(self, secret: pulumi.Input[str]) -> None:
        """Make what needs injection in this remote cluster, once its primary has this secret and serves it."""
        self._connect(self._control_plane.injector(secret))

    def _connect(self, injector: pulumi.Output[str]) -> None:
        """Make what lets other clusters in; everything here waits for injection to work."""
        name, plan, declared = self._name, self._plan, self._topology.clusters[self._plan.name]
        gateway = None
        if plan.gateway:
            gateway = EastWestGateway(
                name,
                plan,
                self._topology,
                self._args.get("east_west_gateway") or {},
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            )
            self.gateway_address = gateway.address
        if plan.exposure:
            Exposure(name, injector=injector, opts=self._within)
        if plan.istiod_route is not None:
            self.istiod_address = IstiodExposure(
                name,
                gateway=gateway if plan.istiod_route is IstiodRoute.GATEWAY else None,
                service=declared.istiod_service,
                args=self._args.get("istiod_service") or {},
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            ).address

    def _cacerts(self, trust: Optional[Trust]) -> Optional[pulumi.Input[Mapping[str, Any]]]:
        """Return the data of Secret `cacerts`: generated, given, or None where somebody else makes it."""
        cluster, topology = self._plan.name, self._topology
        if trust is not None:
            within = pulumi.ResourceOptions(parent=self)
            return IntermediateAuthority(self._name, cluster, topology, trust, opts=within).cacerts
        if topology.trust.kind == "given":
            return checked_cacerts(cluster, self._args["cacerts"], topology.identity_domain)
        return None
