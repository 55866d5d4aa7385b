"""Three clusters on three networks become one Istio mesh."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()
kubeconfigs = {name: config.require_secret(name) for name in ("c1", "c2", "c3")}

mesh = Mesh(
    "horizon",
    {
        **load_mesh("mesh.yaml", kubeconfigs),
        "chart_source": config.require("chartSource"),
        "image_hub": config.require("imageHub"),
    },
)

pulumi.export("gateways", mesh.gateways)
pulumi.export("remote_secrets", mesh.remote_secrets)
pulumi.export("root_fingerprints", mesh.root_fingerprints)
pulumi.export("certificate_expiry", mesh.certificate_expiry)
