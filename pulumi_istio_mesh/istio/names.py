"""Every Kubernetes name, label, port and Pulumi identity that the mesh uses.

Kubernetes names are Istio's own where Istio fixes them. Pulumi tokens and logical names are identity:
changing one replaces objects of a live mesh, so tests pin them.
"""

from __future__ import annotations

import hashlib

NAMESPACE = "istio-system"
"""Istio's root namespace, the same in every cluster of a mesh."""

ISTIOD = "istiod"
ISTIOD_HOST = f"istiod.{NAMESPACE}.svc"
"""What proxies and API servers call istiod in every cluster, and what its certificate answers to.
Source: istio/istio pilot/pkg/bootstrap/server.go getDNSNames."""

ISTIOD_SELECTOR = {"app": "istiod", "istio": "pilot"}
"""Labels of istiod's pods without a revision. Source: istiod chart, templates/deployment.yaml."""

ISTIOD_FOR_REMOTES = "istiod-remotes"
"""Service by which remote clusters on the same network reach istiod; the chart's own Service stays as it is."""

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

FEDERATION_GATEWAY = "istio-federationgateway"
FEDERATION_SELECTOR = {"istio": "federationgateway", "app": FEDERATION_GATEWAY}
"""What the gateway chart labels its pods with for this name: other meshes enter here, never by the east-west one."""

GATEWAYS = (EAST_WEST_GATEWAY, FEDERATION_GATEWAY)

FEDERATION_EXPORTS = "federation-exports"
"""Gateway object that lets other meshes reach the exported Services, and none besides."""

IMPORTS_NAMESPACE = "istio-mesh-imports"
"""Where what is known of other meshes' Services stands; each is visible in the namespaces that it is imported for."""

ISTIOD_GATEWAY = "istiod-gateway"
FAILOVER = "failover"

NETWORK_LABEL = "topology.istio.io/network"
PRIMARY_ANNOTATION = "topology.istio.io/controlPlaneClusters"
"""On a remote's istio-system: whose istiod may write there. Read once, when that istiod attaches the cluster.
Source: istio/istio pilot/pkg/serviceregistry/kube/controller/multicluster.go checkShouldLead."""

MEMBER_ANNOTATION = "istio-mesh/member"
"""On istio-system: which cluster of which mesh this is, so that no other mesh or name takes it over."""

FIELD_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager"

REMOTE_SECRET_LABEL = "istio/multiCluster"
REMOTE_SECRET_CLUSTER = "networking.istio.io/cluster"

STATUS_PORT = 15021
MTLS_PORT = 15443
"""Where other networks enter. Source: istio/istio samples/multicluster/expose-services.yaml."""

XDS_PORT = 15012
WEBHOOK_PORT = 15017
"""Where remote clusters reach istiod. Source: istio/istio samples/multicluster/expose-istiod.yaml."""

ISTIOD_PORTS = {"tls-istiod": XDS_PORT, "tls-webhook": WEBHOOK_PORT}
GATEWAY_PORTS = {"status-port": STATUS_PORT, "tls": MTLS_PORT}

VERIFY_NAMESPACE = "istio-mesh-verify"
"""Where a mesh proves itself: a probe that answers, and the gates, Jobs that call."""

PROBE = "probe"
"""Workload and account of that namespace: who probes are, and as whom gates call."""

ISTIOD_REPLICAS = "istiod-replicas"
"""Headless Service by which a gate finds every replica of istiod; not part of the mesh."""

METRICS_PORT = 15014
"""Of istiod. Source: istiod chart, templates/deployment.yaml."""


def remote_secret(cluster: str) -> str:
    """Return the name of the Secret that lets an istiod read this cluster, as istioctl names it."""
    return f"istio-remote-secret-{cluster}"


def callers_of(peer: str) -> str:
    """Return the name of the policy that says what workloads of another mesh may call here."""
    return f"callers-of-{peer}"


def passthrough_sni(host: str, port: int) -> str:
    """Return the SNI by which a gateway passes mTLS on to a Service's port.

    Source: istio/istio pilot/pkg/model/push_context.go BuildDNSSrvSubsetKey.
    """
    return f"outbound_.{port}_._.{host}"


def probe_service(cluster: str) -> str:
    """Return the name of the Service that only this cluster's probe is behind."""
    name = f"{PROBE}-{cluster}"
    return name if len(name) <= 63 else f"{name[:54]}-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}"


def probe_host(cluster: str) -> str:
    """Return the host by which the mesh calls this cluster's probe."""
    return f"{probe_service(cluster)}.{VERIFY_NAMESPACE}.svc.cluster.local"


PACKAGE = "istio-mesh"


def token(kind: str) -> str:
    """Return the Pulumi type of a component."""
    return f"{PACKAGE}:index:{kind}"


def logical_name(mesh: str, cluster: str | None, *role: str) -> str:
    """Return `<mesh>-<cluster>-<role>`; without a cluster, `<mesh>-<role>`."""
    return "-".join(part for part in (mesh, cluster, *role) if part)
