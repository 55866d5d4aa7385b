"""One of two meshes that share a Service; the other one has a stack of its own."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()
# What the other mesh offers. Not there before its first run nor after its last: then this mesh says so, and goes on.
peer = pulumi.StackReference(config.require("peerStack"))

# A cluster's kubeconfig is the secret of its name: pulumi config set --secret c1 < c1.kubeconfig
args = load_mesh("mesh.yaml", config.require_secret, offers={"mesh-b": peer.get_output("offers")})
args["chart_source"] = config.require("chartSource")
args["image_hub"] = config.require("imageHub")
mesh = Mesh("mesh-a", args)

pulumi.export("offers", mesh.offers)
pulumi.export("gateways", mesh.gateways)
pulumi.export("root_fingerprints", mesh.root_fingerprints)
