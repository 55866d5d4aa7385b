"""What answers for a cluster when the mesh proves itself."""

from typing import Optional

import pulumi
import pulumi_kubernetes as k8s

from ..gates import manifests
from ..istio import names
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from .order import after
from .registries import PullSecrets, pull_secrets


class Verification(pulumi.ComponentResource):
    """The namespace of one cluster's gates, and of its probe: a server that only this cluster has.

    The probe has an identity in the mesh and no rights in the cluster; it answers every request with its cluster's
    name and the certificates that its proxy saw. On destroy the namespace goes with all that is in it.
    """

    ready: pulumi.Output[str]
    """Name of the account that gates run as, known once it is there."""

    def __init__(
        self,
        name: str,
        cluster: ClusterPlan,
        topology: Topology,
        *,
        credentials: Optional[PullSecrets] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("Verification"), name, None, opts)
        self._name, self._plan, self._topology = name, cluster, topology
        namespace = k8s.core.v1.Namespace(
            f"{name}-verify",
            metadata=manifests.namespace(topology, name, cluster.name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        pulls = pull_secrets(name, names.VERIFY_NAMESPACE, credentials or {}, within=namespace, parent=self)
        account = k8s.core.v1.ServiceAccount(
            f"{name}-verify",
            **manifests.account(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace, *pulls]),
        )
        self.ready = account.metadata.name
        self.register_outputs({})

    def probe(self, injector: pulumi.Input[str]) -> pulumi.Output[str]:
        """Make the probe; return its name, known once it answers inside its own cluster."""
        name, cluster = self._name, self._plan.name
        service = k8s.core.v1.Service(
            f"{name}-probe",
            **manifests.probe_service(name, cluster),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(self.ready)),
        )
        deployment = k8s.apps.v1.Deployment(
            f"{name}-probe",
            **manifests.probe(self._topology, name, cluster),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service, *after(injector)]),
        )
        return deployment.metadata.name
