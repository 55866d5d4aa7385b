"""One flat network, one control plane, two remote clusters."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()

# A cluster's kubeconfig is the secret of its name: pulumi config set --secret c1 < c1.kubeconfig
args = load_mesh("mesh.yaml", config.require_secret)
args["chart_source"] = config.require("chartSource")
args["image_hub"] = config.require("imageHub")
mesh = Mesh("onprem", args)

pulumi.export("gateways", mesh.gateways)
pulumi.export("istiods", mesh.istiods)
pulumi.export("remote_secrets", mesh.remote_secrets)
pulumi.export("certificate_expiry", mesh.certificate_expiry)
