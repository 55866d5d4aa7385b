"""The way in which remote clusters reach one primary's istiod.

Must exist before: the control plane, and its east-west gateway where that one carries istiod.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names
from ..topology.dialled import DialledService
from .gateway import dialled_address
from .order import after


@dataclass(frozen=True)
class ThroughGateway:
    """The east-west gateway that carries istiod."""

    address: pulumi.Input[str]
    pods: pulumi.Input[Any]
    """Known once its pods are ready."""


class IstiodExposure(pulumi.ComponentResource):
    """Lets remote clusters reach istiod, for configuration, certificates (15012) and injection (15017), both over TLS.

    Through the east-west gateway where there is one; else by a Service on istiod's own pods, which outlives them, one a
    revision. The ports without TLS stay closed. On destroy remote clusters keep what they have, and can't start pods
    with sidecars.
    """

    addresses: dict[str, pulumi.Output[str]]
    """IP address or host name of the istiod of each revision, known once calls to it arrive."""

    def __init__(
        self,
        name: str,
        *,
        gateway: Optional[ThroughGateway],
        service: DialledService,
        args: Mapping[str, Any],
        revisions: Sequence[str],
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
                    ("istiod-gateway", "Gateway", manifests.istiod_gateway(revisions)),
                    ("istiod-routes", "VirtualService", manifests.istiod_routes(revisions)),
                )
            ]
            arrived = pulumi.Output.all(gateway.address, gateway.pods, *(rule.id for rule in rules))
            self.addresses = dict.fromkeys(revisions, arrived.apply(lambda known: str(known[0])))
        else:
            given = args.get("address")
            self.addresses = {}
            for revision in revisions:
                own = k8s.core.v1.Service(
                    names.of_revision(f"{name}-istiod-remotes", revision),
                    metadata=manifests.dialled_metadata(
                        names.of_revision(names.ISTIOD_FOR_REMOTES, revision),
                        name,
                        service,
                        args.get("annotations") or {},
                    ),
                    spec=manifests.dialled_spec(
                        service, given, manifests.istiod_selector(revision), names.ISTIOD_PORTS
                    ),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
                )
                ready = pulumi.Output.all(dialled_address(own, given), injector)
                self.addresses[revision] = ready.apply(lambda known: str(known[0]))
        self.register_outputs({"addresses": self.addresses})
