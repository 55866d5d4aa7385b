"""The kubeconfig comes out of another resource, as it does when a cluster is made in the same program."""

import pulumi
import pulumi_tls as tls

from pulumi_istio_mesh import Mesh, load_mesh

config = pulumi.Config()
cluster = tls.PrivateKey("cluster", algorithm="ECDSA", ecdsa_curve=config.get("curve") or "P256")


def kubeconfig(name: str) -> pulumi.Output[str]:
    text = config.require_secret(name)
    return pulumi.Output.all(text, cluster.public_key_pem).apply(lambda known: known[0])


api_server = config.get("apiServer")
tree = load_mesh("mesh.yaml", kubeconfig)
if api_server:
    late = cluster.public_key_pem.apply(lambda _: api_server)
    tree["clusters"] = {name: {**facts, "api_server": late} for name, facts in tree["clusters"].items()}
Mesh("made", {**tree, "chart_source": config.require("chartSource"), "image_hub": config.require("imageHub")})
