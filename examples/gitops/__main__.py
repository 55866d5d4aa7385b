"""Three clusters on three networks become one Istio mesh, by files that are applied by somebody else."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()

args = load_mesh("mesh.yaml")
args["chart_source"] = config.require("chartSource")
args["image_hub"] = config.require("imageHub")
for name, cluster in args["clusters"].items():
    # Not known before the files were applied once; the first run says how to read them.
    cluster["reader_credential"] = config.get_secret(f"{name}-token")
    cluster["api_server_ca"] = config.get(f"{name}-ca")
mesh = Mesh("horizon", args)

pulumi.export("remote_secrets", mesh.remote_secrets)
pulumi.export("root_cert_pem", mesh.root_cert_pem)
pulumi.export("certificate_expiry", mesh.certificate_expiry)
