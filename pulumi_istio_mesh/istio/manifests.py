"""Bodies of the Kubernetes objects that the mesh makes itself, as plain dicts.

Values may be Pulumi Outputs: they pass through untouched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..topology.models import EastWestGateway
from . import names


def namespace(network: str) -> dict[str, Any]:
    """Return the metadata of istio-system.

    The label names the network of every pod in the cluster that says nothing else.
    Source: istio/istio pilot/pkg/serviceregistry/kube/controller/network.go.
    """
    return {"name": names.NAMESPACE, "labels": {names.NETWORK_LABEL: network}}


def shared_mesh_config() -> dict[str, str]:
    """Return the data of the mesh config that istiod merges over its own while it runs."""
    return {"mesh": "{}"}


def peer_authentication(mode: str) -> dict[str, Any]:
    """Return the spec that makes every workload of the cluster refuse plaintext, or not."""
    return {"mtls": {"mode": mode.upper()}}


def cross_network_gateway() -> dict[str, Any]:
    """Return the spec that lets mTLS between networks in, routed by the SNI that the caller's proxy wrote.

    Source: istio/istio samples/multicluster/expose-services.yaml.
    """
    port = {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"}
    server = {"port": port, "tls": {"mode": "AUTO_PASSTHROUGH"}, "hosts": ["*.local"]}
    return {"selector": {"istio": names.EAST_WEST_SELECTOR["istio"]}, "servers": [server]}


def east_west_metadata(gateway: EastWestGateway, network: str, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of the Service by which istiods find the network's gateway.

    `annotations` holds the values of `gateway.annotations`, late ones as they are.
    """
    found = dict(annotations)
    found["pulumi.com/timeoutSeconds"] = str(gateway.timeout_seconds)
    if gateway.type == "NodePort" and gateway.address is None:
        # Asks istiod to use the external addresses of all nodes.
        found["traffic.istio.io/nodeSelector"] = "{}"
    return {
        "name": names.EAST_WEST_GATEWAY,
        "namespace": names.NAMESPACE,
        "labels": {names.NETWORK_LABEL: network, **names.EAST_WEST_SELECTOR},
        "annotations": found,
    }


def east_west_service(gateway: EastWestGateway, address: Any) -> dict[str, Any]:
    """Return the spec of that Service; `address` is the given address, plain or late, or None."""
    ports = [
        {"name": "status-port", "port": names.STATUS_PORT, "targetPort": names.STATUS_PORT},
        {"name": "tls", "port": names.MTLS_PORT, "targetPort": names.MTLS_PORT},
    ]
    ports += [{"name": p.name, "port": p.port, "targetPort": p.target_port or p.port} for p in gateway.ports]
    spec: dict[str, Any] = {"type": gateway.type, "selector": names.EAST_WEST_SELECTOR, "ports": ports}
    if address is not None:
        # istiod reads a network's gateway addresses from here when the status has none.
        spec["externalIPs"] = [address]
    if gateway.load_balancer_class is not None:
        spec["loadBalancerClass"] = gateway.load_balancer_class
    return spec


def remote_secret_metadata(cluster: str) -> dict[str, Any]:
    """Return the metadata by which an istiod takes the Secret for the credential of another cluster."""
    return {
        "name": names.remote_secret(cluster),
        "namespace": names.NAMESPACE,
        "labels": {names.REMOTE_SECRET_LABEL: "true"},
        "annotations": {names.REMOTE_SECRET_CLUSTER: cluster},
    }


def remote_kubeconfig(
    cluster: str, *, server: str, certificate_authority: str, token: str, tls_name: str | None
) -> str:
    """Return the kubeconfig, as JSON, by which a foreign istiod reads the cluster; it holds a credential.

    `certificate_authority` is a base64 bundle, empty for the system's own. Only an inline token is used:
    istiod refuses exec plugins and files. Source: istio/istio pkg/kube/util.go sanitizeKubeConfig.
    """
    dial = {"server": server, "certificate-authority-data": certificate_authority, "tls-server-name": tls_name}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {key: value for key, value in dial.items() if value}}],
        "users": [{"name": cluster, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    return json.dumps(config, indent=2)
