"""The Services of the mesh that are dialled from outside their cluster."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .declared import Declared, Ranges, Text

LOCALITY = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(/[a-z0-9]([-a-z0-9]*[a-z0-9])?){0,2}$"
"""`region`, `region/zone` or `region/zone/subzone`."""


class GatewayPort(Declared):
    """One more port that an east-west gateway's Service opens."""

    name: str
    """Name of the port, unique in the Service."""
    port: int = Field(ge=1, le=65535)
    """Number of the port."""
    target_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the gateway pods; `port` itself when left out."""


class DialledService(Declared):
    """A Service that other clusters dial."""

    type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    """Type of the Service."""
    address: Text | None = None
    """IP address that other clusters dial, where the Service's status does not say it."""
    annotations: dict[str, Text] = {}
    """Annotations of the Service, such as those that ask a cloud for an internal load balancer."""
    load_balancer_class: str | None = None
    """Which controller makes the load balancer, such as metallb.io/metallb; the cluster's default when left out."""
    source_ranges: Ranges = ()
    """Ranges from which the load balancer lets callers in; everybody where it is left out."""
    timeout_seconds: int = Field(default=600, ge=1)
    """How long to wait for the load balancer's address."""


class EastWestGateway(DialledService):
    """The gateway that other networks dial to reach this cluster.

    With NodePort or ClusterIP and no `address`, Istio uses the nodes' external addresses (NodePort) or nothing at all.
    Source: istio/istio pilot/pkg/serviceregistry/kube/controller/network.go.
    """

    existing: bool = False
    """Whether it is there already, in a cluster with a control plane that was there before: its Service
    `istio-eastwestgateway` is read for the address, and nothing of it is made, nor the rule that lets callers in."""
    ports: tuple[GatewayPort, ...] = ()
    """Ports besides those of the mesh: 15021 (status), 15443 (mTLS between networks), 15012 and 15017 (istiod)."""


class FederationGateway(DialledService):
    """The gateway that other meshes dial to call what this one exports; never the cross-network gateway."""

    locality: str | None = Field(default=None, pattern=LOCALITY)
    """Where it stands, as `region` or `region/zone`: callers prefer the gateways that are near them."""
