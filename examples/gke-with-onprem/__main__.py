"""Two GKE clusters made here, one on premises that exists, and the mesh over all of them."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()

# Only the cluster that isn't made here has a kubeconfig: pulumi config set --secret plant < plant.kubeconfig
mesh = Mesh("gke-onprem", load_mesh("mesh.yaml", {"plant": config.require_secret("plant")}))

pulumi.export("gateways", mesh.gateways)
pulumi.export("firewall", mesh.firewall)
pulumi.export("topology", mesh.topology)
