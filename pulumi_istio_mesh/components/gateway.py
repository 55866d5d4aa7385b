"""A gateway that other clusters dial: a Service of our own, whose address survives upgrades, and Istio's chart."""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import names
from ..istio.charts import chart_reference
from ..topology.models import Topology
from .charts import install_chart
from .order import after


class Gateway(pulumi.ComponentResource):
    """What east-west and federation gateways have in common.

    Must exist before: the cluster's control plane. Not made here: certificates; the gateway gets its own from istiod.
    """

    address: pulumi.Output[str]
    """IP address or host name that is dialled; empty where only the nodes' addresses are."""
    service: pulumi.Output[str]
    """Name of the Service, known once it has its address."""
    pods: pulumi.Output[str]
    """Name of the Deployment, known once its pods are ready."""

    def __init__(
        self,
        kind: str,
        name: str,
        topology: Topology,
        *,
        version: str,
        role: str,
        release: str,
        metadata: Mapping[str, Any],
        spec: Mapping[str, Any],
        address: Optional[pulumi.Input[str]],
        values: Mapping[str, Any],
        namespace: pulumi.Input[str],
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`role` ends the resources' names, `release` is the Service's and the Deployment's, `values` the chart's."""
        super().__init__(names.token(kind), name, None, opts)
        service = k8s.core.v1.Service(
            f"{name}-{role}",
            metadata=metadata,
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
        )
        self.service = service.metadata.name
        self.address = dialled_address(service, address)
        chart = install_chart(
            f"{name}-{role}",
            chart_reference(topology.chart_source, "gateway", version),
            topology.install,
            cluster=name,
            release=release,
            values=values,
            parent=self,
            # The image is filled in by injection: a pod made before the webhook answers would never start.
            depends_on=after(injector),
        )
        self.pods = chart.ready.apply(lambda _: release)
        self.register_outputs({"address": self.address, "service": self.service, "pods": self.pods})


def dialled_address(service: "k8s.core.v1.Service", given: Optional[pulumi.Input[str]]) -> pulumi.Output[str]:
    """Return what other clusters dial, once the Service is there: the given address, or the one in its status.

    An IP address or a host name; empty where neither is known.
    """
    own = service.status.apply(address_of)
    return own if given is None else pulumi.Output.all(given, own).apply(lambda known: str(known[0]))


def address_of(status: Any) -> str:
    """Return the first address in a Service's status, IP or host name; empty when it has none."""
    ingress = status and status.load_balancer and status.load_balancer.ingress
    return (ingress[0].ip or ingress[0].hostname or "") if ingress else ""
