"""Every Kubernetes name, label, port and Pulumi identity that the mesh uses.

Kubernetes names are Istio's own where Istio fixes them. Pulumi tokens and logical names are identity:
changing one replaces objects of a live mesh, so tests pin them.
"""

from __future__ import annotations

NAMESPACE = "istio-system"
"""Istio's root namespace, the same in every cluster of a mesh."""

ISTIOD = "istiod"
BASE_RELEASE = "istio-base"
INJECTOR_WEBHOOK = "istio-sidecar-injector"
"""MutatingWebhookConfiguration of istiod without a revision. Source: istiod chart, templates/mutatingwebhook.yaml."""

INJECTOR_CONFIG = "istio-sidecar-injector"
"""ConfigMap with the injection template. Source: istiod chart, templates/istiod-injector-configmap.yaml."""

CACERTS = "cacerts"
"""Secret istiod signs workload certificates from. Source: istio/istio pilot/pkg/bootstrap/istio_ca.go."""

SHARED_MESH_CONFIG = "istio-shared-mesh-config"
"""ConfigMap with the part of the mesh config that may change without touching istiod's chart."""

READER_ACCOUNT = "istio-reader-service-account"
"""Account that the base chart makes for foreign istiods. Source: base chart, templates/reader-serviceaccount.yaml."""

READER_TOKEN = "istio-reader-token"

EAST_WEST_GATEWAY = "istio-eastwestgateway"
EAST_WEST_SELECTOR = {"istio": "eastwestgateway", "app": EAST_WEST_GATEWAY}
"""What the gateway chart labels its pods with for this name. Source: gateway chart, templates/_helpers.tpl."""

CROSS_NETWORK_GATEWAY = "cross-network-gateway"

NETWORK_LABEL = "topology.istio.io/network"
REMOTE_SECRET_LABEL = "istio/multiCluster"
REMOTE_SECRET_CLUSTER = "networking.istio.io/cluster"

STATUS_PORT = 15021
MTLS_PORT = 15443
"""Where other networks enter. Source: istio/istio samples/multicluster/expose-services.yaml."""

GATEWAY_OWN_PORTS = (STATUS_PORT, MTLS_PORT)


def remote_secret(cluster: str) -> str:
    """Return the name of the Secret that lets an istiod read this cluster, as istioctl names it."""
    return f"istio-remote-secret-{cluster}"


PACKAGE = "istio-mesh"


def token(kind: str) -> str:
    """Return the Pulumi type of a component."""
    return f"{PACKAGE}:index:{kind}"


def logical_name(mesh: str, cluster: str | None, *role: str) -> str:
    """Return `<mesh>-<cluster>-<role>`; without a cluster, `<mesh>-<role>`."""
    return "-".join(part for part in (mesh, cluster, *role) if part)
