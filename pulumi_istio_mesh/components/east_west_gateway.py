"""The way into one cluster for other networks: the east-west gateway and what it lets through."""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names, values
from ..plan.mesh_plan import ClusterPlan, IstiodRoute
from ..topology.models import Topology
from .gateway import Gateway, dialled_address
from .order import after


class EastWestGateway(Gateway):
    """One cluster's east-west gateway."""

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
        declared = topology.clusters[cluster.name].east_west_gateway
        given = args.get("address")
        super().__init__(
            "EastWestGateway",
            name,
            topology,
            version=topology.version_of(cluster.name),
            role="east-west",
            release=names.EAST_WEST_GATEWAY,
            metadata=manifests.east_west_metadata(name, declared, cluster.network, args.get("annotations") or {}),
            spec=manifests.east_west_service(
                declared, given, carries_istiod=cluster.istiod_route is IstiodRoute.GATEWAY
            ),
            address=given,
            values=values.chart_values(topology, cluster.name, "gateway"),
            namespace=namespace,
            injector=injector,
            opts=opts,
        )


class ExistingGateway(pulumi.ComponentResource):
    """An east-west gateway that was there before, as `EastWestGateway` is one that is made here.

    Its Service is read, and so are the rules that let callers in left to whoever made them.
    """

    address: pulumi.Output[str]
    """IP address or host name that is dialled; empty where only the nodes' addresses are."""

    def __init__(
        self,
        name: str,
        args: Mapping[str, Any],
        *,
        namespace: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("EastWestGateway"), name, None, opts)
        service = k8s.core.v1.Service.get(
            f"{name}-east-west",
            f"{names.NAMESPACE}/{names.EAST_WEST_GATEWAY}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
        )
        self.address = dialled_address(service, args.get("address"))
        self.register_outputs({"address": self.address})


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
