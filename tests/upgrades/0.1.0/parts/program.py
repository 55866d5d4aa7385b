"""A cluster with an istiod, and one on another network that it serves, put together from their parts."""

import pulumi

from pulumi_istio_mesh import (
    IstioControlPlane,
    IstioEastWestGateway,
    IstioExposure,
    IstioReader,
    IstioRemote,
    IstioRemoteSecret,
    IstioTrust,
)

config = pulumi.Config()
c1, c2 = config.require_secret("c1"), config.require_secret("c2")
version = config.get("istioVersion") or "1.31.0"
charts, hub = config.require("chartSource"), config.require("imageHub")

trust = IstioTrust("trust", {"mesh_id": "parts", "clusters": ["c1"], "roots": [{"issued": "2026-11-23"}]})

# c1: an istiod, and a gateway by which c2 reaches its services and the istiod itself.
control_plane = IstioControlPlane(
    "c1",
    {
        "mesh_id": "parts",
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "kubeconfig": c1,
        "cacerts": trust.cacerts["c1"],
    },
)
gateway = IstioEastWestGateway(
    "c1-gateway",
    {
        "mesh_id": "parts",
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "cluster": "c1",
        "kubeconfig": c1,
        "carries_istiod": True,
        "after": [control_plane.injector],
    },
)
exposure = IstioExposure(
    "c1-exposure",
    {
        "cluster": "c1",
        "kubeconfig": c1,
        "gateway_address": gateway.address,
        "after": [control_plane.injector, gateway.pods],
    },
)

# c2: no istiod of its own; what is injected there comes once the one of c1 has its remote secret.
remote = IstioRemote(
    "c2",
    {
        "mesh_id": "parts",
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "kubeconfig": c2,
        "primary": "c1",
        "istiod_address": exposure.istiod_address,
    },
)
reader = IstioReader(
    "c2-reader", {"cluster": "c2", "kubeconfig": c2, "primary": "c1", "after": [remote.reader_account]}
)
secret = IstioRemoteSecret(
    "c1-reads-c2",
    {
        "cluster": "c1",
        "kubeconfig": c1,
        "reads": "c2",
        "reader_kubeconfig": reader.kubeconfig,
        "after": [control_plane.injector],
    },
)
remote_gateway = IstioEastWestGateway(
    "c2-gateway",
    {
        "mesh_id": "parts",
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "cluster": "c2",
        "kubeconfig": c2,
        "after": [secret.secret],
    },
)

pulumi.export("gateways", {"c1": gateway.address, "c2": remote_gateway.address})
pulumi.export("istiod", exposure.istiod_address)
