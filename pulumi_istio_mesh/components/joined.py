"""A control plane that was there before the mesh: used as it is, and, where it is adopted, imported as it is.

Not made here: Istio's namespace, its authority, CRDs, charts, and no Istio object that all workloads obey.
"""

from collections.abc import Sequence
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..gates import manifests as gates
from ..istio import manifests, names
from ..istio.adopted import AdoptedObject
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from .charts import chart_part
from .membership import guard_membership, member
from .registries import PullSecrets, pull_secrets


class JoinedControlPlane(pulumi.ComponentResource):
    """Somebody else's control plane in one cluster, as `ControlPlane` has its own.

    Of the same type, so that a control plane that is adopted can become one that is managed, object by object in
    place. On destroy everything stays that was there before, the objects that were imported among it.
    """

    namespace: pulumi.Output[str]
    """Istio's namespace, known once the cluster is this mesh's."""
    reader_account: pulumi.Output[str]
    """Account that istiods of other clusters read this one with."""

    def __init__(
        self,
        name: str,
        cluster: ClusterPlan,
        topology: Topology,
        *,
        adopted: Sequence[AdoptedObject],
        credentials: Optional[PullSecrets] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("ControlPlane"), name, None, opts)
        whose = member(topology, cluster.name)
        membership = k8s.core.v1.ConfigMap(
            f"{name}-member",
            metadata=manifests.metadata(names.MEMBERSHIP, name),
            data=manifests.membership(whose, adopted=cluster.adopted),
            opts=pulumi.ResourceOptions(parent=self, hooks=guard_membership(name, cluster.name, whose)),
        )
        pulls = pull_secrets(name, names.NAMESPACE, credentials or {}, within=membership, parent=self)
        known = pulumi.Output.all(membership.metadata.namespace, *(pull.urn for pull in pulls))
        self.namespace = known.apply(lambda found: str(found[0]))
        self.reader_account = self.namespace.apply(lambda _: names.READER_ACCOUNT)
        if cluster.gate:
            k8s.core.v1.Service(
                f"{name}-istiod-replicas",
                **gates.replicas_service(name),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[membership]),
            )
        for chart in ("base", "istiod"):
            objects = [one for one in adopted if one.chart == chart]
            if objects:
                _ImportedChart(f"{name}-{chart}", objects, pulumi.ResourceOptions(parent=self, depends_on=[membership]))
        self.register_outputs({"namespace": self.namespace})

    def injector(self, *attached: pulumi.Input[Any]) -> pulumi.Output[str]:
        """Return the name of the injection webhook: it answers, or nothing here would have been changed."""
        return self.namespace.apply(lambda _: names.INJECTOR_WEBHOOK)


class _ImportedChart(pulumi.ComponentResource):
    """What somebody installed of a chart, under the names that the chart's objects have where it is installed here.

    Source: pulumi-kubernetes, provider/pkg/provider/helm/v4/chart.go and yaml/v2/yaml.go.
    """

    def __init__(self, name: str, objects: Sequence[AdoptedObject], opts: pulumi.ResourceOptions) -> None:
        super().__init__("kubernetes:helm.sh/v4:Chart", name, None, opts)
        for found in objects:
            pulumi.CustomResource(
                found.type,
                chart_part(name, found.namespace, found.name),
                found.manifest,
                pulumi.ResourceOptions(
                    parent=self,
                    import_=found.id,
                    ignore_changes=found.written_by_others,
                    # It was there before, and outlives the program.
                    retain_on_delete=True,
                ),
            )
        self.register_outputs({})
