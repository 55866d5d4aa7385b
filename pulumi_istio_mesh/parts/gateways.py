"""The ways into a cluster for others of its mesh: its east-west gateway, and what that lets through.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from dataclasses import replace
from typing import Any, Optional

import pulumi

from ..components.east_west_gateway import EastWestGateway, Exposure
from ..components.istiod_exposure import IstiodExposure, ThroughGateway
from ..plan.mesh_plan import IstiodRoute
from ..topology.names import DEFAULT_REVISION
from ..topology.problems import Problem
from .arguments import IstioEastWestGatewayArgs, IstioExposureArgs
from .placed import OF_MESH, PartInCluster, given, in_cluster, place, way_problems

_SERVICE = ("type", "address", "annotations", "load_balancer_class", "source_ranges", "timeout_seconds")


class IstioEastWestGateway(PartInCluster):
    """The gateway by which other networks reach the services of a cluster, and its Service, whose address stays.

    Its pods get their proxy by injection: they come after `injector` of the control plane, or in a remote cluster after
    the remote secret by which its primary serves it. istio-system must have the label
    topology.istio.io/network, as `IstioControlPlane` and `IstioRemote` give it. Nothing gets through before an
    `IstioExposure` in the cluster with the istiod. Raises `TopologyError` before any resource is registered.
    On destroy calls from other networks fail.
    """

    address: pulumi.Output[str]
    """IP address or host name that other networks dial; empty where only the nodes' addresses are."""
    pods: pulumi.Output[str]
    """Name of the Deployment, known once its pods are ready."""

    def __init__(
        self, name: str, args: IstioEastWestGatewayArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        cluster = args.get("cluster") or name
        placed = place(
            f"IstioEastWestGateway {name!r}",
            args,
            IstioEastWestGatewayArgs,
            cluster=cluster,
            mesh=given(args, *OF_MESH),
            clusters={
                cluster: {**given(args, "network"), "east_west_gateway": given(args, *_SERVICE, "ports")},
            },
            paths={f"clusters.{cluster}.east_west_gateway.": "", **in_cluster(cluster)},
            found=way_problems("IstioEastWestGateway", args, cluster, opts),
        )
        super().__init__(name, args, placed, opts)
        route = IstiodRoute.GATEWAY if args.get("carries_istiod") else None
        made = EastWestGateway(
            name,
            replace(placed.cluster_plan, istiod_route=route),
            placed.topology,
            args,
            namespace=self._ready,
            injector=self._ready,
            opts=self._within,
        )
        self.address, self.pods = made.address, made.pods
        self.register_outputs({"address": self.address, "pods": self.pods})


class IstioExposure(PartInCluster):
    """What lets other clusters in: to every service through the east-west gateways, and remote ones to istiod.

    Stands in a cluster with an istiod, for its own gateway and for those of its remotes: Istio reads its objects there
    only. Raises `TopologyError` before any resource is registered. On destroy calls from other networks fail, and
    remote clusters keep what they have.
    """

    istiod_address: pulumi.Output[str]
    """Address at which remote clusters reach istiod, known once calls to it arrive; empty where istiod is not shown."""
    rule: pulumi.Output[str]
    """ID of the rule that lets other networks in, known once istiod has accepted it; empty without one."""

    def __init__(self, name: str, args: IstioExposureArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster = args.get("cluster") or name
        service, gateway = args.get("istiod_service"), args.get("gateway_address")
        services = args.get("services") is not False
        nothing = Problem(
            where="services",
            what="it is false, and neither gateway_address nor istiod_service is given",
            why="nothing would be exposed",
            fix="remove services, or the component",
            slug="topology-shape",
        )
        twice = Problem(
            where="istiod_service",
            what="it is given beside gateway_address",
            why="remote clusters reach istiod by one address",
            fix="remove istiod_service, or gateway_address",
            slug="istiod-address",
        )
        problems = [
            *way_problems("IstioExposure", args, cluster, opts),
            *([nothing] if not services and service is None and gateway is None else []),
            *([twice] if service is not None and gateway is not None else []),
        ]
        # A remote on the cluster's network, so that the Service is judged as one that is dialled.
        others = {f"{cluster}-remote": {"primary": cluster, "network": cluster}} if service is not None else {}
        placed = place(
            f"IstioExposure {name!r}",
            args,
            IstioExposureArgs,
            cluster=cluster,
            mesh={},
            clusters={cluster: {"istiod_service": service or {}}, **others},
            paths=in_cluster(cluster),
            found=problems,
        )
        super().__init__(name, args, placed, opts)
        empty: pulumi.Output[str] = pulumi.Output.from_input("")
        self.rule = Exposure(name, injector=self._ready, opts=self._within).rule if services else empty
        self.istiod_address = empty
        if gateway is not None or service is not None:
            shown: Any = service or {}
            self.istiod_address = IstiodExposure(
                name,
                gateway=None if gateway is None else ThroughGateway(gateway, gateway),
                service=placed.topology.clusters[cluster].istiod_service,
                args=shown,
                revisions=(DEFAULT_REVISION,),
                namespace=self._ready,
                injector=self._ready,
                opts=self._within,
            ).addresses[DEFAULT_REVISION]
        self.register_outputs({"istiodAddress": self.istiod_address, "rule": self.rule})
