"""Three clusters on three networks become one Istio mesh."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()

# A cluster's kubeconfig is the secret of its name: pulumi config set --secret c1 < c1.kubeconfig
args = load_mesh("mesh.yaml", config.require_secret)
args["chart_source"] = config.require("chartSource")
args["image_hub"] = config.require("imageHub")
mesh = Mesh("horizon", args)

pulumi.export("gateways", mesh.gateways)
pulumi.export("remote_secrets", mesh.remote_secrets)
pulumi.export("root_cert_pem", mesh.root_cert_pem)
pulumi.export("root_fingerprints", mesh.root_fingerprints)
pulumi.export("certificate_expiry", mesh.certificate_expiry)
