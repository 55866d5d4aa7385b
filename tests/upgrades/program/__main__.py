"""The mesh of a file, or all of its meshes: what made each state that is kept here, and what must upgrade it."""

import pulumi

from pulumi_istio_mesh import Mesh, Meshes, load_meshes

config = pulumi.Config()
meshes = load_meshes("mesh.yaml", config.require_secret)["meshes"]
for args in meshes.values():
    args["chart_source"] = config.require("chartSource")
    args["image_hub"] = config.require("imageHub")
    if args["trust"].get("kind") == "given":
        for cluster, facts in args["clusters"].items():
            files = config.require_secret_object(f"{cluster}-cacerts")
            facts["cacerts"] = {
                part: files.apply(lambda found, part=part: found[part])
                for part in ("ca_cert", "ca_key", "cert_chain", "root_cert")
            }
if len(meshes) == 1:
    Mesh(*next(iter(meshes.items())))
else:
    Meshes("company", {"meshes": meshes})
