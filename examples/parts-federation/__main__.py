"""One of two meshes of a cluster each, put together from parts: mesh-a exports a Service, mesh-b calls it."""

import pulumi

from pulumi_istio_mesh import ExportArgs, IstioControlPlane, IstioFederation, IstioTrust, PeerArgs

config = pulumi.Config()
mesh_id, cluster = config.require("meshId"), config.require("cluster")
kubeconfig = config.require_secret(cluster)
version = config.get("istioVersion") or "1.31.0"
charts, hub = config.require("chartSource"), config.require("imageHub")
# What the other mesh offers. Not there before its first run: then this one says so, and goes on.
offer = pulumi.StackReference(config.require("peerStack")).get_output("offers")

trust = IstioTrust("trust", {"mesh_id": mesh_id, "clusters": [cluster], "roots": [{"issued": "2026-11-23"}]})
control_plane = IstioControlPlane(
    cluster,
    {
        "mesh_id": mesh_id,
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "kubeconfig": kubeconfig,
        "cacerts": trust.cacerts[cluster],
    },
)

peers: dict[str, PeerArgs]
exports: dict[str, ExportArgs]
if mesh_id == "mesh-a":
    peers = {"mesh-b": {"offer": offer}}
    exports = {
        "hello.sample": {"ports": {"http": 5000}, "accounts": ["hello"], "callers": {"mesh-b": ["sample/client"]}},
    }
else:
    peers = {
        "mesh-a": {"offer": offer, "imports": {"hello.sample": {"ports": {"http": 5000}, "namespaces": ["sample"]}}},
    }
    exports = {}
federation = IstioFederation(
    "federation",
    {
        "mesh_id": mesh_id,
        "istio_version": version,
        "chart_source": charts,
        "image_hub": hub,
        "cluster": cluster,
        "kubeconfig": kubeconfig,
        "root_certs": trust.root_certs,
        "peers": peers,
        "exports": exports,
        "after": [control_plane.injector],
    },
)

pulumi.export("offers", federation.offers)
