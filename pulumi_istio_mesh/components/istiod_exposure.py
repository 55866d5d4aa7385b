"""The way in which remote clusters reach one primary's istiod.

Must exist before: the control plane, and its east-west gateway where that one carries istiod.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names
from ..topology.dialled import DialledService
from .east_west_gateway import EastWestGateway
from .gateway import dialled_address
from .order import after


class IstiodExposure(pulumi.ComponentResource):
    """Lets remote clusters reach istiod, for configuration, certificates (15012) and injection (15017), both over TLS.

    Through the east-west gateway where there is one; else by a Service on istiod's own pods, which outlives them. The
    ports without TLS stay closed. On destroy remote clusters keep what they have, and can't start pods with sidecars.
    """

    address: pulumi.Output[str]
    """IP address or host name, known once calls to it arrive."""

    def __init__(
        self,
        name: str,
        *,
        gateway: Optional[EastWestGateway],
        service: DialledService,
        args: Mapping[str, Any],
        namespace: pulumi.Input[str],
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("IstiodExposure"), name, None, opts)
        if gateway is not None:
            rules = [
                k8s.apiextensions.CustomResource(
                    f"{name}-{role}",
                    api_version="networking.istio.io/v1",
                    kind=kind,
                    metadata=manifests.metadata(names.ISTIOD_GATEWAY, name),
                    spec=spec,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=after(injector)),
                )
                for role, kind, spec in (
                    ("istiod-gateway", "Gateway", manifests.istiod_gateway()),
                    ("istiod-routes", "VirtualService", manifests.istiod_routes()),
                )
            ]
            arrived: list[pulumi.Output[Any]] = [gateway.address, gateway.pods, *(rule.id for rule in rules)]
        else:
            given = args.get("address")
            own = k8s.core.v1.Service(
                f"{name}-istiod-remotes",
                metadata=manifests.dialled_metadata(
                    names.ISTIOD_FOR_REMOTES, name, service, args.get("annotations") or {}
                ),
                spec=manifests.dialled_spec(service, given, names.ISTIOD_SELECTOR, names.ISTIOD_PORTS),
                opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
            )
            arrived = [dialled_address(own, given), pulumi.Output.from_input(injector)]
        self.address = pulumi.Output.all(*arrived).apply(lambda known: str(known[0]))
        self.register_outputs({"address": self.address})
