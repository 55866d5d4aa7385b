"""Objects in a cluster that the same program made; a key stands in for the cluster, which the lab can't make."""

import pulumi
import pulumi_kubernetes as k8s
import pulumi_tls as tls

from pulumi_istio_mesh.components.mesh_cluster import goes_with

config = pulumi.Config()
cluster = tls.PrivateKey("cluster", algorithm="ECDSA", ecdsa_curve="P256")
within = pulumi.ComponentResource(
    "test:index:InIt", "in-it", None, pulumi.ResourceOptions(transforms=goes_with(cluster))
)
provider = k8s.Provider("c4", kubeconfig=config.require_secret("c4"), opts=pulumi.ResourceOptions(parent=within))
options = pulumi.ResourceOptions(parent=within, provider=provider)
k8s.core.v1.ConfigMap("plain", metadata={"name": "plain", "namespace": "default"}, data={"a": "b"}, opts=options)
k8s.core.v1.Service(
    "dialled",
    metadata={"name": "dialled", "namespace": "default", "annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "nobody"}},
    opts=options,
)
