"""Two meshes in one program, and the Service that one shares with the other."""

import pulumi

from pulumi_istio_mesh import Meshes, load_meshes

config = pulumi.Config()

# A cluster's kubeconfig is the secret of its name: pulumi config set --secret c1 < c1.kubeconfig
found = load_meshes("mesh.yaml", config.require_secret)
for mesh in found["meshes"].values():
    mesh["chart_source"] = config.require("chartSource")
    mesh["image_hub"] = config.require("imageHub")

meshes = Meshes("company", found)

pulumi.export("gateways", meshes.gateways)
pulumi.export("offers", meshes.offers)
