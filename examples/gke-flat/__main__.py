"""Three GKE clusters and the mesh over them, from nothing."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

mesh = Mesh("gke-flat", load_mesh("mesh.yaml"))

pulumi.export("firewall", mesh.firewall)
pulumi.export("topology", mesh.topology)
