"""The gateway that other networks dial to reach one cluster, and what it lets in.

Must exist before: the control plane. Not made here: certificates; the gateway gets its own from istiod.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names, values
from ..istio.charts import chart_reference
from ..plan.mesh_plan import ClusterPlan, IstiodRoute
from ..topology.models import Topology
from .charts import chart_arguments, chart_transforms
from .order import after


class EastWestGateway(pulumi.ComponentResource):
    """One cluster's east-west gateway: a Service of our own, whose address survives upgrades, and Istio's chart."""

    address: pulumi.Output[str]
    """IP address or host name that other networks dial; empty where only the nodes' addresses are dialled."""
    service: pulumi.Output[str]
    """Name of the Service, known once it has its address."""
    pods: pulumi.Output[str]
    """Name of the Deployment, known once its pods are ready."""

    def __init__(
        self,
        name: str,
        cluster: ClusterPlan,
        topology: Topology,
        args: Mapping[str, Any],
        *,
        namespace: pulumi.Input[str],
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("EastWestGateway"), name, None, opts)
        declared = topology.clusters[cluster.name].east_west_gateway
        given = args.get("address")
        service = k8s.core.v1.Service(
            f"{name}-east-west",
            metadata=manifests.east_west_metadata(name, declared, cluster.network, args.get("annotations") or {}),
            spec=manifests.east_west_service(
                declared, given, carries_istiod=cluster.istiod_route is IstiodRoute.GATEWAY
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
        )
        self.service = service.metadata.name
        self.address = dialled_address(service, given)
        chart = k8s.helm.v4.Chart(
            f"{name}-east-west",
            name=names.EAST_WEST_GATEWAY,
            namespace=names.NAMESPACE,
            values=values.chart_values(topology, cluster.name, "gateway"),
            **chart_arguments(chart_reference(topology.chart_source, "gateway", topology.istio_version)),
            # The image is filled in by injection: a pod made before the webhook answers would never start.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=after(injector),
                transforms=chart_transforms(manifests.field_manager(name)),
            ),
        )
        self.pods = chart.resources.apply(lambda _: names.EAST_WEST_GATEWAY)
        self.register_outputs({"address": self.address, "service": self.service, "pods": self.pods})


class Exposure(pulumi.ComponentResource):
    """Lets mTLS from other networks reach every service of a cluster through its east-west gateway.

    Stands in the primary, for its own gateway and those of its remotes: Istio reads its objects in primaries only.
    """

    rule: pulumi.Output[str]
    """Name of the rule, known once istiod has accepted it."""

    def __init__(
        self, name: str, *, injector: pulumi.Input[str], opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        super().__init__(names.token("Exposure"), name, None, opts)
        rule = k8s.apiextensions.CustomResource(
            f"{name}-exposure",
            api_version="networking.istio.io/v1",
            kind="Gateway",
            metadata=manifests.metadata(names.CROSS_NETWORK_GATEWAY, name),
            spec=manifests.cross_network_gateway(),
            # istiod's validation webhook refuses every Istio object until istiod answers.
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(injector)),
        )
        self.rule = rule.id
        self.register_outputs({})


def dialled_address(service: k8s.core.v1.Service, given: Optional[pulumi.Input[str]]) -> pulumi.Output[str]:
    """Return what other clusters dial, once the Service is there: the given address, or the one in its status.

    An IP address or a host name; empty where neither is known.
    """
    own = service.status.apply(address_of)
    return own if given is None else pulumi.Output.all(given, own).apply(lambda known: str(known[0]))


def address_of(status: Any) -> str:
    """Return the first address in a Service's status, IP or host name; empty when it has none."""
    ingress = status and status.load_balancer and status.load_balancer.ingress
    return (ingress[0].ip or ingress[0].hostname or "") if ingress else ""
