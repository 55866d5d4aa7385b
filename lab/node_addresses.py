"""Plays the cloud's part in registering a node: gives it an ExternalIP and lifts the taint.

Istio discovers a gateway behind a NodePort by its nodes' ExternalIPs, which kubelet itself never sets;
started with `--cloud-provider=external` it leaves the addresses alone and taints the node until
somebody has seen to them.
"""

from ipaddress import IPv4Address

from lab.kubernetes_api import KubernetesApi, Object

_TAINT = "node.cloudprovider.kubernetes.io/uninitialized"


def initialise(api: KubernetesApi, node: str, address: IPv4Address) -> None:
    """Sets the node's addresses and lifts the taint that kept Pods off it."""
    path = f"/api/v1/nodes/{node}"
    listed = [
        {"type": "InternalIP", "address": str(address)},
        {"type": "ExternalIP", "address": str(address)},
        {"type": "Hostname", "address": node},
    ]
    api.patch(path + "/status", {"status": {"addresses": listed}})
    kept = [t for t in api.get(path)["spec"].get("taints", []) if t["key"] != _TAINT]
    api.patch(path, {"spec": {"taints": kept or None}})


def is_ready(node: Object) -> bool:
    """Whether the Node says that it takes Pods."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
